import assert from 'node:assert/strict'
import { type ConnectionId, idFrom, newId } from '../../core/ids.ts'
import type { ConnectionSearch, ConnectionSort } from '../../core/observe/connection-search.ts'
import { parseEventQuery } from '../../core/observe/event-query.ts'
import { DAY, HOUR } from '../../core/time.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, faultAt, PAST, TestOrganization, tokens } from './test-organization.ts'

const CREATED: ConnectionSort = { by: 'created', down: true }

async function ids(org: TestOrganization, search: ConnectionSearch, sort: ConnectionSort = CREATED, limit = 50): Promise<readonly ConnectionId[]> {
  const found: ConnectionId[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<TestOrganization['store']['observed']['connections']>> = await org.store.observed.connections(
      org.organization,
      search,
      sort,
      {
        limit,
        cursor,
      },
    )
    found.push(...page.items.map(({ connection }) => connection.id))
    cursor = page.cursor
  } while (cursor !== null)
  return found
}

/** A connection of which the provider said no, with an access token that is over: degraded. */
async function troubled(org: TestOrganization): Promise<ConnectionId> {
  const id = await org.connect({}, null, tokens(1, { accessExpiresAt: PAST }))
  const intent = await org.claimed(id)
  await org.store.credentials.commitFailure(org.failure(id, intent))
  return id
}

async function ended(org: TestOrganization): Promise<ConnectionId> {
  const id = await org.connect()
  const intent = await org.claimed(id)
  await org.store.credentials.commitFailure(org.failure(id, intent, { effect: 'dead', fault: faultAt(PAST + 9, 'connection_revoked') }))
  return id
}

