import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import { Fault } from '../../core/fault/fault.ts'
import { readable } from './postgres-faults.ts'

const SECRET = 'planted-value-of-somebody'
const { database, skip } = await freshDatabase()

/** Everything that a log, a stack or a serializer could take out of an error, and out of what caused it. */
function everythingOf(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error)
  const own = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)))
  const cause = error instanceof Fault ? error.details.cause : error.cause
  return [String(error), JSON.stringify(error), ...own, cause === undefined ? '' : everythingOf(cause)].join('\n')
}

describe.skipIf(database === null)(`what PostgreSQL says when it refuses${skip ?? ''}`, () => {
  const client = new pg.Client({ connectionString: database?.url ?? '' })
  beforeAll(async () => {
    await client.connect()
    await client.query('create table person (name text unique, age integer check (age > 0))')
    await client.query('insert into person values ($1, 1)', [SECRET])
    await client.query(`create function shout(what text) returns text language plpgsql as $$ begin raise exception 'no: %', what; end $$`)
  })
  afterAll(async () => {
    await client.end()
    await database?.drop()
  })

  const refusal = async (sql: string, ...values: readonly unknown[]): Promise<unknown> =>
    client.query(sql, [...values]).then(
      () => new Error('it was taken'),
      (error: unknown) => error,
    )

  test.each([
    ['a text where a number belongs', 'select $1::text::integer', '22P02'],
    ['a key that is there already', 'insert into person values ($1, 2)', '23505'],
    ['a row that a rule forbids', 'insert into person values ($1 || 2, -1)', '23514'],
    ['a text that is too long', 'select $1::varchar(200)::text::date', '22007'],
    ['a raised exception', 'select shout($1)', 'P0001'],
  ])('%s is told without the value (S87)', async (_what, sql, state) => {
    const error = await refusal(sql, SECRET)
    // The canary: it is really in what the driver gives us.
    expect(everythingOf(error)).toContain(SECRET)
    expect(error).toMatchObject({ code: state })
    const told = everythingOf(readable(error))
    expect(told).not.toContain(SECRET)
    expect(told).toContain(state)
  })

  test('where it was, and in which table, column or rule, is still told (S87)', async () => {
    const told = everythingOf(readable(await refusal('insert into person values ($1, -1)', 'x')))
    expect(told).toContain('table person, constraint person_age_check')
    expect(told).toMatch(/\n\s+at .*node_modules/)
  })

  test('a word that is ours to mend keeps its words: a missing table, a missing role', async () => {
    expect(readable(await refusal('select * from nobody'))).toMatchObject({ message: 'relation "nobody" does not exist', code: '42P01' })
    expect(readable(await refusal('set role nobody'))).toMatchObject({ code: '22023' })
    expect(everythingOf(readable(await shutOut((url) => url.replace(/\/\/[^@]*@/, '//nobody:nothing@'))))).toContain('nobody')
  })

  const shutOut = async (change: (url: string) => string): Promise<unknown> => {
    const stranger = new pg.Client({ connectionString: change(database?.url ?? '') })
    const refused = await stranger.connect().then(
      () => new Error('it was let in'),
      (error: unknown) => error,
    )
    await stranger.end()
    return refused
  }

  test('a log-in that is refused, a database that is not there and a right that is missing are a database that is away, and told with what to do', async () => {
    const away = (error: unknown, remedy: string) =>
      expect(readable(error)).toMatchObject({
        code: 'store_unavailable',
        message: expect.stringMatching(new RegExp(`^PostgreSQL does not answer or refuses: .*${remedy}`)),
      })
    away(await shutOut((url) => url.replace(/\/\/[^@]*@/, '//nobody:nothing@')), 'user and password in EVERGRANT_DATABASE_URL')
    away(await shutOut((url) => url.replace(/\/[^/?]*(\?|$)/, '/nowhere$1')), 'Create the database')
    const role = `mere_${Date.now()}`
    await client.query(`create role ${role}`)
    await client.query(`set role ${role}`)
    const forbidden = await refusal('select * from person')
    await client.query('reset role')
    await client.query(`drop role ${role}`)
    away(forbidden, 'own the database')
  })
})

test.each([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])('a certificate that is not believed (%s) is a database that is away, and told with what to do', (code) => {
  const error = Object.assign(new Error('self-signed certificate in certificate chain'), { code })
  expect(readable(error)).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('sslrootcert=') })
})

test('an error that is not of the database stays what it is', () => {
  const mistake = new TypeError('x is not a function')
  expect(readable(mistake)).toBe(mistake)
})
