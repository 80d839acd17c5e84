import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonReply, textAt } from '../../packages/lab/src/http.ts'
import { type BenchNode, type Held, Workbench } from '../../packages/lab/src/workbench.ts'
import { freshDatabase } from '../fresh-database.ts'

const [forSlow, forKills] = [await freshDatabase(), await freshDatabase()]
const options = (url: string | undefined) => (url === undefined ? {} : { databaseUrl: url })
afterAll(async () => {
  await forSlow.database?.drop()
  await forKills.database?.drop()
})

describe.skipIf(forSlow.database === null)(`two nodes and a slow provider, at the true waits${forSlow.skip ?? ''}`, () => {
  let bench: Workbench
  let other: BenchNode
  beforeAll(async () => {
    bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' }, ...options(forSlow.database?.url) })
    other = await bench.addNode()
  })
  afterAll(() => bench?.dispose())

  test('a provider that answers after 14 s is asked once, and callers at both nodes are told when to come back (E4)', { timeout: 60_000 }, async () => {
    await bench.fault('p4', { kind: 'delay', ms: 14_000, times: null })
    const over = await bench.hold('p4', 0)
    const alive = await bench.hold('p4', 600)
    const nodes = [bench.api, other.api]
    // The living token is being renewed on both nodes: whoever reads meanwhile gets the old one, at once.
    const renewals = nodes.map((api) => api.post(`/connections/${alive.connection}/refresh`))
    const reads = nodes.map((api) => api.get(`/connections/${over.connection}/token`))
    for (const api of nodes) {
      expect((await api.get(`/connections/${alive.connection}/token`)).body).toMatchObject({ access_token: alive.accessToken, generation: 1 })
    }
    for (const reply of await Promise.all([...reads, ...renewals])) {
      expect(reply, reply.text).toMatchObject({ status: 503, body: { code: 'refresh_in_progress', needs_reauth: false, retry_at: expect.any(String) } })
    }
    for (const held of [over, alive]) for (const api of nodes) await renewed(bench, held, () => api.get(`/connections/${held.connection}/token`))
  })
})

async function renewed(bench: Workbench, held: Held, read: () => Promise<JsonReply>): Promise<void> {
  await expect.poll(async () => at((await read()).body, 'generation'), { timeout: 25_000, interval: 250 }).toBe(2)
  expect(await bench.works('p4', textAt(await read(), 'access_token'))).toBe(200)
  expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 1, overlaps: 0, generation: 2 })
}

describe.skipIf(forKills.database === null)(`two nodes, one of them killed with the answer in flight (E7)${forKills.skip ?? ''}`, () => {
  let bench: Workbench
  let other: BenchNode
  beforeAll(async () => {
    bench = await Workbench.start({ timeScale: 50, profiles: { p0: 'P0', p4: 'P4' }, ...options(forKills.database?.url) })
    other = await bench.addNode()
  })
  afterEach(async () => {
    await bench.heal()
    await bench.server.kill()
    await bench.server.start()
  })
  afterAll(() => bench?.dispose())

  async function killWhileHanging(held: Held, when: 'before' | 'after'): Promise<void> {
    await bench.fault(held.profile, { kind: 'hang', when, times: 1 })
    const pending = bench.refresh(held).catch(() => 'gone')
    await expect.poll(() => bench.hanging()).toBe(1)
    await bench.server.kill()
    expect(await pending).toBe('gone')
    await expect.poll(() => bench.hanging()).toBe(0)
  }

  test('the other node serves the old token and sends nothing to a provider that punishes it', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p4', 600)
    await killWhileHanging(held, 'after')
    const token = () => other.api.get(`/connections/${held.connection}/token`)
    expect(await token()).toMatchObject({ status: 200, body: { access_token: held.accessToken } })
    expect(await bench.works('p4', held.accessToken)).toBe(200)
    const refused = await other.api.post(`/connections/${held.connection}/refresh`)
    expect(refused.status, refused.text).toBe(503)
    expect(refused.body).toMatchObject({ needs_reauth: false, retry_at: expect.any(String) })
    // Its own node is back: the connection is suspect, and still nobody asks the provider.
    await bench.server.start()
    expect(await bench.show(held)).toMatchObject({ body: { status: 'active', generation: 1 } })
    expect((await bench.token(held)).body).toMatchObject({ access_token: held.accessToken })
    expect(await token()).toMatchObject({ status: 200, body: { access_token: held.accessToken } })
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 1, overlaps: 0 })
    await bench.server.kill()
  })

  test('a node that does not come back: the other takes over after the stated wait, and the grant lives', { timeout: 60_000 }, async () => {
    const [strict, lenient] = [await bench.hold('p4', 16), await bench.hold('p0', 600)]
    await killWhileHanging(strict, 'before')
    const killedAt = Date.now()
    await bench.server.start()
    await killWhileHanging(lenient, 'after')
    const generation = async (held: Held) => at((await other.api.get(`/connections/${held.connection}`)).body, 'generation')
    await expect.poll(() => generation(lenient), { timeout: 30_000 }).toBe(2)
    await expect.poll(() => generation(strict), { timeout: 45_000 }).toBe(2)
    // Drain and quarantine of table 2.8, fifty times faster.
    expect(Date.now() - killedAt).toBeGreaterThan(135_000 / 50)
    for (const held of [strict, lenient]) {
      const token = textAt(await other.api.get(`/connections/${held.connection}/token`), 'access_token')
      expect(await bench.grantBehind(held.profile, token)).toBe(held.grant)
    }
    expect(await bench.truth(strict)).toMatchObject({ state: 'live', refresh_requests: 2, overlaps: 0, generation: 2 })
    expect(await bench.truth(lenient)).toMatchObject({ state: 'live', overlaps: 0 })
  })
})
