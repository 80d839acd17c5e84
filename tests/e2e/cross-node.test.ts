import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonReply, textAt } from '../../packages/lab/src/http.ts'
import { TcpFaultProxy } from '../../packages/lab/src/tcp-fault-proxy.ts'
import { type BenchNode, type Held, Workbench } from '../../packages/lab/src/workbench.ts'
import { freshDatabase } from '../fresh-database.ts'

const { database, skip } = await freshDatabase()
/** What one node did shows at every other within this time. */
const SEEN_WITHIN = { timeout: 1_000, interval: 20 }

describe.skipIf(database === null)(`two nodes on one PostgreSQL database${skip ?? ''}`, () => {
  let proxy: TcpFaultProxy
  let bench: Workbench
  let other: BenchNode
  let patient: BenchNode
  beforeAll(async () => {
    const url = new URL(database?.url ?? '')
    proxy = await TcpFaultProxy.start({ host: url.hostname, port: Number(url.port) })
    bench = await Workbench.start({ profiles: { p4: 'P4' }, databaseUrl: url.href })
    url.port = String(proxy.port)
    other = await bench.addNode({ EVERGRANT_DATABASE_URL: url.href, EVERGRANT_SERVE_WITHOUT_DATABASE_SECONDS: '0' })
    patient = await bench.addNode({ EVERGRANT_DATABASE_URL: url.href })
  })
  afterEach(() => proxy.heal())
  afterAll(async () => {
    await bench?.dispose()
    await proxy?.close()
    await database?.drop()
  })

  const tokenAt = (held: Held): Promise<JsonReply> => other.api.get(`/connections/${held.connection}/token`)

  async function answersFromMemory(node = other): Promise<number> {
    const metrics = await (await fetch(`${node.server.url}/metrics`)).text()
    return Number(/token_reads_total\{source="memory"\} (\d+)/.exec(metrics)?.[1])
  }

  /** A connection whose token the other node has in its memory. */
  async function heldInBoth(): Promise<Held> {
    const held = await bench.hold('p4')
    const before = await answersFromMemory()
    const readAgain = async () => {
      expect((await tokenAt(held)).body).toMatchObject({ access_token: held.accessToken, generation: 1 })
      return answersFromMemory()
    }
    await expect.poll(readAgain, { timeout: 10_000 }).toBeGreaterThan(before)
    return held
  }

  async function refreshed(held: Held, generation: number): Promise<void> {
    expect(await bench.refresh(held)).toMatchObject({ status: 200, body: { generation } })
  }

  test('a refresh at one node shows in the reads of the other within a second', async () => {
    const held = await heldInBoth()
    await refreshed(held, 2)
    await expect.poll(async () => at((await tokenAt(held)).body, 'generation'), SEEN_WITHIN).toBe(2)
    expect(textAt(await tokenAt(held), 'access_token')).toBe(textAt(await bench.token(held), 'access_token'))
    expect(await bench.truth(held)).toMatchObject({ refresh_requests: 1 })
  })

  test('a pause, its end, a new grant and a disconnection at one node show at the other within a second', async () => {
    const held = await heldInBoth()
    const does = async (what: string) => expect((await bench.api.post(`/connections/${held.connection}/${what}`)).status).toBeLessThan(300)
    await does('pause')
    await expect.poll(async () => at((await tokenAt(held)).body, 'code'), SEEN_WITHIN).toBe('connection_paused')
    await does('resume')
    await expect.poll(async () => at((await tokenAt(held)).body, 'access_token'), SEEN_WITHIN).toBe(held.accessToken)
    const again = await bench.regrant(held)
    await expect.poll(async () => at((await tokenAt(held)).body, 'access_token'), SEEN_WITHIN).toBe(again.accessToken)
    await does('disconnect')
    await expect.poll(async () => at((await tokenAt(held)).body, 'code'), SEEN_WITHIN).toBe('connection_disconnected')
  })

  test('an API key revoked at one node is refused by the other within a second', async () => {
    const held = await heldInBoth()
    const made = await bench.api.post('/api-keys', { name: 'short-lived', scopes: ['tokens:read'] })
    const read = () => other.api.call('GET', `/connections/${held.connection}/token`, { headers: { authorization: `Bearer ${textAt(made, 'key')}` } })
    expect((await read()).status).toBe(200)
    expect((await bench.api.call('DELETE', `/api-keys/${textAt(made, 'id')}`)).status).toBeLessThan(300)
    await expect.poll(async () => (await read()).status, SEEN_WITHIN).toBe(401)
  })

  test.each([
    ['refuses every connection', () => proxy.cut()],
    ['swallows every byte', () => proxy.blackhole()],
    ['holds every byte back', () => proxy.pause()],
  ])('a node whose database %s never serves an older generation than the others', { timeout: 60_000 }, async (_how, trouble) => {
    const held = await heldInBoth()
    trouble()
    await refreshed(held, 2)
    // It may not have noticed yet; from one second on it knows that it is deaf, and memory answers nobody.
    await expect.poll(async () => (await settledWithin(tokenAt(held), 500))?.status ?? 'no answer', { timeout: 5_000 }).not.toBe(200)
    const waiting = Array.from({ length: 5 }, () => tokenAt(held))
    await refreshed(held, 3)
    proxy.heal()
    await expect.poll(async () => at((await tokenAt(held)).body, 'generation'), { timeout: 20_000 }).toBe(3)
    for (let read = 0; read < 20; read += 1) expect((await tokenAt(held)).body).toMatchObject({ generation: 3 })
    for (const reply of await Promise.all(waiting)) expect([3, undefined], reply.text).toContain(at(reply.body, 'generation'))
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 2, overlaps: 0 })
  })

  test('a node that has lost its database goes on serving a token that is still valid', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p4')
    const read = () => patient.api.get(`/connections/${held.connection}/token`)
    const before = await answersFromMemory(patient)
    const readAgain = async () => ((await read()).status === 200 ? answersFromMemory(patient) : before)
    await expect.poll(readAgain, { timeout: 20_000 }).toBeGreaterThan(before)
    proxy.cut()
    await expect.poll(async () => (await fetch(`${patient.server.url}/health/ready`)).status, { timeout: 10_000 }).toBe(503)
    for (let count = 0; count < 20; count += 1) expect((await read()).body).toMatchObject({ access_token: held.accessToken, generation: 1 })
    expect(await patient.api.get(`/connections/${held.connection}`)).toMatchObject({ status: 503, body: { code: 'store_unavailable' } })
  })

  test('a database that swallows every byte keeps no reader waiting for good, and heals by itself', { timeout: 60_000 }, async () => {
    const held = await heldInBoth()
    proxy.blackhole()
    const status = async () => (await tokenAt(held)).status
    await expect.poll(status, { timeout: 20_000 }).toBe(503)
    expect((await tokenAt(held)).body).toMatchObject({ code: 'store_unavailable', needs_reauth: false })
    proxy.heal()
    await expect.poll(status, { timeout: 20_000 }).toBe(200)
  })
})

async function settledWithin(reply: Promise<JsonReply>, ms: number): Promise<JsonReply | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms)
  })
  try {
    return await Promise.race([reply, late])
  } finally {
    clearTimeout(timer)
  }
}
