import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at } from '../../packages/lab/src/http.ts'
import { type BenchNode, type Held, Workbench } from '../../packages/lab/src/workbench.ts'
import { freshDatabase } from '../fresh-database.ts'

const { database, skip } = await freshDatabase()
afterAll(() => database?.drop())

describe.skipIf(database === null)(`a node is lost, at the true waits${skip ?? ''}`, () => {
  let bench: Workbench
  let other: BenchNode
  beforeAll(async () => {
    const env = { EVERGRANT_NODE_ID: 'node-a' }
    bench = await Workbench.start({ timeScale: 1, profiles: { p0: 'P0', p4: 'P4' }, databaseUrl: database?.url ?? '', env })
    other = await bench.addNode({ EVERGRANT_NODE_ID: 'node-b' })
  })
  afterAll(() => bench?.dispose())

  /** The first node dies with the request on the wire. */
  async function killWhileHanging(held: Held): Promise<void> {
    await bench.fault(held.profile, { kind: 'hang', when: 'before', times: 1 })
    void bench.token(held, '?rejected_generation=1').catch(() => {})
    await expect.poll(() => bench.hanging(), { timeout: 10_000 }).toBe(1)
    await bench.server.kill()
    await bench.heal()
  }

  const generation = async (held: Held) => at((await other.api.get(`/connections/${held.connection}`)).body, 'generation')

  test('at P0 another node renews its connection within seconds, long before the lease would have ended', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p0', 600)
    await killWhileHanging(held)
    const lost = performance.now()
    await expect.poll(() => generation(held), { timeout: 25_000, interval: 250 }).toBe(2)
    expect(performance.now() - lost).toBeLessThan(25_000)
    await bench.server.start()
  })

  test('at P4 nobody touches its connection; the valid token is served, and the node takes it back when it starts again', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p4', 600)
    await killWhileHanging(held)
    const before = await bench.truth(held)
    await expect.poll(() => other.server.output(), { timeout: 25_000, interval: 250 }).toMatch(/"node":"node-a","freed":0,"left":1/)
    expect((await other.api.get(`/connections/${held.connection}/token`)).body).toMatchObject({ access_token: held.accessToken, generation: 1 })
    expect(await bench.truth(held)).toEqual(before)
    await bench.server.start()
    expect(bench.server.output()).toMatch(/"reclaimed":1/)
  })

  test('a second live process of the same id is refused at its start, naming the key and the remedy', { timeout: 60_000 }, async () => {
    await expect(bench.addNode({ EVERGRANT_NODE_ID: 'node-b' })).rejects.toThrow(
      /EVERGRANT_NODE_ID node-b is taken on this database: another process with this id is running. Give every node an EVERGRANT_NODE_ID of its own/,
    )
    expect((await other.api.get('/connections?limit=1')).status).toBe(200)
  })
})
