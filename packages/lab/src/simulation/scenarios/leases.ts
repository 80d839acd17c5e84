import assert from 'node:assert/strict'
import { BOTH_STORES, MINUTE, type Scenario, SECOND } from './scenario.ts'
import { Stage } from './stage.ts'

export const leases: readonly Scenario[] = [
  {
    id: 'paused-before-the-first-byte',
    name: 'a process stopped for longer than its lease, between its last check and the first byte, is not overtaken while it lives',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', lifetimeSeconds: 60 })
      const connection = await stage.connect()
      const stopped = await stage.node('node-1')
      await stage.node('node-2')
      stopped.pauseAtNextSend(15 * MINUTE)
      stopped.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(30 * MINUTE)
      assert.equal(stage.provider.overlapped, false)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'answer-in-the-journal-of-a-lost-node',
    name: 'what a lost node has only in its journal is not probed away by another node before it is back',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', lifetimeSeconds: 60 })
      const connection = await stage.connect()
      const first = await stage.node('node-1')
      await stage.node('node-2')
      first.engine.refresh(stage.organization, connection.id).catch(() => {})
      first.fault('commitGrant', 'refused', { times: 1_000 })
      await stage.time.advance(2 * SECOND)
      assert.equal(first.journal.records.length, 1)
      first.crash()
      await stage.time.advance(5 * MINUTE)
      await stage.node('node-1', first)
      await stage.time.advance(30 * MINUTE)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'late-claim-is-given-back',
    name: 'a claim whose acknowledgement came late is given back unsent: its lease may be over',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', lifetimeSeconds: 60 })
      const connection = await stage.connect()
      const node = await stage.node()
      node.fault('claim', 'slow_to_answer', { ms: 700 * SECOND })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(650 * SECOND)
      stage.lose(node.identity)
      const other = await stage.node('node-2')
      // One look at a free lock proves nothing: the first try is told that it is under way.
      other.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(30 * SECOND)
      await stage.time.until(other.engine.refresh(stage.organization, connection.id), MINUTE)
      await stage.time.advance(2 * MINUTE)
      const times = stage.provider.presented.filter((presented) => presented.number === 1).length
      assert.equal(times, 1, `the first refresh token was presented ${times} times`)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'release-of-another-lease',
    name: 'a late release frees nothing that belongs to another claim',
    stores: BOTH_STORES,
    async run(store) {
      const stage = await Stage.open({ reuse: 'P1', windowMs: 30 * SECOND, store })
      const connection = await stage.connect()
      const slow = await stage.node('node-1')
      slow.fault('claim', 'slow_to_answer', { ms: 20 * SECOND })
      slow.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(18 * SECOND)
      stage.lose(slow.identity)
      const other = await stage.node('node-2')
      stage.provider.steps.push({ kind: 'answers_after', ms: 8 * SECOND })
      other.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(1 * SECOND)
      const during = (await stage.row(connection)).credential
      assert.equal(during.lease?.owner, 'node-2')
      await stage.time.advance(2 * SECOND)
      const after = (await stage.row(connection)).credential
      assert.deepEqual([after.lease?.owner, after.intent?.id], ['node-2', during.intent?.id])
    },
  },
  {
    id: 'stale-plan',
    name: 'a plan made before another node spent the token does not start on it',
    stores: BOTH_STORES,
    async run(store) {
      const stage = await Stage.open({ reuse: 'P4', store })
      const connection = await stage.connect()
      const [first, second] = [await stage.node('node-1'), await stage.node('node-2')]
      // Both have read the row; the second claims only after the first was answered 500 by a provider that had rotated.
      stage.provider.steps.push({ kind: 'says', status: 500, body: 'oops', acts: true })
      second.pause()
      second.engine.refresh(stage.organization, connection.id).catch(() => {})
      const stale = await stage.store.credentials.read(connection.id)
      first.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(SECOND)
      assert.ok((await stage.row(connection)).credential.suspicion !== null)
      const { generation, epoch } = stale?.credential ?? { generation: 0, epoch: 0 }
      const outcome = await stage.store.credentials.claim({
        connection: connection.id,
        generation,
        epoch,
        node: second.identity,
        intent: `itn_${stage.entropy.uuid()}`,
        leaseMs: MINUTE,
      })
      assert.equal(outcome.kind, 'moved')
    },
  },
  {
    id: 'answer-outlives-its-lease',
    name: 'an answer that comes after its lease went to another node is applied, because generation and fingerprint decide',
    stores: BOTH_STORES,
    async run(store) {
      const stage = await Stage.open({ reuse: 'P1', windowMs: 30 * SECOND, store })
      const connection = await stage.connect()
      const slow = await stage.node('node-1')
      slow.fault('commitGrant', 'refused', { times: 1_000 })
      slow.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(18 * SECOND)
      stage.lose(slow.identity)
      const other = await stage.node('node-2')
      stage.provider.steps.push({ kind: 'request_lost' })
      other.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(2 * SECOND)
      assert.equal((await stage.row(connection)).credential.lease?.owner, 'node-2')
      slow.faults.length = 0
      await stage.time.advance(7 * SECOND)
      assert.equal((await stage.row(connection)).credential.generation, 2)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'own-leases-first',
    name: 'a node that starts again frees its own leases at once, and renews as soon as the orphan request is dead',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', lifetimeSeconds: 60 })
      const connection = await stage.connect()
      const first = await stage.node()
      stage.provider.steps.push({ kind: 'request_lost' })
      first.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(SECOND)
      first.crash()
      await stage.time.advance(5 * SECOND)
      await stage.node('node-1', first)
      assert.equal((await stage.row(connection)).credential.lease, null)
      await stage.time.advance(4 * MINUTE)
      assert.ok((await stage.row(connection)).credential.generation >= 2)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'orphan-becomes-suspicion',
    name: 'an intent that a later claim replaces is remembered as a suspicion',
    stores: BOTH_STORES,
    async run(store) {
      const stage = await Stage.open({ reuse: 'P2', store })
      const connection = await stage.connect()
      const first = await stage.node('node-1')
      stage.provider.steps.push({ kind: 'request_lost' })
      first.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(SECOND)
      const { intent } = (await stage.row(connection)).credential
      first.crash()
      await stage.time.advance(40 * SECOND)
      const second = await stage.node('node-2')
      stage.provider.steps.push({ kind: 'answers_after', ms: 5 * SECOND })
      second.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(SECOND)
      assert.equal((await stage.row(connection)).credential.suspicion?.intent, intent?.id)
    },
  },
]
