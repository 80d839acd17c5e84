import assert from 'node:assert/strict'
import type { ConnectionId } from '../../core/ids.ts'
import type { SealedCursor } from '../../core/operate/operations.ts'
import type { SealedValue } from '../../core/operate/reseals.ts'
import type { Store } from '../contract.ts'
import type { StoreCase } from './store-case.ts'
import { TestOrganization, tokens } from './test-organization.ts'

const sealed = (key: string, fill = 7): Uint8Array => new Uint8Array([1, key.length, ...new TextEncoder().encode(key), ...Array<number>(44).fill(fill)])

/** What other keys than this one sealed, of one connection. */
async function ofConnection(store: Store, key: string, connection: ConnectionId): Promise<readonly SealedValue[]> {
  const values: SealedValue[] = []
  let cursor: SealedCursor | null = null
  do {
    const slice: Awaited<ReturnType<Store['reseals']['sealedByOthers']>> = await store.reseals.sealedByOthers(cursor, key)
    values.push(...slice.values.filter((value) => value.key[0] === connection))
    cursor = slice.next
  } while (cursor !== null)
  return values
}

async function begun(org: TestOrganization, key: string, at: number) {
  const startedBy = { kind: 'cli', id: null } as const
  return org.store.reseals.start({ key, organization: org.organization, startedBy, startedAt: at }, { ...org.event('keys.reseal_started'), subject: key })
}

const LATE = 4_000_000_000_000

