import assert from 'node:assert/strict'
import { newId } from '../../core/ids.ts'
import type { SealedCursor, Sweep } from '../../core/operate/operations.ts'
import type { Store } from '../contract.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization, tokens } from './test-organization.ts'

const sealed = (key: string): Uint8Array => new Uint8Array([1, key.length, ...new TextEncoder().encode(key), ...Array<number>(44).fill(7)])

/** As late as ids are: a test's clock need not be the one that ids follow. */
async function started(org: TestOrganization): Promise<Sweep> {
  const { store, context, organization } = org
  const id = newId('swp', context.entropy)
  const startedAt = Number.parseInt(id.slice(4, 12) + id.slice(13, 17), 16)
  const sweep = { id, organization, startedBy: { kind: 'cli', id: null } as const, startedAt }
  return store.operations.startSweep(sweep, { ...org.event('sweep.started'), subject: sweep.id })
}

async function census(store: Store): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  let cursor: SealedCursor | null = null
  do {
    const slice: Awaited<ReturnType<Store['operations']['sealedSlice']>> = await store.operations.sealedSlice(cursor)
    for (const [key, count] of slice.counts) counts.set(key, (counts.get(key) ?? 0) + count)
    cursor = slice.next
  } while (cursor !== null)
  return counts
}

/** What operators start and ask of the whole server. */
export const operationCases: readonly StoreCase[] = [
  {
    name: 'a sweep counts what is due of its organization, and of nobody else',
    run: async (store, context) => {
      const [org, other] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      const due = await org.connect({}, PAST)
      await org.connect({}, FUTURE)
      await other.connect({}, PAST)
      const sweep = await started(org)
      assert.deepEqual([sweep.due, sweep.progress.remaining, sweep.finishedAt], [1, 1, null])
      assert.equal((await store.operations.measureSweep(sweep)).remaining, 1)
      // Under way is not over.
      const intent = await org.claimed(due)
      await org.due(due, FUTURE)
      assert.equal((await store.operations.measureSweep(sweep)).remaining, 1)
      await store.credentials.commitGrant(org.grant(due, intent, 1))
      const progress = await store.operations.measureSweep(sweep)
      assert.deepEqual(progress, { remaining: 0, refreshed: 1, failed: 0, needsOwner: 0 })
      assert.deepEqual((await store.operations.sweep(org.organization, sweep.id))?.progress, progress)
      assert.equal(await store.operations.sweep(other.organization, sweep.id), undefined)
      assert.deepEqual(await store.operations.sweeps(other.organization, 10), [])
    },
  },
  {
    name: 'of many that finish a sweep one does, and writes the event',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const sweep = await started(org)
      assert.ok((await store.operations.openSweeps(1_000)).some(({ id }) => id === sweep.id))
      const finish = () => store.operations.finishSweep(sweep, PAST + 5, { ...org.event('sweep.finished'), subject: sweep.id })
      assert.deepEqual((await Promise.all([finish(), finish(), finish()])).filter(Boolean), [true])
      const { items } = await store.events.list(org.organization, { subject: sweep.id }, { limit: 10, cursor: null })
      assert.deepEqual(
        items.map(({ type }) => type),
        ['sweep.finished', 'sweep.started'],
      )
      assert.equal((await store.operations.sweeps(org.organization, 10))[0]?.finishedAt, PAST + 5)
      assert.ok(!(await store.operations.openSweeps(1_000)).some(({ id }) => id === sweep.id))
      await store.operations.forgetSweeps(PAST + 6, 1_000)
      assert.deepEqual(await store.operations.sweeps(org.organization, 10), [])
    },
  },
  {
    name: 'the work that waits is counted by kind, and the oldest is named',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const before = await store.operations.workload()
      const connection = await org.connect({}, 5)
      const after = await store.operations.workload()
      assert.deepEqual([after.due, after.oldestDueAt], [before.due + 1, 5])
      await org.claimed(connection)
      assert.equal((await store.operations.workload()).leased, before.leased + 1)
      await org.due(connection, FUTURE)
      assert.equal((await store.operations.workload()).due, before.due)
    },
  },
  {
    name: 'sealed values are counted by the id of the key that sealed them; what is not sealed counts nowhere',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const before = await census(store)
      await org.connect({}, null, tokens(1, { accessToken: sealed('census-a'), refreshToken: sealed('census-b') }))
      await org.connect({}, null, tokens(1, { accessToken: sealed('census-a') }))
      const after = await census(store)
      const grown = [...after].filter(([key, count]) => count !== (before.get(key) ?? 0)).map(([key, count]) => [key, count - (before.get(key) ?? 0)])
      assert.deepEqual(
        new Map(grown as [string, number][]),
        new Map([
          ['census-a', 2],
          ['census-b', 1],
        ]),
      )
    },
  },
]
