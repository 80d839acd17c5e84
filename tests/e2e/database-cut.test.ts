import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonReply, textAt } from '../../packages/lab/src/http.ts'
import { TcpFaultProxy } from '../../packages/lab/src/tcp-fault-proxy.ts'
import { type Held, Workbench } from '../../packages/lab/src/workbench.ts'
import { freshDatabase } from '../fresh-database.ts'

const { database, skip } = await freshDatabase()

// The database is cut off while the provider's answer is on its way: the provider has spent the refresh token already.
describe.skipIf(database === null)(`PostgreSQL goes away between an answer and its commit (E6)${skip ?? ''}`, () => {
  let proxy: TcpFaultProxy
  let bench: Workbench
  beforeAll(async () => {
    const url = new URL(database?.url ?? '')
    proxy = await TcpFaultProxy.start({ host: url.hostname, port: Number(url.port) })
    url.port = String(proxy.port)
    bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' }, databaseUrl: url.href, env: { EVERGRANT_DRAIN_SECONDS: '3' } })
  })
  afterEach(async () => {
    proxy.heal()
    await bench.heal()
  })
  afterAll(async () => {
    await bench?.dispose()
    await proxy?.close()
    await database?.drop()
  })

  /** Holds the answer after the provider's commit, cuts the database, lets the answer go. Resolves with what the caller got. */
  async function cutBetween(held: Held): Promise<JsonReply> {
    await bench.fault('p4', { kind: 'hang', when: 'after', times: 1 })
    const pending = bench.token(held, '?rejected_generation=1')
    await expect.poll(() => bench.hanging()).toBe(1)
    proxy.cut()
    await bench.heal()
    return await pending
  }

  async function storedOnce(held: Held, accessToken: string): Promise<void> {
    await expect.poll(async () => at((await bench.show(held)).body, 'generation'), { timeout: 20_000 }).toBe(2)
    expect((await bench.token(held)).body).toMatchObject({ access_token: accessToken, generation: 2, status: 'active' })
    expect(await bench.works('p4', accessToken)).toBe(200)
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 1, generation: 2 })
    expect(await bench.refresh(held)).toMatchObject({ status: 200, body: { generation: 3 } })
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 2, generation: 3, overlaps: 0 })
  }

  test('the caller gets the token, and it is committed once the database is back', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p4', 600)
    const answered = await cutBetween(held)
    expect(answered.status, answered.text).toBe(200)
    expect(at(answered.body, 'generation')).toBe(2)
    // Meanwhile nobody is sent back to the old generation, and nothing is marked.
    const meanwhile = await bench.token(held)
    expect([200, 503]).toContain(meanwhile.status)
    if (meanwhile.status === 200) expect(meanwhile.body).toMatchObject({ generation: 2 })
    else expect(meanwhile.body).toMatchObject({ code: 'store_unavailable', needs_reauth: false })
    expect(await bench.truth(held)).toMatchObject({ refresh_requests: 1 })
    proxy.heal()
    await storedOnce(held, textAt(answered, 'access_token'))
  })

  test('a kill -9 while the database is away: the journal has the answer, and the next start stores it', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p4', 600)
    const answered = await cutBetween(held)
    expect(answered.status, answered.text).toBe(200)
    await bench.server.kill()
    await expect(bench.server.start()).rejects.toThrow(/database|PostgreSQL/)
    proxy.heal()
    await bench.server.start()
    await storedOnce(held, textAt(answered, 'access_token'))
  })

  test('a SIGTERM while the database is away: it waits for a stated time, ends with exit code 3, and the next start stores the answer', {
    timeout: 60_000,
  }, async () => {
    const held = await bench.hold('p4', 600)
    const answered = await cutBetween(held)
    expect(answered.status, answered.text).toBe(200)
    expect((await bench.server.stop(30_000)).code, bench.server.output()).toBe(3)
    proxy.heal()
    await bench.server.start()
    await storedOnce(held, textAt(answered, 'access_token'))
  })

  test('made-up credentials are refused without the database (E12)', async () => {
    proxy.cut()
    const guess = () => bench.api.call('GET', '/connections', { headers: { authorization: `Bearer ${randomUUID()}` } })
    for (const reply of await Promise.all(Array.from({ length: 50 }, guess))) expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    proxy.heal()
  })

  test('eight connections in flight at once: none is lost and none is sent twice', { timeout: 60_000 }, async () => {
    const held = await Promise.all(Array.from({ length: 8 }, () => bench.hold('p4', 600)))
    await bench.fault('p4', { kind: 'hang', when: 'after', times: null })
    const pending = held.map((one) => bench.token(one, '?rejected_generation=1'))
    await expect.poll(() => bench.hanging(), { timeout: 10_000 }).toBe(held.length)
    proxy.cut()
    await bench.heal()
    const answers = await Promise.all(pending)
    expect(answers.map(({ status }) => status)).toEqual(held.map(() => 200))
    await bench.server.kill()
    proxy.heal()
    await bench.server.start()
    for (const [index, one] of held.entries()) await storedOnce(one, textAt(answers[index] ?? expect.fail('no answer'), 'access_token'))
  })
})
