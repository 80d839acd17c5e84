import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { SEALED_PLACES } from '../core/seal/sealed-places.ts'
import { MIGRATIONS } from './migrations/index.ts'

/** Bytes that are no secret. */
const PLAIN = new Set(['factor.public_key'])

function schema(): DatabaseSync {
  const file = new DatabaseSync(':memory:')
  file.function('now_ms', () => 0)
  for (const { up } of MIGRATIONS) file.exec(up.sqlite)
  return file
}

/** Every column of bytes, which is where sealed values are kept. */
function blobs(file: DatabaseSync): string[] {
  const tables = file.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'").all()
  return tables.flatMap(({ name: table }) =>
    file
      .prepare(`select name from pragma_table_info('${String(table)}') where lower(type) = 'blob'`)
      .all()
      .map(({ name }) => `${String(table)}.${String(name)}`),
  )
}

const sealed = (): string[] => SEALED_PLACES.flatMap(({ table, columns }) => columns.map(({ column }) => `${table}.${column}`))

test('every column of bytes in the schema is sealed anew, or is known to hold no secret', () => {
  expect(sealed().sort()).toEqual(
    blobs(schema())
      .filter((name) => !PLAIN.has(name))
      .sort(),
  )
})

test('a new column of bytes that nobody seals anew is found', () => {
  const file = schema()
  file.exec('alter table channel add column signing_secret blob')
  expect(blobs(file).filter((name) => !PLAIN.has(name) && !sealed().includes(name))).toEqual(['channel.signing_secret'])
})

test('the keys, and the columns that a value is bound by, are in the schema', () => {
  const file = schema()
  for (const { table, key, beside, organization, columns } of SEALED_PLACES) {
    const named = file.prepare(`select name, pk from pragma_table_info('${table}')`).all()
    const primary = named.filter(({ pk }) => Number(pk) > 0).sort((left, right) => Number(left.pk) - Number(right.pk))
    expect([table, ...primary.map(({ name }) => name)]).toEqual([table, ...key])
    const needed = [...beside, ...(organization === 'own' ? ['organization_id'] : organization === 'none' ? [] : [`${organization}_id`])]
    for (const column of needed) expect(named.map(({ name }) => name)).toContain(column)
    for (const { binds } of columns) for (const [, word] of binds.row.matchAll(/\{(\w+)\}/g)) expect([...key, ...beside]).toContain(word)
  }
})

test('what no table seals is not looked for among what the database knows of itself', () => {
  expect(SEALED_PLACES.find(({ table }) => table === 'meta')?.only).toEqual({ column: 'name', values: ['seal_root', 'vapid_keys'] })
})
