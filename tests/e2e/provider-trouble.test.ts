import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newKeyText } from '../../packages/evergrant/src/core/access/key-text.ts'
import { systemEntropy } from '../../packages/evergrant/src/system.ts'
import { at, type JsonReply, textAt } from '../../packages/lab/src/http.ts'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'
import { Workbench } from '../../packages/lab/src/workbench.ts'

// Situations in which connections are known to be lost or blocked elsewhere, passed the way a user would want it.
describe('a provider in trouble, a server and a client in processes of their own', () => {
  let bench: Workbench
  beforeAll(async () => {
    bench = await Workbench.start()
  })
  afterEach(() => bench.heal())
  afterAll(() => bench?.dispose())

  test('a valid token is served while the token endpoint answers 503, and the refresh works once it is well (E1)', async () => {
    const held = await bench.hold('p0', 600)
    await bench.fault('p0', { kind: 'status', status: 503, times: null })
    const refused = await bench.refresh(held)
    expect(refused.status, refused.text).toBe(503)
    for (let read = 0; read < 3; read += 1) expect((await bench.token(held)).body).toMatchObject({ access_token: held.accessToken })
    expect((await bench.api.get(`/proxy/${held.connection}/api/me`)).status).toBe(200)
    expect((await bench.show(held)).body).toMatchObject({ status: 'active' })
    await bench.heal()
    await expect.poll(async () => (await bench.refresh(held)).status, { timeout: 15_000 }).toBe(200)
    expect(await bench.works('p0', textAt(await bench.token(held), 'access_token'))).toBe(200)
  })

  test('a dead grant, refused client credentials and throttling are three different answers (E2)', async () => {
    const dead = await bench.hold('p0')
    await bench.practice.control.post('/revoke', { grant: dead.grant })
    expect(await bench.refresh(dead)).toMatchObject({ status: 409, body: { code: 'connection_revoked', action: 'reconnect', needs_reauth: true } })

    const throttled = await bench.hold('p2')
    await bench.fault('p2', { kind: 'rate_limited', retry_after: 30, times: null })
    const slow = await bench.refresh(throttled)
    expect(slow.body).toMatchObject({ code: 'provider_rate_limited', action: 'wait', needs_reauth: false })
    expect(slow.body).toHaveProperty('retry_at')

    const refused = await bench.hold('p3')
    await bench.fault('p3', { kind: 'invalid_client', times: null })
    expect((await bench.refresh(refused)).body).toMatchObject({ code: 'client_rejected', needs_reauth: false })
    expect((await bench.show(refused)).body).not.toMatchObject({ status: 'needs_reauth' })
    expect(await bench.truth(refused)).toMatchObject({ state: 'live' })
  })

  test('an API that answers 401 to a token with hours left causes one refresh and one replay (E3)', async () => {
    const held = await bench.hold('p4', 18_000)
    await bench.practice.control.post('/expire', { grant: held.grant })
    const before = await bench.counts('p4')
    expect(await bench.api.get(`/proxy/${held.connection}/api/me`)).toMatchObject({ status: 200, body: { generation: 2 } })
    const after = await bench.counts('p4')
    expect([after.refresh - before.refresh, after.api - before.api]).toEqual([1, 2])
  })

  test('a token endpoint that never answers keeps nobody waiting, and heals without a restart (E5)', async () => {
    await bench.fault('p0', { kind: 'hang', times: null })
    const held = await bench.hold('p0', 1)
    await expect.poll(() => bench.works('p0', held.accessToken)).toBe(401)
    const started = performance.now()
    const reply = await bench.token(held)
    expect(performance.now() - started).toBeLessThan(9_000)
    expect(reply.status).toBe(503)
    await bench.heal()
    await expect.poll(async () => (await bench.token(held)).status, { timeout: 15_000 }).toBe(200)
    expect(await bench.works('p0', textAt(await bench.token(held), 'access_token'))).toBe(200)
  })

  test('a kill -9 while the answer is in flight does not send the token twice to a provider that punishes it (E7)', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p4', 600)
    await bench.fault('p4', { kind: 'hang', when: 'after', times: 1 })
    const pending = bench.refresh(held).catch(() => 'gone')
    await expect.poll(() => bench.hanging()).toBe(1)
    await bench.server.kill()
    expect(await pending).toBe('gone')
    await bench.server.start()
    expect((await bench.token(held)).body).toMatchObject({ access_token: held.accessToken })
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 1, overlaps: 0 })
  })

  test('a new grant stored while a refresh is under way stays (E8)', async () => {
    const held = await bench.hold('p0')
    const shown = await bench.show(held)
    await bench.fault('p0', { kind: 'hang', when: 'after', times: 1 })
    const pending = bench.refresh(held)
    await expect.poll(() => bench.hanging()).toBe(1)
    const account = textAt(shown, 'account.id')
    const issued = await bench.practice.control.post('/grants', { profile: 'p0', account })
    const replaced = await bench.api.post('/connections', {
      integration: 'p0',
      owner: textAt(shown, 'owner'),
      account,
      access_token: textAt(issued, 'access_token'),
      refresh_token: textAt(issued, 'refresh_token'),
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
      replace: true,
    })
    expect(textAt(replaced, 'id')).toBe(held.connection)
    await bench.heal()
    await pending
    expect(await bench.grantBehind('p0', textAt(await bench.token(held), 'access_token'))).toBe(textAt(issued, 'grant'))
  })

  test('metadata that changes while a refresh is under way stays (E9)', async () => {
    const held = await bench.hold('p0')
    await bench.fault('p0', { kind: 'hang', times: 1 })
    const pending = bench.refresh(held)
    await expect.poll(() => bench.hanging()).toBe(1)
    const changed = await bench.api.call('PATCH', `/connections/${held.connection}`, { body: { metadata: { team: 'blue' } } })
    expect(changed.status, changed.text).toBe(200)
    await bench.heal()
    // A busy machine may have told this caller to come back before the provider was well.
    if ((await pending).status !== 200) await expect.poll(async () => (await bench.refresh(held)).status, { timeout: 15_000 }).toBe(200)
    expect((await bench.show(held)).body).toMatchObject({ metadata: { team: 'blue' } })
  })

  test('three thousand reads by one key within seconds are all answered (E11)', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p0')
    const statuses = new Set<number>()
    for (let burst = 0; burst < 10; burst += 1) {
      for (const { status } of await Promise.all(Array.from({ length: 300 }, () => bench.token(held)))) statuses.add(status)
    }
    expect([...statuses]).toEqual([200])
  })

  test('five reads of a token that lives shorter than the margin cause no refresh (E13)', async () => {
    const held = await bench.hold('p4', 600)
    for (let read = 0; read < 5; read += 1) expect((await bench.token(held)).body).toMatchObject({ access_token: held.accessToken })
    expect(await bench.truth(held)).toMatchObject({ refresh_requests: 0 })
  })

  test('a POST through the proxy that the API answers with 500 is sent once (E14)', async () => {
    const held = await bench.hold('p3')
    await bench.fault('p3', { step: 'api', kind: 'status', status: 500, when: 'after', times: 1 })
    const reply = await bench.api.post(`/proxy/${held.connection}/api/echo`, { order: 1 })
    expect(reply.status, reply.text).toBe(500)
    expect(at(await bench.truth(held), 'api_calls')).toHaveLength(1)
  })
})

