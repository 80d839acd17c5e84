import { expect, test } from 'vitest'
import type { SignInCommit } from '../../core/sign-in/sign-ins.ts'
import { SQLITE } from '../sqlite/sqlite-database.ts'
import type { Database, Program, Row } from './program.ts'
import { signInsStore } from './sign-ins-store.ts'

/** Answers each question about the identity by the next of `known`, as a database does in which others commit meanwhile; notes what is kept. */
function databaseOf(known: boolean[]): { readonly database: Database; readonly kept: string[] } {
  const kept: string[] = []
  const drive = <Result>(program: () => Program<Result>): Result => {
    const written: string[] = []
    const running = program()
    let next = running.next()
    while (next.done !== true) {
      const step = next.value
      const sql = step.kind === 'changed' ? '' : step.sql
      if (step.kind !== 'changed' && step.kind !== 'rows') written.push(sql)
      const rows: Row[] = sql.includes('from connect_session') ? [{ state: 'staged' }] : sql.includes('from person_identity') && known.shift() ? [PERSON] : []
      next = running.next({ rows, changes: 1 })
    }
    kept.push(...written)
    return next.value
  }
  const run = async <Result>(program: () => Program<Result>) => drive(program)
  return { kept, database: { dialect: { ...SQLITE, now: () => 0 }, read: run, write: run } }
}

const PERSON: Row = {
  id: 'usr_1',
  email: null,
  email_verified_at: null,
  name: null,
  external_id: null,
  password: null,
  created_at: 1,
  updated_at: 1,
  disabled_at: null,
  version: 1,
}

const REQUEST = {
  session: 'cns_1',
  owner: 'usr_2',
  event: { id: 'evt_1', actor: { kind: 'user', id: 'usr_2' }, data: {} },
  person: {
    kind: 'new',
    user: { id: 'usr_2', email: null, externalId: null },
    membership: { user: 'usr_2', organization: 'org_1', role: 'member' },
    identity: { issuer: 'https://issuer.example', subject: 's', user: 'usr_2', createdAt: 1 },
    event: { id: 'evt_2', actor: { kind: 'user', id: 'usr_2' }, data: {} },
  },
  grant: { kind: 'keep', connection: 'con_1' },
} as unknown as SignInCommit

test('an identity that another browser took between two looks is taken, and nothing of this sign-in stays', async () => {
  const raced = databaseOf([false, true])
  expect(await signInsStore(raced.database).commit(REQUEST)).toBe('identity_taken')
  expect(raced.kept).toEqual([])
})

test('an identity that stays free is stored', async () => {
  const alone = databaseOf([false, false])
  expect(await signInsStore(alone.database).commit(REQUEST)).toBe('committed')
  expect(alone.kept.some((sql) => sql.includes('insert into person '))).toBe(true)
})
