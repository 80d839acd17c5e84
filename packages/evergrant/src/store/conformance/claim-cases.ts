import assert from 'node:assert/strict'
import type { ConnectionId } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization, textOf } from './test-organization.ts'

export const claimCases: readonly StoreCase[] = [
  {
    name: 'of a hundred parallel claims on one connection exactly one holds',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => store.credentials.claim(org.claimRequest(connection))))
      assert.equal(outcomes.filter((outcome) => outcome.kind === 'claimed').length, 1)
      assert.equal(outcomes.filter((outcome) => outcome.kind === 'held').length, 99)
      const { credential } = await org.row(connection)
      assert.equal(credential.epoch, 1)
      assert.equal(credential.lease?.epoch, 1)
      assert.equal(credential.intent?.generation, 1)
    },
  },
  {
    name: 'a hundred parallel refresh loops leave a generation history without a gap',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const history: number[] = []
      await Promise.all(Array.from({ length: 100 }, () => refreshOnce(org, connection, history)))
      history.sort((left, right) => left - right)
      assert.deepEqual(
        history,
        Array.from({ length: 100 }, (_, index) => index + 2),
      )
      const { credential } = await org.row(connection)
      assert.equal(credential.generation, 101)
      assert.equal(textOf(credential.refreshToken), 'refresh 101')
    },
  },
  {
    name: 'a claim names generation and epoch, and is refused as moved when either is another one',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      assert.deepEqual(await store.credentials.claim(org.claimRequest(connection, { generation: 2 })), { kind: 'moved', generation: 1 })
      assert.deepEqual(await store.credentials.claim(org.claimRequest(connection, { epoch: 3 })), { kind: 'moved', generation: 1 })
      assert.equal((await org.row(connection)).credential.intent, null)
    },
  },
  {
    name: 'a claim repeated with its own intent gets its own answer again',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const request = org.claimRequest(connection)
      const first = await store.credentials.claim(request)
      assert.equal(first.kind, 'claimed')
      assert.deepEqual(await store.credentials.claim(request), first)
    },
  },
  {
    name: 'paused, disconnected and unknown connections cannot be claimed',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const paused = await org.connect({ state: 'paused' })
      const ended = await org.connect({ state: 'disconnected' })
      const unknown = org.newConnection().id
      for (const connection of [paused, ended, unknown]) {
        assert.deepEqual(await store.credentials.claim(org.claimRequest(connection)), { kind: 'gone' })
      }
    },
  },
  {
    name: 'a claim puts the due time at the end of its lease',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect({}, PAST)
      await org.claimed(connection)
      const { credential, health } = await org.row(connection)
      assert.equal(health.dueAt, credential.lease?.until)
      assert.equal((credential.lease?.until ?? 0) - (credential.intent?.at ?? 0), 60_000)
    },
  },
  {
    name: 'an intent that a later claim overwrites becomes the suspicion, and an older suspicion stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const first = await org.claimed(connection, { leaseMs: 0 })
      const firstAt = (await org.row(connection)).credential.intent?.at
      const second = await org.claimed(connection, { leaseMs: 0, epoch: 1 })
      assert.deepEqual((await org.row(connection)).credential.suspicion, { intent: first, at: firstAt, answered: false })
      const third = await org.claimed(connection, { epoch: 2 })
      const { credential } = await org.row(connection)
      assert.deepEqual(credential.suspicion, { intent: first, at: firstAt, answered: false })
      assert.equal(credential.intent?.id, third)
      assert.notEqual(second, third)
    },
  },
  {
    name: 'a claim that asks for quiet keeps it when its holder is reclaimed; an outcome or a release ends it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const node = org.node()
      await org.claimed(connection, { node, quietMs: 90_000 })
      const claimed = await org.row(connection)
      assert.equal(claimed.health.nextAttemptAt, (claimed.credential.intent?.at ?? 0) + 90_000)
      await store.credentials.reclaim({ ...node, incarnation: 'next' })
      assert.equal((await org.row(connection)).health.nextAttemptAt, claimed.health.nextAttemptAt)
      const again = await org.claimed(connection, { epoch: 1 })
      assert.equal((await org.row(connection)).health.nextAttemptAt, claimed.health.nextAttemptAt)
      await store.credentials.release(connection, again, PAST)
      assert.equal((await org.row(connection)).health.nextAttemptAt, null)
    },
  },
  {
    name: 'release gives back the lease of its own intent and no other',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const intent = await org.claimed(connection)
      await store.credentials.release(connection, org.intent(), PAST)
      assert.equal((await org.row(connection)).credential.intent?.id, intent)
      await store.credentials.release(connection, intent, FUTURE)
      const { credential, health } = await org.row(connection)
      assert.equal(credential.intent, null)
      assert.equal(credential.lease, null)
      assert.equal(credential.suspicion, null)
      assert.equal(credential.epoch, 1)
      assert.equal(health.dueAt, FUTURE)
    },
  },
  {
    name: 'reclaim frees the leases of earlier incarnations of this node and of nobody else',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const mine = await org.connect()
      const newer = await org.connect()
      const foreign = await org.connect()
      const intent = await org.claimed(mine)
      await org.claimed(newer, { node: org.node('node-a', '2') })
      await org.claimed(foreign, { node: org.node('node-b', '1') })
      const at = (await org.row(mine)).credential.intent?.at
      assert.equal(await store.credentials.reclaim(org.node('node-a', '2')), 1)
      const { credential, health } = await org.row(mine)
      assert.equal(credential.lease, null)
      assert.equal(credential.intent, null)
      assert.deepEqual(credential.suspicion, { intent, at, answered: false })
      assert.ok((health.dueAt ?? FUTURE) < FUTURE)
      assert.notEqual((await org.row(newer)).credential.lease, null)
      assert.notEqual((await org.row(foreign)).credential.lease, null)
    },
  },
  {
    name: 'one forgotten lease of this node is freed: its own only when it is over, an earlier life’s at once, and never under another epoch',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const node = org.node('forgetful', '2')
      const free = (connection: ConnectionId, epoch = 1) => store.credentials.reclaimForgotten(connection, node, epoch)
      const [over, standing, earlier, foreign] = [await org.connect(), await org.connect(), await org.connect(), await org.connect()]
      const intent = await org.claimed(over, { node, leaseMs: 0 })
      await org.claimed(standing, { node, leaseMs: 600_000 })
      await org.claimed(earlier, { node: org.node('forgetful', '1'), leaseMs: 600_000 })
      await org.claimed(foreign, { node: org.node('another', '2'), leaseMs: 0 })
      const at = (await org.row(over)).credential.intent?.at
      assert.equal(await free(over, 2), false)
      assert.deepEqual([await free(over), await free(standing), await free(earlier), await free(foreign)], [true, false, true, false])
      const { credential, health } = await org.row(over)
      assert.deepEqual([credential.lease, credential.intent, credential.epoch], [null, null, 1])
      assert.deepEqual(credential.suspicion, { intent, at, answered: false })
      assert.ok((health.dueAt ?? FUTURE) < FUTURE)
      assert.equal(await free(over), false)
      assert.deepEqual(await store.nodes.leasesOf(node.id, null, 10), [standing])
    },
  },
]

/** Claims and commits once, starting over for as long as others are faster. */
async function refreshOnce(org: TestOrganization, connection: ConnectionId, history: number[]): Promise<void> {
  for (;;) {
    const { credential } = await org.row(connection)
    const request = org.claimRequest(connection, { generation: credential.generation, epoch: credential.epoch })
    const claim = await org.store.credentials.claim(request)
    if (claim.kind !== 'claimed') continue
    const outcome = await org.store.credentials.commitGrant(org.grant(connection, request.intent, credential.generation))
    assert.equal(outcome.kind, 'applied')
    if (outcome.kind === 'applied') history.push(outcome.generation)
    return
  }
}