const searches: readonly StoreCase[] = [
  {
    name: 'a connection is found by its id, by how owner, account and label begin in any case, and by a whole tag',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const other = await TestOrganization.open(store, context)
      const anna = await org.connect({ owner: 'Anna-7', account: 'acc-ONE', accountLabel: 'Shop of Anna', tags: ['vip'] })
      const bert = await org.connect({ owner: 'bert', account: 'Annex', accountLabel: null, tags: [] })
      await other.connect({ owner: 'anna-8' })
      assert.deepEqual(await ids(org, { text: anna }), [anna])
      assert.deepEqual(await ids(other, { text: anna }), [])
      assert.deepEqual(await ids(org, { text: 'ANN' }), [bert, anna])
      assert.deepEqual(await ids(org, { text: 'acc-one' }), [anna])
      assert.deepEqual(await ids(org, { text: 'shop of' }), [anna])
      assert.deepEqual(await ids(org, { text: 'vip' }), [anna])
      assert.deepEqual(await ids(org, { text: 'vi' }), [])
      assert.deepEqual(await ids(org, { text: '%' }), [])
    },
  },
  {
    name: 'tags are found as they are now, not as they were',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const id = await org.connect({ tags: ['old', 'kept'] })
      await store.connections.patch(org.organization, id, { tags: ['kept', 'new', "it's"] }, null, org.event('connection.updated', id))
      const found = async (tag: string) => (await ids(org, { tag })).length
      assert.deepEqual([await found('old'), await found('kept'), await found('new'), await found("it's")], [0, 1, 1, 1])
    },
  },
  {
    name: 'each order has every connection once over all its pages, and the same the other way round',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const all: ConnectionId[] = []
      for (let index = 0; index < 7; index += 1) {
        const connection = org.newConnection({ accountLabel: ['b', 'A', 'a', null][index % 4] ?? null, account: `account-${index}` })
        const end = index % 3 === 0 ? { at: FUTURE + index * 10, warnAt: null } : undefined
        const more = end === undefined ? {} : { end }
        await store.connections.insert({
          connection,
          credential: tokens(1),
          dueAt: index % 2 === 0 ? FUTURE + (index % 4) : null,
          ...more,
          event: org.event('connection.created'),
        })
        all.push(connection.id)
      }
      all.push(await troubled(org), await ended(org))
      for (const by of ['created', 'account', 'status', 'expires', 'last_success', 'next'] as const) {
        for (const down of [false, true]) {
          const found = await ids(org, {}, { by, down }, 2)
          assert.deepEqual([...found].sort(), [...all].sort(), `${by} ${down}`)
          assert.deepEqual(await ids(org, {}, { by, down }, 200), found, `${by} ${down}`)
        }
      }
      assert.deepEqual((await ids(org, {}, { by: 'expires', down: false })).slice(0, 3), [all[0], all[3], all[6]])
      assert.deepEqual((await ids(org, {}, { by: 'expires', down: true })).slice(0, 3), [all[6], all[3], all[0]])
      assert.deepEqual((await ids(org, {}, { by: 'status', down: false })).slice(0, 2), [all[8], all[7]])
    },
  },
  {
    name: 'several statuses are one list in one order, and a cursor of another order is refused',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [well, weak, over] = [await org.connect(), await troubled(org), await ended(org)]
      const paused = await org.connect()
      await store.connections.setPaused(org.organization, paused, true, null, org.event('connection.paused', paused))
      assert.deepEqual(await ids(org, { statuses: ['needs_reauth', 'degraded', 'paused'] }, CREATED, 1), [paused, over, weak])
      assert.deepEqual(await ids(org, { statuses: ['active'] }), [well])
      assert.deepEqual(await ids(org, { statuses: [] }), [])
      assert.deepEqual(await ids(org, { code: 'connection_revoked' }), [over])
      const { cursor } = await store.observed.connections(org.organization, {}, { by: 'account', down: false }, { limit: 1, cursor: null })
      await assert.rejects(store.observed.connections(org.organization, {}, { by: 'next', down: false }, { limit: 1, cursor }), { code: 'invalid_request' })
    },
  },
  {
    name: 'a cursor of a search that was tampered with is refused as every other, whatever the database would make of it',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const id = await org.connect()
      const tampered: readonly (readonly [ConnectionSort['by'], readonly unknown[]])[] = [
        ...['abc', 1.5, 1e30, -1e30, null].map((key) => ['next', [0, key]] as const),
        ...['abc', 7].map((key) => ['expires', [1, key]] as const),
        ...['a\0', 'a\ud800', 7, null].map((key) => ['account', [0, key]] as const),
        ...['active', 7].map((key) => ['status', [0, key]] as const),
        ...[-1, 0.5, 1e30].map((stretch) => ['status', [stretch, null]] as const),
      ]
      for (const [by, place] of tampered) {
        const cursor = Buffer.from(JSON.stringify([by, ...place, id]), 'utf8').toString('base64url')
        const asked = store.observed.connections(org.organization, {}, { by, down: false }, { limit: 1, cursor })
        await assert.rejects(asked, { code: 'invalid_request' }, `${by} ${JSON.stringify(place)}`)
      }
    },
  },
  {
    name: 'the tally says how many are in which status for which reason, as the list does',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const second = org.newIntegration()
      await store.integrations.insert(second, org.event('integration.created'))
      await org.connect()
      await org.connect({ owner: 'somebody' })
      await troubled(org)
      await ended(org)
      await ended(org)
      await org.connect({ integration: second.id })
      await store.integrations.setBlocked(second.id, faultAt(PAST + 3, 'client_rejected'), org.event('integration.blocked'))
      const tally = async (search: ConnectionSearch) =>
        (await store.observed.tally(org.organization, search)).map(({ status, code, connections, since }) => `${status} ${code} ${connections} ${since}`).sort()
      assert.deepEqual(await tally({}), [
        'active null 2 null',
        `blocked client_rejected 1 ${PAST + 3}`,
        `degraded provider_unavailable 1 ${PAST + 7}`,
        `needs_reauth connection_revoked 2 ${PAST + 9}`,
      ])
      assert.deepEqual(await tally({ owner: 'somebody' }), ['active null 1 null'])
      assert.deepEqual(await tally({ statuses: ['blocked'], integrations: [second.id] }), [`blocked client_rejected 1 ${PAST + 3}`])
      assert.deepEqual(await ids(org, { statuses: ['blocked'] }), await ids(org, { integrations: [second.id] }))
    },
  },
  {
    name: 'ends and renewals are counted by bucket, and those behind a bucket are listed',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const make = async (ends: number | null, due: number | null) => {
        const connection = org.newConnection()
        await store.connections.insert({
          connection,
          credential: tokens(1),
          dueAt: due,
          end: { at: ends, warnAt: null },
          event: org.event('connection.created'),
        })
        return connection.id
      }
      const soon = await make(FUTURE + HOUR, null)
      const renewed = [await make(FUTURE + 3 * DAY, FUTURE + HOUR), await make(null, FUTURE + 2)]
      await make(FUTURE + 1, FUTURE + 2)
      const span = { from: FUTURE, to: FUTURE + 2 * DAY }
      const cells = async (what: 'ends' | 'renews') =>
        (await store.observed.expiries(org.organization, what, span, HOUR)).map(({ bucket, connections }) => [bucket, connections]).sort()
      assert.deepEqual(await cells('ends'), [
        [0, 1],
        [1, 1],
      ])
      assert.deepEqual(await cells('renews'), [
        [0, 1],
        [1, 1],
      ])
      // What ends before it would be renewed stands in no bucket of renewals, and in no list of them.
      for (const sort of [CREATED, { by: 'next', down: true } as const])
        assert.deepEqual(await ids(org, { renews: span, statuses: ['active'] }, sort), sort === CREATED ? renewed.toReversed() : renewed)
      assert.deepEqual(await store.observed.endingBefore(org.organization, FUTURE, [FUTURE + HOUR, FUTURE + DAY, FUTURE + 9 * DAY]), [1, 2, 3])
      assert.deepEqual(await ids(org, { ends: { from: FUTURE + 2, to: FUTURE + DAY } }, { by: 'expires', down: false }), [soon])
      assert.deepEqual(await ids(org, { ends: { from: FUTURE + 2, to: FUTURE + DAY } }), [soon])
    },
  },
]

