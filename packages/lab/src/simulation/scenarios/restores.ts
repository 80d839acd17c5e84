import assert from 'node:assert/strict'
import { MINUTE, type Scenario, SECOND } from './scenario.ts'
import { Stage } from './stage.ts'

export const restores: readonly Scenario[] = [
  {
    id: 'database-went-back',
    name: 'a database that went back in time presents no spent token of a single-use provider',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', doubting: true })
      const connection = await stage.connect()
      const node = await stage.node()
      const backup = stage.snapshot()
      await stage.time.until(node.engine.refresh(stage.organization, connection.id), MINUTE)
      await stage.time.advance(10 * MINUTE)
      stage.restore(backup)
      node.engine.forget('all')
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(MINUTE)
      const spent = stage.provider.presented.filter((presented) => presented.number === 1).length
      assert.equal(spent, 1, `the spent token was presented ${spent - 1} times more`)
      assert.equal(stage.provider.families[connection.family]?.alive, true)
    },
  },
  {
    id: 'journal-replayed-again-and-again',
    name: 'a journal that is replayed at every start changes the row once',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const connection = await stage.connect()
      let node = await stage.node()
      node.fault('commitGrant', 'refused', { times: 1_000 })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(5 * SECOND)
      node.journal.settle = () => {}
      const rows = []
      for (let start = 0; start < 3; start += 1) {
        node.crash()
        await stage.time.advance(SECOND)
        node = await stage.node('node-1', node)
        await stage.time.advance(SECOND)
        rows.push((await stage.row(connection)).credential)
      }
      assert.equal(rows[0]?.generation, 2)
      assert.deepEqual(rows[1], rows[0])
      assert.deepEqual(rows[2], rows[0])
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'moved-ciphertext',
    name: 'a sealed token that was moved to another connection, or to another generation, opens nowhere',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const [from, to] = [await stage.connect(), await stage.connect()]
      const node = await stage.node()
      const { credential } = await stage.row(from)
      await stage.store.connections.replaceGrant({
        organization: stage.organization,
        connection: to.id,
        expectedGeneration: 1,
        credential,
        account: null,
        accountLabel: null,
        scopes: null,
        variables: {},
        facts: {},
        consentedAt: stage.time.clock.wall(),
        dueAt: null,
        event: stage.event('connection.reconnected', to.id),
      })
      await assert.rejects(node.read(to))
      await assert.rejects(stage.time.until(node.engine.refresh(stage.organization, to.id), MINUTE))
      assert.deepEqual(stage.provider.presented, [])
    },
  },
]
