import assert from 'node:assert/strict'
import { type ConnectionId, newId } from '../../core/ids.ts'
import type { EndGrants, ReportedBehind } from '../../core/refresh/lineage.ts'
import type { Store } from '../contract.ts'
import type { StoreCase, StoreContext } from './store-case.ts'
import { FUTURE, faultAt, PAST, TestOrganization, tokens } from './test-organization.ts'

const FIRST = { instance: 'drawn-first', home: { id: 'home-1', name: 'one', timeline: 1 } }

/** Whatever an earlier case left, the store is trusted and at home when the next one begins. */
async function trusted(store: Store, org: TestOrganization): Promise<void> {
  await store.lineages.open(FIRST)
  await store.lineages.confirm(FIRST.home, null, org.event('database.confirmed'))
}

const endOf = (context: StoreContext, limit = 10): EndGrants => ({
  limit,
  fault: faultAt(PAST + 3, 'rotated_after_backup'),
  events: Array.from({ length: limit }, () => newId('evt', context.entropy)),
  event: { at: PAST + 3, actor: { kind: 'system', id: null } },
})

const reportedOf = async (store: Store, connection: ConnectionId): Promise<ReportedBehind | undefined> =>
  (await store.lineages.reported(10_000)).find((one) => one.connection === connection)

async function countOf(org: TestOrganization, type: string): Promise<number> {
  const { items } = await org.store.events.list(org.organization, {}, { limit: 200, cursor: null })
  return items.filter((event) => event.type === type).length
}