const eventSearches: readonly StoreCase[] = [
  {
    name: 'events are found by every word of the query, and a negated word hides only what it names',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect({ owner: 'Zoe' })
      const event = (type: 'connection.refresh_failed' | 'api_key.created', more: object) => ({ ...org.event(type), ...more })
      const failed = event('connection.refresh_failed', { connection, data: { code: 'provider_unavailable' }, subject: 'itn_1' })
      const key = event('api_key.created', { actor: { kind: 'user', id: 'usr_7' }, subject: 'key_9' })
      await store.events.append(failed)
      await store.events.append(key)
      const found = async (text: string) => {
        const page = await store.observed.events(org.organization, parseEventQuery(text), { limit: 50, cursor: null })
        return page.items.map(({ id }) => id).filter((id) => id === failed.id || id === key.id)
      }
      for (const text of [
        `connection:${connection}`,
        'owner:Zoe',
        'owner:Z*',
        'code:provider_*',
        'type:connection.refresh_failed',
        'subject:itn_1',
        '-type:api_key.created -type:organization.* -type:integration.*',
      ])
        assert.deepEqual(await found(text), [failed.id], text)
      for (const text of ['actor:user', 'actor:usr_*', 'subject:key_9', '-connection:*', '-code:provider_unavailable', 'type:api_key.created -owner:Zoe'])
        assert.deepEqual(await found(text), [key.id], text)
      for (const text of ['provider:example', `connection:${connection} provider:ex*`]) assert.deepEqual(await found(text), [failed.id], text)
      for (const text of ['agent:*', 'owner:zoe', 'code:nothing', 'before:2001-01-01']) assert.deepEqual(await found(text), [], text)
      assert.deepEqual(await found('type:api_key.created type:connection.refresh_failed after:2001-01-01'), [key.id, failed.id])
    },
  },
  {
    name: 'events since one, of some types, and by number',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const { organization } = org
      const made = [org.event('agent.created'), org.event('agent.updated'), org.event('agent.created')]
      for (const event of made) await store.events.append(event)
      const seen = await store.observed.eventsSince(organization, made[0]?.id ?? '', 10)
      assert.deepEqual(
        seen.map(({ id }) => id),
        made.slice(1).map(({ id }) => id),
      )
      const some = await store.observed.eventsOfTypes(organization, ['agent.created'], 1)
      assert.deepEqual(
        some.map(({ id }) => id),
        [made[2]?.id],
      )
      assert.deepEqual(await store.observed.countEvents(organization, ['agent.created', 'agent.resumed'], 0, FUTURE), {
        'agent.created': 2,
        'agent.resumed': 0,
      })
    },
  },
]

