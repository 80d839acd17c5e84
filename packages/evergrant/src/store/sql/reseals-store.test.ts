import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import type { SealedCursor } from '../../core/operate/operations.ts'
import type { SealedValue, Swap } from '../../core/operate/reseals.ts'
import { SEALED_PLACES } from '../../core/seal/sealed-places.ts'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'
import { TestOrganization } from '../conformance/test-organization.ts'
import type { Store } from '../contract.ts'
import { POSTGRES } from '../postgres/postgres-dialect.ts'
import { openPostgresStore } from '../postgres/postgres-store.ts'
import { SQLITE } from '../sqlite/sqlite-database.ts'
import type { Database, Dialect, Program, Row } from './program.ts'
import { resealsStore } from './reseals-store.ts'

const sealed = (key: string, fill: number): Uint8Array => new Uint8Array([1, key.length, ...new TextEncoder().encode(key), ...Array<number>(44).fill(fill)])
const CREDENTIAL = SEALED_PLACES.findIndex(({ table }) => table === 'credential')
const REPEATED = SEALED_PLACES.findIndex(({ table }) => table === 'idempotency_key')
const ROWS = 100

/** Both tokens of a page of rows. */
const PAGE: readonly Swap[] = Array.from({ length: ROWS }, (_, index) => `con_${index}`).flatMap((id) =>
  ['access_token', 'refresh_token'].map((column) => ({ source: CREDENTIAL, column, key: [id], was: sealed('old', 1), is: sealed('new', 2) })),
)

/** Notes what is asked, and lets nobody else write. */
function databaseOf(dialect: Dialect): { readonly database: Database; readonly asked: string[] } {
  const asked: string[] = []
  const every: readonly Row[] = PAGE.map(({ key: [id] }) => ({ connection_id: id }))
  const run = async <Result>(program: () => Program<Result>): Promise<Result> => {
    const running = program()
    let next = running.next()
    while (next.done !== true) {
      const step = next.value
      if (step.kind !== 'changed') asked.push(step.sql)
      next = running.next({ rows: step.kind === 'rows' && !step.sql.includes('update reseal') ? every : [], changes: 1 })
    }
    return next.value
  }
  return { asked, database: { dialect, read: run, write: run } }
}

const STEP = { key: 'new', holder: 'n1', heldUntil: 10, unopened: 0, next: null }

test('where a statement is a journey, a page takes two for each of its columns, however many rows it has', async () => {
  const far = databaseOf(POSTGRES)
  await resealsStore(far.database).advance({ ...STEP, swaps: PAGE })
  expect(far.asked.map((sql) => sql.trim().split(' ', 2).join(' '))).toEqual([
    'select t.connection_id',
    'update credential',
    'select t.connection_id',
    'update credential',
    'update reseal',
  ])
  const near = databaseOf(SQLITE)
  await resealsStore(near.database).advance({ ...STEP, swaps: PAGE })
  expect(near.asked).toHaveLength(2 * ROWS + 1)
})

const { database: offered, skip } = await freshDatabase()

describe.skipIf(offered === null)(`a page on PostgreSQL${skip ?? ''}`, () => {
  let store: Store
  let client: pg.Client
  let org: TestOrganization

  beforeAll(async () => {
    store = await openPostgresStore(offered?.url ?? '', { clock: systemClock, timers: systemTimers, migrate: true })
    org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan: () => Promise.resolve('') })
    client = new pg.Client(offered?.url)
    await client.connect()
  })
  afterAll(async () => {
    await client.end()
    await store.close()
    await offered?.drop()
  })

  const valuesOf = async (): Promise<readonly SealedValue[]> => {
    const start: SealedCursor = { source: REPEATED, after: [] }
    return (await store.reseals.sealedByOthers(start, 'new')).values
  }
  const bodies = async () => (await client.query('select key, body from idempotency_key order by key')).rows.map(({ key, body }) => [key, body.at(-1)] as const)

  test('swaps each row whose bytes are what they were; one that was written meanwhile stays, and one that somebody writes waits for the next pass', async () => {
    const insert = 'insert into idempotency_key (organization_id, key, request_hash, at, status, body) values ($1, $2, $3, 1, 200, $4)'
    for (const [index, key] of ['free', 'held', 'written'].entries()) await client.query(insert, [org.organization, key, 'hash', sealed('old', index + 1)])
    const begin = { ...org.event('keys.reseal_started'), subject: 'new' }
    await store.reseals.start({ key: 'new', organization: org.organization, startedBy: { kind: 'cli', id: null }, startedAt: 1 }, begin)
    await store.reseals.claim('new', 'n1', 1, 10)
    const step = async () => {
      const swaps = (await valuesOf()).map(({ source, column, key, sealed: was }) => ({ source, column, key, was, is: sealed('new', 10 + (was.at(-1) ?? 0)) }))
      return { ...STEP, swaps }
    }
    const first = await step()
    await client.query('update idempotency_key set body = $1 where key = $2', [sealed('old', 7), 'written'])
    await client.query('begin')
    await client.query("select 1 from idempotency_key where key = 'held' for update")
    expect((await store.reseals.advance(first))?.done).toBe(1)
    await client.query('commit')
    expect(await bodies()).toEqual([
      ['free', 11],
      ['held', 2],
      ['written', 7],
    ])
    expect((await store.reseals.advance(await step()))?.done).toBe(3)
    expect(await bodies()).toEqual([
      ['free', 11],
      ['held', 12],
      ['written', 17],
    ])
    expect(await valuesOf()).toEqual([])
  })
})
