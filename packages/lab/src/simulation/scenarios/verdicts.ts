import assert from 'node:assert/strict'
import { BOTH_STORES, HOUR, MINUTE, type Scenario, SECOND } from './scenario.ts'
import { Stage } from './stage.ts'

const REFUSED = '{"error":"invalid_grant"}'

export const verdicts: readonly Scenario[] = [
  {
    id: 'client-refused',
    name: 'a refused client secret ends no grant',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const connections = [await stage.connect(), await stage.connect(), await stage.connect()]
      const node = await stage.node()
      for (let times = 0; times < 6; times += 1) stage.provider.steps.push({ kind: 'says', status: 401, body: '{"error":"invalid_client"}' })
      for (const connection of connections) node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(HOUR)
      for (const connection of connections) await stage.assertAlive(connection)
    },
  },
  {
    id: 'verdict-about-an-old-token',
    name: 'a refusal of a token that was replaced meanwhile ends nothing',
    stores: BOTH_STORES,
    async run(store) {
      const stage = await Stage.open({ reuse: 'P4', store })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'says', status: 400, body: REFUSED, afterMs: 20 * SECOND })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(5 * SECOND)
      await stage.reconnect(connection)
      await stage.time.advance(MINUTE)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'many-refusals-at-once',
    name: 'a provider that calls everybody dead at once is not believed at once',
    async run() {
      const stage = await Stage.open({ reuse: 'P0' })
      const connections = []
      for (let count = 0; count < 30; count += 1) connections.push(await stage.connect())
      const node = await stage.node()
      for (let times = 0; times < 30; times += 1) stage.provider.steps.push({ kind: 'says', status: 400, body: REFUSED })
      for (const connection of connections) node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(MINUTE)
      const states = await Promise.all(connections.map(async (connection) => (await stage.row(connection)).connection.state))
      const ended = states.filter((state) => state === 'needs_reauth').length
      assert.ok(ended <= 5, `${ended} of 30 were ended within a minute`)
    },
  },
  {
    id: 'refused-clients-are-no-deaths',
    name: 'refusals of the client secret are not counted as deaths of grants',
    async run() {
      const stage = await Stage.open({ reuse: 'P0' })
      const connections = []
      for (let count = 0; count < 9; count += 1) connections.push(await stage.connect())
      const node = await stage.node()
      for (let times = 0; times < 8; times += 1) stage.provider.steps.push({ kind: 'says', status: 401, body: '{"error":"invalid_client"}' })
      for (const connection of connections.slice(0, 8)) node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(2 * MINUTE)
      const integration = await stage.store.integrations.load(stage.integration)
      assert.equal(integration?.deathsHeld, null)
      for (const connection of connections) await stage.assertAlive(connection)
    },
  },
]