/** Which database this is, and what happens when it is not the newest. */
export const lineageCases: readonly StoreCase[] = [
  {
    name: 'a database names itself once',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      await trusted(store, org)
      const opened = await store.lineages.open(FIRST)
      assert.deepEqual(await store.lineages.open({ instance: 'drawn-later', home: null }), opened)
      assert.equal(opened.trusted, 'trusted')
    },
  },
  {
    name: 'a tick is raised by the one who knows it, and told to everybody else',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      await trusted(store, org)
      const node = org.node().id
      assert.equal((await store.lineages.tick(node, 1)).before, null)
      assert.equal((await store.lineages.firstTick(node)).tick, 1)
      assert.equal((await store.lineages.tick(node, 1)).before, 1)
      assert.equal((await store.lineages.tick(node, 1)).before, 2)
      assert.equal((await store.lineages.tick(node, 2)).before, 2)
      assert.equal((await store.lineages.firstTick(node)).tick, 4)
    },
  },
  {
    name: 'the trust ends once, with one event, until it is confirmed in a new era',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      await trusted(store, org)
      const { era } = await store.lineages.open(FIRST)
      assert.equal(await store.lineages.distrust('restored', 'a reason', org.event('database.restored')), true)
      assert.equal(await store.lineages.distrust('cloned', 'another', org.event('database.cloned')), false)
      const { lineage } = await store.lineages.tick(org.node().id, 7)
      assert.deepEqual([lineage.trusted, lineage.reason, lineage.era], ['restored', 'a reason', era])
      assert.ok(lineage.since !== null && lineage.since > PAST)
      const home = { id: 'home-2', name: 'two', timeline: null }
      const confirmed = await store.lineages.confirm(home, 'drawn-again', org.event('database.confirmed'))
      assert.deepEqual([confirmed.trusted, confirmed.reason, confirmed.since], ['trusted', null, null])
      assert.deepEqual([confirmed.era, confirmed.instance, confirmed.home], [era + 1, 'drawn-again', home])
      await store.lineages.confirm(home, 'not-again', org.event('database.confirmed'))
      assert.deepEqual([await countOf(org, 'database.restored'), await countOf(org, 'database.confirmed'), await countOf(org, 'database.cloned')], [1, 1, 0])
    },
  },
  {
    name: 'another timeline of the same home is noted with one event',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      await trusted(store, org)
      const home = { ...((await store.lineages.open(FIRST)).home ?? FIRST.home), timeline: 9 }
      await store.lineages.move(home, org.event('database.moved'))
      await store.lineages.move(home, org.event('database.moved'))
      assert.deepEqual((await store.lineages.open(FIRST)).home, home)
      assert.equal(await countOf(org, 'database.moved'), 1)
    },
  },
  {
    name: 'generations are told for the connections that exist',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const found = await store.lineages.generationsOf([connection, 'con_unknown'])
      assert.deepEqual(found, [{ connection, generation: 1, fingerprint: 'fingerprint 1' }])
    },
  },
  {
    name: 'what is behind ends once, except where its owner granted again or it moved past its mark',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      await trusted(store, org)
      const [stale, again, moved, paused] = [await org.connect(), await org.connect(), await org.connect(), await org.connect({ state: 'paused' })]
      await store.lineages.distrust('restored', 'a reason', org.event('database.restored'))
      const node = org.node().id
      const behind = [stale, again, moved, paused].map((connection) => ({ connection, marked: 3, stored: 1 }))
      await store.lineages.report(node, 1, [...behind, { connection: 'con_gone', marked: 2, stored: null }])
      await granted(org, again, 1, FUTURE)
      await granted(org, moved, 1, PAST)
      await granted(org, moved, 2, PAST)
      await granted(org, moved, 3, PAST)
      assert.deepEqual(await reportedOf(store, 'con_gone'), {
        connection: 'con_gone',
        marked: 2,
        stored: null,
        organization: null,
        owner: null,
        integration: null,
        mended: false,
      })
      assert.deepEqual(
        [(await reportedOf(store, stale))?.mended, (await reportedOf(store, again))?.mended, (await reportedOf(store, moved))?.mended],
        [false, true, true],
      )
      assert.equal(await store.lineages.endBehind(endOf(context, 1)), 1)
      assert.equal(await store.lineages.endBehind(endOf(context)), 1)
      assert.equal(await store.lineages.endBehind(endOf(context)), 0)
      const states = await Promise.all([stale, again, moved, paused].map(async (id) => (await org.row(id)).connection))
      assert.deepEqual(
        states.map(({ state }) => state),
        ['needs_reauth', 'active', 'active', 'needs_reauth'],
      )
      assert.equal(states[0]?.fault?.code, 'rotated_after_backup')
      assert.equal((await org.row(stale)).health.dueAt, null)
      assert.equal(await countOf(org, 'connection.needs_reauth'), 2)
      assert.equal((await store.lineages.nodes()).find((one) => one.node === node)?.comparedEra, 1)
      await store.lineages.confirm(FIRST.home, null, org.event('database.confirmed'))
      assert.deepEqual(await store.lineages.reported(10), [])
      assert.deepEqual(await store.lineages.nodes(), [])
    },
  },
  {
    name: 'who still has to look at what another brought forward is told, until it has looked',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      await trusted(store, org)
      const [moved, ended, again] = [await org.connect(), await org.connect(), await org.connect()]
      await store.lineages.distrust('restored', 'a reason', org.event('database.restored'))
      const [node, other] = [org.node().id, `${org.node().id}-other`]
      const behind = [moved, ended, again].map((connection) => ({ connection, marked: 4, stored: 1 }))
      await store.lineages.report(node, 1, [...behind, { connection: 'con_gone', marked: 2, stored: null }])
      await store.lineages.report(other, 1, behind)
      const rolling = async (of: string) => (await store.lineages.rolling()).find((one) => one.node === of)?.connections ?? 0
      assert.equal(await rolling(node), 0)
      await granted(org, moved, 1, PAST)
      await granted(org, again, 1, FUTURE)
      assert.deepEqual([await rolling(node), await rolling(other)], [1, 1])
      await store.lineages.reportAgain(node, [moved], [{ connection: moved, marked: 4, stored: 2 }])
      assert.deepEqual([await rolling(node), await rolling(other)], [0, 1])
      assert.equal((await reportedOf(store, moved))?.mended, false)
      await granted(org, moved, 2, PAST)
      await granted(org, moved, 3, PAST)
      for (const one of [node, other]) await store.lineages.reportAgain(one, [moved], [])
      assert.equal(await reportedOf(store, moved), undefined)
      assert.equal(await store.lineages.endBehind(endOf(context)), 1)
      await store.lineages.reportAgain(node, [ended], [])
      assert.deepEqual([await rolling(node), await rolling(other)], [0, 0])
      assert.equal((await org.row(ended)).connection.fault?.code, 'rotated_after_backup')
      await store.lineages.confirm(FIRST.home, null, org.event('database.confirmed'))
    },
  },
  {
    name: 'an answer lifts no end that an operator confirmed, and is kept',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      await trusted(store, org)
      const [given, copied] = [await org.connect(), await org.connect()]
      const intents = [await org.claimed(given), await org.claimed(copied)] as const
      await store.lineages.distrust('restored', 'a reason', org.event('database.restored'))
      await store.lineages.report(org.node().id, 1, [{ connection: given, marked: 3, stored: 1 }])
      assert.equal(await store.lineages.endBehind(endOf(context)), 1)
      await store.credentials.commitFailure(org.failure(copied, org.intent(), { effect: 'dead', fault: faultAt(PAST + 9, 'grant_kept_elsewhere') }))
      for (const [index, connection] of [given, copied].entries()) {
        const commit = org.grant(connection, intents[index] ?? intents[0], 1)
        assert.deepEqual(await store.credentials.commitGrant(commit), { kind: 'superseded', generation: 1 })
        assert.deepEqual(await store.credentials.commitGrant(commit), { kind: 'superseded', generation: 1 })
        const row = await org.row(connection)
        assert.deepEqual([row.connection.state, row.credential.generation], ['needs_reauth', 1])
      }
      const kept = await store.credentials.unappliedAnswers(org.organization, 10)
      assert.deepEqual(new Set(kept.map(({ connection }) => connection)), new Set([given, copied]))
      await granted(org, given, 1, FUTURE)
      assert.equal((await org.row(given)).connection.state, 'active')
      await store.lineages.confirm(FIRST.home, null, org.event('database.confirmed'))
    },
  },
]

/** Stores the next generation, as a reconnect at `consentedAt` does. */
async function granted(org: TestOrganization, connection: ConnectionId, expectedGeneration: number, consentedAt: number): Promise<void> {
  const outcome = await org.store.connections.replaceGrant({
    organization: org.organization,
    connection,
    expectedGeneration,
    credential: tokens(expectedGeneration + 1),
    account: null,
    accountLabel: null,
    scopes: null,
    variables: {},
    facts: {},
    consentedAt,
    dueAt: null,
    event: org.event('connection.reconnected', connection),
  })
  assert.equal(outcome.kind, 'replaced')
}
