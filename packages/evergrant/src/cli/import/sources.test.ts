import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSource, type SourceOptions } from './open-source.ts'
import { bar } from './report.ts'
import type { SourceRow } from './source.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-import-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function rowsOf(name: string, text: string, options: SourceOptions = {}): Promise<readonly SourceRow[]> {
  const path = join(folder, name)
  writeFileSync(path, text)
  const rows: SourceRow[] = []
  for await (const row of openSource(path, options).rows()) rows.push(row)
  return rows
}

const values = (rows: readonly SourceRow[]) => rows.flatMap((row) => ('values' in row ? [[row.line, row.values]] : []))
const broken = (rows: readonly SourceRow[]) => rows.flatMap((row) => ('unreadable' in row ? [row.line] : []))

test('JSONL: each line by its number; empty ones are none, and bad ones stop nothing', async () => {
  const rows = await rowsOf('a.jsonl', '\uFEFF{"n":1}\n\n{"n": secret-\r\n[1]\n  \n{"n":"ü"}\r\n{"n":6}')
  expect(values(rows)).toEqual([
    [1, { n: 1 }],
    [6, { n: 'ü' }],
    [7, { n: 6 }],
  ])
  expect(broken(rows)).toEqual([3, 4])
  expect(JSON.stringify(rows)).not.toContain('secret-')
})

test('JSONL: a line that is longer than any grant is refused, and the next one is read', async () => {
  const rows = await rowsOf('long.jsonl', `{"a":"${'x'.repeat(3_000_000)}"}\n{"n":2}\n`)
  expect(broken(rows)).toEqual([1])
  expect(values(rows)).toEqual([[2, { n: 2 }]])
})

test('CSV: quotes, newlines in fields, empty fields as nothing, and the line where a record begins', async () => {
  const rows = await rowsOf('a.csv', '\uFEFFowner,note,token\r\nada,"two\nlines, one ""field""",t1\r\n\r\nbob,,t2\r\n')
  expect(values(rows)).toEqual([
    [2, { owner: 'ada', note: 'two\nlines, one "field"', token: 't1' }],
    [5, { owner: 'bob', note: null, token: 't2' }],
  ])
})

test('CSV: a line with too few or too many fields, or a stray quote, is refused by itself', async () => {
  const rows = await rowsOf('bad.csv', 'owner,token\nada\nbob,t2\ncy,t3,more\ndan,"secret-"x\neve,t5\n')
  expect(values(rows).map(([line]) => line)).toEqual([3, 6])
  expect([...broken(rows)].sort()).toEqual([2, 4, 5])
  expect(JSON.stringify(rows)).not.toContain('secret-')
})

test('CSV: a long run of blanks before a stray quote is no long search', async () => {
  const blanks = ' '.repeat(100_000)
  const rows = await rowsOf('blanks.csv', `owner,token\n${blanks}a"da,t1\nbob,${blanks}"t2\n${'\n'.repeat(20_000)}"cy" ,"t"3\neve,"t4"  \nfay,"t""5"\n`)
  expect(values(rows)).toEqual([[20_006, { owner: 'fay', token: 't"5' }]])
  // Blanks behind a quote, too: the parser would take quote and blanks for a part of the token.
  expect(broken(rows)).toHaveLength(4)
})

test('CSV: a quote that is never closed is told, and does not collect the rest of the file', async () => {
  const short = await rowsOf('open.csv', 'owner,token\nada,t1\nbob,"t2\ncy,t3\n')
  expect(values(short).map(([line]) => line)).toEqual([2])
  expect(broken(short)).toHaveLength(1)
  const long = await rowsOf('endless.csv', `owner,token\nada,t1\nbob,"${'cy,t3\n'.repeat(2_000_000)}`)
  expect(values(long).map(([line]) => line)).toEqual([2])
  expect(broken(long)).toHaveLength(1)
})

test('CSV: the delimiter follows the name, or what was said', async () => {
  expect(values(await rowsOf('a.tsv', 'owner\ttoken\nada\tt1\n'))).toEqual([[2, { owner: 'ada', token: 't1' }]])
  expect(values(await rowsOf('b.csv', 'owner;token\nada;t1\n', { delimiter: ';' }))).toEqual([[2, { owner: 'ada', token: 't1' }]])
})

test('SQLite: rows of a table, in columns of any type, from a file that is not changed', async () => {
  const path = join(folder, 'old.db')
  const file = new DatabaseSync(path)
  file.exec('create table "odd ""name" (id integer, token blob, at text, big integer); insert into "odd ""name" values (1, x\'7274\', null, 1790000000000)')
  file.close()
  const source = openSource(`sqlite:${path}`, { table: 'odd "name' })
  const rows: SourceRow[] = []
  for await (const row of source.rows()) rows.push(row)
  expect(rows).toEqual([{ line: 1, values: { id: 1, token: 'rt', at: null, big: 1_790_000_000_000 } }])
  expect(source.extent()).toEqual({ done: 1, total: 1 })
})

test.each<[string, SourceOptions, string]>([
  ['postgres://me:word@host/db', { table: 'account' }, 'env:NAME'],
  ['postgres://me@host/db?password=word', { table: 'account' }, 'env:NAME'],
  ['postgres://me:wo rd@host:x/db', { table: 'account' }, 'env:NAME'],
  ['postgres://host/db', {}, '--table'],
  ['sqlite:x.db', {}, '--table'],
  ['env:NOT_THERE_AT_ALL', {}, 'no NOT_THERE_AT_ALL'],
  ['/nowhere/at/all.jsonl', {}, 'cannot be read'],
  ['-', { format: 'xml' }, 'jsonl or csv'],
  ['-', { table: 'account' }, 'a file has no tables'],
])('%s with %j is refused before anything is read', (where, options, words) => {
  expect(() => openSource(where, options)).toThrow(words)
})

test('the bar is as full as what was read, and not there where nobody knows', () => {
  expect(bar({ done: 1, total: 4 })).toBe('[======                  ] 25 %  ')
  expect(bar({ done: 9, total: 4 })).toContain('100 %')
  expect(bar({ done: 9, total: null })).toBe('')
})