const records: readonly StoreCase[] = [
  {
    name: 'an hour that is written again counts once, and folding keeps its sum',
    run: async (store, context) => {
      const { organization } = await TestOrganization.open(store, context)
      const hour = Math.floor(PAST / HOUR) * HOUR
      const row = (node: string, ok: number) => ({ organization, hour, provider: 'example', node, counts: { ok } })
      await store.observed.writeHistory([row('start a', 3), row('start b', 4)], 0)
      await store.observed.writeHistory([row('start a', 5)], 0)
      await store.observed.writeHistory([row('start c', 9)], hour + 1)
      const sum = async () => (await store.observed.history(organization, hour, hour + HOUR)).reduce((total, { counts }) => total + (counts.ok ?? 0), 0)
      assert.equal(await sum(), 9)
      while (await store.observed.foldHistory(hour + HOUR));
      assert.deepEqual(await store.observed.history(organization, hour, hour + HOUR), [{ ...row('', 9) }])
      await store.observed.forgetHistory(hour + 1, 500)
      assert.deepEqual(await store.observed.history(organization, 0, FUTURE), [])
    },
  },
  {
    name: 'a repair is told with the time since the end before it',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const id = await org.connect()
      await store.events.append({ ...org.event('connection.needs_reauth', id), at: PAST })
      const repaired = { ...org.event('connection.reconnected', id), at: PAST + 90_000 }
      await store.events.append(repaired)
      const found = await store.observed.reconnects(org.organization, 0, FUTURE, 10)
      assert.deepEqual(found, [{ connection: id, at: PAST + 90_000, brokenAt: PAST, works: true }])
      assert.equal(repaired.id > idFrom('evt', 0), true)
      const setup = await store.observed.setup(org.organization)
      assert.deepEqual(setup, { hasIntegration: true, hasConnection: true, hasRefresh: false, hasReconnect: true })
      assert.deepEqual(await store.observed.programs(org.organization, 0), { agents: 0, installations: 0, locked: 0, healed: 0 })
    },
  },
  {
    name: 'a bulk action is undone once, and only in its own organization',
    run: async (store, context) => {
      const { organization } = await TestOrganization.open(store, context)
      const other = await TestOrganization.open(store, context)
      const id = newId('blk', context.entropy)
      const action = { id, organization, action: 'pause', tag: null, connections: ['con_1' as const], at: PAST, undoUntil: PAST + 10, undoneAt: null }
      await store.observed.keepBulk({ ...action, connections: [] })
      await store.observed.keepBulk(action)
      assert.deepEqual(await store.observed.bulk(organization, id), action)
      assert.equal(await store.observed.bulk(other.organization, id), undefined)
      assert.deepEqual(
        [
          await store.observed.markUndone(other.organization, id, 5),
          await store.observed.markUndone(organization, id, 5),
          await store.observed.markUndone(organization, id, 6),
        ],
        [false, true, false],
      )
      await store.observed.forgetBulks(PAST + 1, 1_000)
      assert.equal(await store.observed.bulk(organization, id), undefined)
    },
  },
]

/** What operators look at. Cases look only at their own organization: the store is shared. */
export const observeCases: readonly StoreCase[] = [...searches, ...eventSearches, ...records]