test('another encryption key stops the start with a reason, and the right one opens everything again (E10)', { timeout: 60_000 }, async () => {
  const bench = await Workbench.start({ profiles: { p4: 'P4' } })
  try {
    const [held, other] = [await bench.hold('p4'), await bench.hold('p4')]
    expect((await bench.refresh(held)).status).toBe(200)
    const token = textAt(await bench.token(held), 'access_token')
    await bench.server.stop()
    const wrong = ServerProcess.start({ dataDir: bench.server.dataDir, env: { EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}` } })
    await expect(wrong).rejects.toThrow(/the server ended.*EVERGRANT_MASTER_KEYS.*no connection is lost/s)
    await bench.server.start()
    expect(await bench.token(held)).toMatchObject({ status: 200, body: { access_token: token, generation: 2 } })
    expect(await bench.token(other)).toMatchObject({ status: 200, body: { access_token: other.accessToken } })
    expect(await bench.refresh(held)).toMatchObject({ status: 200, body: { generation: 3 } })
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 2 })
  } finally {
    await bench.dispose()
  }
})

describe('thousands of invalid credentials (E12)', () => {
  const GUESSES = 3_000
  const ALLOWED = 600
  let bench: Workbench
  beforeAll(async () => {
    bench = await Workbench.start({ profiles: { p0: 'P0' }, env: { EVERGRANT_RATE_LIMIT_PER_ADDRESS: String(ALLOWED) } })
  })
  afterAll(() => bench?.dispose())

  test.each([
    ['that look like nothing', () => randomUUID()],
    ['that look like keys of this server', () => newKeyText(systemEntropy)],
  ])('%s are refused, soon by address alone, and slow no valid reader', { timeout: 60_000 }, async (_kind, guess) => {
    const held = await bench.hold('p0')
    expect((await bench.token(held)).status).toBe(200)
    const path = `/connections/${held.connection}/token`
    const replies: JsonReply[] = []
    const good: number[] = []
    const started = performance.now()
    while (replies.length < GUESSES) {
      const batch = Array.from({ length: 200 }, () => bench.api.call('GET', path, { headers: { authorization: `Bearer ${guess()}` } }))
      good.push((await bench.token(held)).status)
      replies.push(...(await Promise.all(batch)))
    }
    const counted = (status: number): number => replies.filter((reply) => reply.status === status).length
    expect(counted(401) + counted(429)).toBe(replies.length)
    // A bucket that fills while it is used lets a few more through: as many a minute as it holds.
    expect(counted(401)).toBeLessThanOrEqual(ALLOWED + Math.ceil(((performance.now() - started) / 60_000) * ALLOWED))
    const refused = replies.find(({ status }) => status === 429)
    expect(refused?.body).toMatchObject({ code: 'rate_limited', needs_reauth: false })
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(good.filter((status) => status !== 200)).toEqual([])
  })
})
