import pg from 'pg'
import { freshDatabase } from '../../../../tests/fresh-database.ts'
import { openPostgresStore, type Store } from '../store/index.ts'
import { systemClock, systemTimers } from '../system.ts'
import type { ManualTime } from './manual-time.ts'

/** One PostgreSQL database for the tests of a file, emptied for each, whose clock is the test's own. */
interface PostgresLab {
  /** An empty store that tells the time of `time`. `advance` also waits for what the database was asked on the way. */
  open(time: ManualTime): Promise<Store>
  close(): Promise<void>
}

type PostgresOffer = { readonly postgres: PostgresLab; readonly skip: null } | { readonly postgres: null; readonly skip: string }

export async function postgresLab(): Promise<PostgresOffer> {
  const { database, skip } = await freshDatabase()
  if (database === null) return { postgres: null, skip }
  const store = await openPostgresStore(database.url, { clock: systemClock, timers: systemTimers, migrate: true })
  const admin = new pg.Client(database.url)
  await admin.connect()
  const empty = await emptying(admin)
  await admin.query('create table test_time (ms bigint not null)')
  await admin.query('create or replace function now_ms() returns bigint language sql volatile as $$ select ms from test_time $$')
  const tell = async (ms: number): Promise<void> => {
    await admin.query('delete from test_time')
    await admin.query('insert into test_time values ($1)', [ms])
  }
  return {
    skip: null,
    postgres: {
      open: async (time) => {
        await empty()
        await tell(time.clock.wall())
        const asked = new Asked()
        const advance = time.advance
        const told: ManualTime['advance'] = async (ms) => {
          await tell(time.clock.wall() + ms)
          await advance(ms)
          await asked.answered()
        }
        Object.assign(time, { advance: told })
        return asked.through(store)
      },
      close: async () => {
        await admin.end()
        await store.close()
        await database.drop()
      },
    },
  }
}

/**
 * What brings the database back to what the migrations left: a few tables have rows from the beginning. Rows are deleted, and only where there are some:
 * `truncate` makes every file of every table and index anew. Nothing is checked on the way, so that no order of tables has to be known.
 */
async function emptying(admin: pg.Client): Promise<() => Promise<void>> {
  const { rows } = await admin.query<{ name: string }>("select tablename as name from pg_tables where schemaname = 'public'")
  const tables = rows.map(({ name }) => admin.escapeIdentifier(name))
  await admin.query('create schema at_first')
  for (const table of tables) await admin.query(`create table at_first.${table} as select * from public.${table}`)
  const emptied = tables.map((table) => `delete from public.${table}`)
  const filled = tables.map((table) => `insert into public.${table} select * from at_first.${table}`)
  const statements = ["set local session_replication_role = 'replica'", ...emptied, ...filled]
  return async () => void (await admin.query(`begin; ${statements.join('; ')}; commit`))
}

/** Counts what the database has not answered yet. */
class Asked {
  #open = 0

  through(store: Store): Store {
    const parts = Object.entries(store).map(([name, part]) => [name, typeof part === 'object' && name !== 'changes' ? this.#counting(part) : part])
    return Object.fromEntries(parts)
  }

  /** What an answer leads to is asked within the same turn, or the next. */
  async answered(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet = this.#open === 0 ? quiet + 1 : 0) await new Promise((resolve) => setImmediate(resolve))
  }

  #counting<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => this.#counted(member.apply(target, args))
      },
    })
  }

  #counted(answer: unknown): unknown {
    if (!(answer instanceof Promise)) return answer
    this.#open += 1
    const end = (): void => {
      this.#open -= 1
    }
    answer.then(end, end)
    return answer
  }
}