/** Sealing everything anew with another master key. The latest of them is one row for the whole database, so these begin late. */
export const resealCases: readonly StoreCase[] = [
  {
    name: 'what another key sealed is found with what it is bound to, and what this key sealed is not',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect({}, null, tokens(1, { accessToken: sealed('old'), refreshToken: sealed('new') }))
      const found = await ofConnection(store, 'new', connection)
      assert.deepEqual(
        found.map(({ column, context }) => [column, context]),
        [['access_token', { organization: org.organization, table: 'credential', row: `${connection}#1`, column: 'access_token' }]],
      )
      assert.deepEqual([...(found[0]?.sealed ?? [])], [...sealed('old')])
    },
  },
  {
    name: 'a value is swapped while it is what it was; one that was written meanwhile stays, and both count as touched',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect({}, null, tokens(1, { accessToken: sealed('a-old'), refreshToken: sealed('a-old') }))
      const values = await ofConnection(store, 'a-new', connection)
      await begun(org, 'a-new', LATE)
      assert.ok((await store.reseals.claim('a-new', 'n1', LATE, LATE + 10)) !== undefined)
      const intent = await org.claimed(connection)
      // The refresh wins: its answer has the next generation, whatever was read before it.
      const newer = tokens(2, { accessToken: sealed('a-old', 9), refreshToken: sealed('a-new', 9) })
      await store.credentials.commitGrant({ ...org.grant(connection, intent, 1), credential: newer })
      const swaps = values.map(({ source, column, key, sealed: was }) => ({ source, column, key, was, is: sealed('a-new') }))
      const step = { key: 'a-new', holder: 'n1', heldUntil: LATE + 20, swaps, unopened: 0, next: null }
      const after = await store.reseals.advance(step)
      assert.deepEqual([after?.done, after?.touched, after?.cursor], [0, 2, null])
      const credential = (await store.credentials.read(connection))?.credential
      assert.deepEqual([credential?.accessToken?.at(-1), credential?.refreshToken?.at(-1), credential?.generation], [9, 9, 2])
      const again = await ofConnection(store, 'a-new', connection)
      assert.deepEqual(
        again.map(({ context }) => context.row),
        [`${connection}#2`],
      )
      const done = await store.reseals.advance({
        ...step,
        swaps: again.map(({ source, column, key, sealed: was }) => ({ source, column, key, was, is: sealed('a-new') })),
      })
      assert.deepEqual([done?.done, done?.touched], [1, 1])
      assert.deepEqual(await ofConnection(store, 'a-new', connection), [])
    },
  },
  {
    name: 'one of them goes on: it is begun once, one node holds it until its time is over, and one for another key ends it',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [first, second] = await Promise.all([begun(org, 'b-one', LATE + 100), begun(org, 'b-one', LATE + 101)])
      assert.equal(first.startedAt, second.startedAt)
      const { items } = await store.events.list(org.organization, { subject: 'b-one' }, { limit: 10, cursor: null })
      assert.deepEqual(
        items.map(({ type }) => type),
        ['keys.reseal_started'],
      )
      await store.reseals.count('b-one', 12)
      await store.reseals.count('b-one', 13)
      assert.equal((await store.reseals.claim('b-one', 'n1', LATE, LATE + 10))?.total, 12)
      assert.equal(await store.reseals.claim('b-one', 'n2', LATE + 9, LATE + 19), undefined)
      assert.equal((await store.reseals.claim('b-one', 'n1', LATE + 9, LATE + 19))?.holder, 'n1')
      assert.equal((await store.reseals.claim('b-one', 'n2', LATE + 19, LATE + 29))?.holder, 'n2')
      const step = { key: 'b-one', heldUntil: LATE + 40, swaps: [], unopened: 2, next: { source: 3, after: ['x'] } }
      assert.equal(await store.reseals.advance({ ...step, holder: 'n1' }), undefined)
      assert.deepEqual((await store.reseals.advance({ ...step, holder: 'n2' }))?.cursor, { source: 3, after: ['x'] })
      assert.equal((await store.reseals.advance({ ...step, holder: 'n2', unopened: 1 }))?.unopened, 3)
      await begun(org, 'b-two', LATE + 200)
      assert.equal(await store.reseals.claim('b-one', 'n2', LATE + 50, LATE + 60), undefined)
      assert.equal((await store.reseals.latest())?.key, 'b-two')
      // Back to the first: it begins anew.
      assert.deepEqual([(await begun(org, 'b-one', LATE + 300)).done, (await store.reseals.latest())?.total], [0, null])
    },
  },
  {
    name: 'it ends when a whole pass touched nothing, once, with its event',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      await begun(org, 'c-one', LATE + 400)
      await store.reseals.claim('c-one', 'n1', LATE, LATE + 10)
      const finish = () => store.reseals.finish('c-one', LATE + 500, { ...org.event('keys.reseal_finished'), subject: 'c-one' })
      const swap = { source: 1, column: 'access_token', key: ['con_never'], was: sealed('x'), is: sealed('c-one') }
      const step = { key: 'c-one', holder: 'n1', heldUntil: LATE + 10, unopened: 0 }
      await store.reseals.advance({ ...step, swaps: [swap], next: null })
      assert.equal(await finish(), false)
      await store.reseals.advance({ ...step, swaps: [], next: { source: 2, after: [] } })
      assert.equal(await finish(), false)
      await store.reseals.advance({ ...step, swaps: [], next: null })
      assert.deepEqual((await Promise.all([finish(), finish()])).filter(Boolean), [true])
      assert.equal((await store.reseals.latest())?.finishedAt, LATE + 500)
    },
  },
  {
    name: 'a node says which master keys it has and what it is, and a new process of its name begins by saying nothing',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const node = org.node('keyring')
      const membership = await store.nodes.join(node, 0)
      const keyring = { ids: ['k2', 'k1'], seals: 'k1', journal: { k1: 3 } }
      const about = { kind: 'command', publicUrl: 'https://one.example.com' } as const
      const said = async () => {
        const found = (await store.nodes.list()).find(({ id }) => id === node.id)
        return found === undefined ? undefined : { keyring: found.keyring, about: found.about }
      }
      assert.deepEqual(await said(), { keyring: null, about: null })
      assert.equal(await store.nodes.tell({ ...node, incarnation: 'another' }, keyring, about), false)
      assert.equal(await store.nodes.tell(node, keyring, about), true)
      await membership.beat(false)
      assert.deepEqual(await said(), { keyring, about })
      await membership.leave()
      const next = await store.nodes.join({ ...node, incarnation: '2' }, 0)
      assert.deepEqual(await said(), { keyring: null, about: null })
      await next.leave()
    },
  },
]
