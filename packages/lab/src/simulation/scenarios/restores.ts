import assert from 'node:assert/strict'
import { HOUR, MINUTE, type Scenario, SECOND } from './scenario.ts'
import { Stage } from './stage.ts'
import { accessTokenOf } from './stage-provider.ts'

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
    id: 'claim-that-came-back',
    name: 'a claim that a failover brings back, long after it was answered, is freed by the node that it names, and its owner is told in time',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', neverProbe: true })
      const connection = await stage.connect()
      const [holder, other] = [await stage.node('node-1'), await stage.node('node-2')]
      stage.provider.steps.push({ kind: 'says', status: 500, body: 'oops', afterMs: 5 * SECOND })
      holder.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(SECOND)
      const behind = stage.snapshot()
      const { intent } = (await stage.row(connection)).credential
      await stage.time.advance(MINUTE)
      assert.equal((await stage.row(connection)).credential.lease, null)
      stage.restore(behind)
      for (const node of [holder, other]) node.engine.forget('all')
      const claimed = (await stage.row(connection)).credential
      assert.deepEqual([claimed.lease?.owner, claimed.intent?.id], ['node-1', intent?.id])
      await stage.time.advance(8 * MINUTE)
      assert.equal((await stage.row(connection)).credential.lease?.owner, 'node-1')
      await stage.time.advance(6 * MINUTE)
      const freed = await stage.row(connection)
      assert.deepEqual([freed.credential.lease, freed.credential.suspicion?.intent], [null, intent?.id])
      assert.equal(freed.connection.state, 'active')
      await stage.time.advance(HOUR)
      const ended = (await stage.row(connection)).connection
      assert.deepEqual([ended.state, ended.fault?.code], ['needs_reauth', 'refresh_outcome_lost'])
      assert.equal(stage.provider.presented.length, 1)
    },
  },
  {
    id: 'answered-claim-that-came-back',
    name: 'of a claim that a failover brings back, the answer that the journal has is stored, and nothing is presented twice',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', neverProbe: true })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'answers_after', ms: 5 * SECOND })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(SECOND)
      const behind = stage.snapshot()
      await stage.time.advance(MINUTE)
      stage.restore(behind)
      node.engine.forget('all')
      await stage.time.advance(14 * MINUTE)
      const { generation, lease, suspicion } = (await stage.row(connection)).credential
      assert.deepEqual([generation, lease, suspicion], [2, null, null])
      assert.equal(stage.provider.presented.filter(({ number }) => number === 1).length, 1)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'consent-after-a-restore',
    name: 'a consent into a database that went back is served, although tokens with higher numbers were served before',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', doubting: true })
      const connection = await stage.connect()
      const node = await stage.node()
      const backup = stage.snapshot()
      for (let times = 0; times < 2; times += 1) await stage.time.until(node.engine.refresh(stage.organization, connection.id), MINUTE)
      assert.equal((await node.read(connection)).generation, 3)
      stage.restore(backup)
      node.engine.forget('all')
      const { family } = await stage.reconnect(connection)
      await stage.time.advance(SECOND)
      // Whoever still holds a token of the history that is gone may have seen its number refused.
      for (const rejected of [null, 3]) {
        const { generation, accessToken } = await stage.time.until(node.read(connection, rejected), MINUTE)
        assert.deepEqual([generation, accessToken], [2, accessTokenOf(family, 1)])
      }
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
