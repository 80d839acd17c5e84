import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import type { SourceRow } from './source.ts'
import { postgresSource } from './table-source.ts'

const { database, skip } = await freshDatabase()
const url = database?.url ?? ''

describe.skipIf(database === null)(`rows of a PostgreSQL table${skip ?? ''}`, () => {
  let client: pg.Client

  beforeAll(async () => {
    client = new pg.Client(url)
    await client.connect()
    await client.query('create schema app')
    await client.query('create table app."account" (id int, "userId" text, token bytea, at timestamp, zoned timestamptz, extra jsonb)')
    await client.query(`insert into app."account" select n, 'user ' || n, 'rt'::bytea, '2026-03-01 09:00:00', '2026-03-01 09:00:00+02', '{"a": 1}'
      from generate_series(1, 2500) n`)
  })
  afterAll(async () => {
    await client.end()
    await database?.drop()
  })

  async function read(table: string): Promise<readonly SourceRow[]> {
    const rows: SourceRow[] = []
    for await (const row of postgresSource(url, table).rows()) rows.push(row)
    return rows
  }

  test('come one after the other in the words of the server, whatever the zone of this machine', async () => {
    const rows = await read('app.account')
    expect(rows).toHaveLength(2_500)
    expect(new Set(rows.map((row) => row.line)).size).toBe(2_500)
    expect(rows[0]).toEqual({
      line: 1,
      values: { id: '1', userId: 'user 1', token: 'rt', at: '2026-03-01 09:00:00', zoned: '2026-03-01 07:00:00+00', extra: '{"a": 1}' },
    })
  })

  test('of a table that is not there are refused in words', async () => {
    await expect(read('app.nowhere; drop table app.account')).rejects.toThrow('The table cannot be read')
    expect(await read('app.account')).toHaveLength(2_500)
  })
})
