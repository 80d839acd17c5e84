import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import type { ConnectionStatus } from '../../core/connection/connection.ts'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'
import { faultAt, PAST, TestOrganization } from '../conformance/test-organization.ts'
import type { Store } from '../contract.ts'
import { openPostgresStore } from '../postgres/postgres-store.ts'
import { openSqliteStore } from '../sqlite/sqlite-store.ts'

const options = { clock: systemClock, timers: systemTimers, migrate: true }
const FIRST = 10_000_000
const COUNT = 8_000

interface Stretch {
  readonly until: number
  readonly owner: 'far' | 'other'
  readonly blocked: boolean
  /** All of the stretch are due at once. */
  readonly together: boolean
}

/** In the order in which they are due: what is looked for lies behind others, and behind many of its own beginning that are in another status. */
const STRETCHES: readonly Stretch[] = [
  { until: 30, owner: 'far', blocked: false, together: false },
  { until: 2_000, owner: 'other', blocked: false, together: false },
  { until: 2_040, owner: 'far', blocked: false, together: true },
  { until: 7_300, owner: 'far', blocked: true, together: true },
  { until: 7_340, owner: 'far', blocked: false, together: false },
  { until: COUNT, owner: 'other', blocked: false, together: false },
]

const idOf = (index: number): string => `con_${FIRST + index}`
const places = Array.from({ length: COUNT }, (_, index) => {
  const at = STRETCHES.findIndex(({ until }) => index < until)
  const stretch = STRETCHES[at] as Stretch
  const from = STRETCHES[at - 1]?.until ?? 0
  return { id: idOf(index), stretch, due: stretch.together ? from : index }
})

/** In SQL that both databases read, by the number `n.i`. */
const chosen = (what: (stretch: Stretch, from: number) => string): string =>
  `case ${STRETCHES.map((stretch, at) => `when n.i < ${stretch.until} then ${what(stretch, STRETCHES[at - 1]?.until ?? 0)}`).join(' ')} end`

type Sql = (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** One connection that the store made; the others are copies of it. */
async function fill(store: Store, sql: Sql): Promise<TestOrganization> {
  const org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan: async () => '' })
  const first = await org.connect({ owner: 'template' }, PAST)
  await sql('create table n (i integer)')
  await sql(`insert into n with recursive upwards(i) as (select 0 union all select i + 1 from upwards where i < ${COUNT - 1}) select i from upwards`)
  const copy = async (table: string, key: string, changes: Readonly<Record<string, string>>, from = ', n') => {
    const [row] = await sql(`select * from ${table} where ${key} = '${table === 'integration' ? org.integration.id : first}'`)
    const columns = Object.keys(row ?? {})
    const values = columns.map((column) => changes[column] ?? `t.${column}`)
    await sql(`insert into ${table} (${columns.join(', ')}) select ${values.join(', ')} from ${table} t${from} where t.${key} = '${row?.[key]}'`)
  }
  const id = `'con_' || (${FIRST} + n.i)`
  await copy('integration', 'id', { id: "'int_blocked'", slug: "'blocked'", blocked: `'${JSON.stringify(faultAt(PAST, 'client_rejected'))}'` }, '')
  await copy('connection', 'id', {
    id,
    owner: `${chosen(({ owner }) => `'${owner}-'`)} || n.i`,
    account: "'account-' || n.i",
    integration_id: chosen(({ blocked }) => (blocked ? "'int_blocked'" : 't.integration_id')),
  })
  await copy('health', 'connection_id', { connection_id: id, due_at: `${PAST} + ${chosen(({ together }, from) => (together ? String(from) : 'n.i'))}` })
  await copy('credential', 'connection_id', { connection_id: id })
  await sql('analyze')
  return org
}

const CASES: readonly { readonly name: string; readonly statuses?: readonly ConnectionStatus[]; readonly down: boolean }[] = [
  { name: 'active ones, soonest first', statuses: ['active'], down: false },
  { name: 'active ones, latest first', statuses: ['active'], down: true },
  { name: 'all, soonest first', down: false },
  { name: 'all, latest first', down: true },
]

function cases(org: () => TestOrganization) {
  test.each(CASES)('what begins with a text that thousands begin with is listed once, in order, over all pages: $name', async ({ statuses, down }) => {
    const wanted = places.filter(({ stretch }) => stretch.owner === 'far' && (statuses === undefined || !stretch.blocked))
    const way = down ? -1 : 1
    const order = wanted.toSorted((left, right) => way * (left.due - right.due || (left.id < right.id ? -1 : 1))).map(({ id }) => id)
    const found: string[] = []
    let cursor: string | null = null
    do {
      const search = { text: 'far-', ...(statuses === undefined ? {} : { statuses }) }
      const page: Awaited<ReturnType<TestOrganization['store']['observed']['connections']>> = await org().store.observed.connections(
        org().organization,
        search,
        { by: 'next', down },
        { limit: statuses === undefined ? 200 : 20, cursor },
      )
      found.push(...page.items.map(({ connection }) => connection.id))
      cursor = page.cursor
    } while (cursor !== null && found.length <= order.length)
    expect(found).toEqual(order)
  })
}

describe('a search on SQLite', () => {
  let folder: string
  let org: TestOrganization

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evergrant-search-'))
    const path = join(folder, 'search.db')
    const store = await openSqliteStore(path, options)
    const file = new DatabaseSync(path, { timeout: 5_000 })
    org = await fill(store, async (text) => file.prepare(text).all())
    file.close()
  })
  afterAll(async () => {
    await org.store.close()
    await rm(folder, { recursive: true, force: true })
  })

  cases(() => org)
})

const { database: offered, skip } = await freshDatabase()

describe.skipIf(offered === null)(`a search on PostgreSQL${skip ?? ''}`, () => {
  const url = offered?.url ?? ''
  let org: TestOrganization

  beforeAll(async () => {
    const store = await openPostgresStore(url, options)
    const client = new pg.Client(url)
    await client.connect()
    org = await fill(store, async (text) => (await client.query(text)).rows)
    await client.end()
  })
  afterAll(async () => {
    await org.store.close()
    await offered?.drop()
  })

  cases(() => org)
})
