// What a statement says was written by us (S106, CWE-89): every literal of every statement that the contract runs stands in the sources.
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'
import { storeCases } from '../conformance.ts'
import { openMemoryStore } from '../index.ts'

const SOURCES = ['../../store/sql', '../../store/sqlite', '../../store/migrations', '../../core'].map((folder) => new URL(`${folder}/`, import.meta.url))
const written = SOURCES.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8')),
).join('\n')

const said = new Set<string>()
const prepare = DatabaseSync.prototype.prepare
beforeAll(async () => {
  vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, sql: string): StatementSync {
    said.add(sql)
    return prepare.call(this, sql)
  })
  const store = await openMemoryStore({ clock: systemClock, timers: systemTimers })
  // Cases of one store may hinder each other: what they say of it counts elsewhere, what they ask is all that counts here.
  for (const { run } of storeCases) await run(store, { entropy: systemEntropy, duePlan: async () => '' }).catch(() => {})
  await store.close()
}, 120_000)
afterAll(() => vi.restoreAllMocks())

/** Made from constants of ours: a minute, a day, a hundred years, the last of a page of 2,000, the bytes of a head. */
const COMPUTED = new Set(['60000', '86400000', '3153600000000', '1999', '34'])

/** Texts in quotes, and numbers of more than one figure, that no source of ours has. */
function foreign(sql: string): readonly string[] {
  const literals = [...sql.matchAll(/'((?:[^']|'')*)'|(?<![\w?$.])(\d{2,})\b/g)].map(([, text, number]) => (text === undefined ? (number ?? '') : text))
  return literals.filter(
    (literal) => literal !== '' && !COMPUTED.has(literal) && !written.includes(literal) && !written.includes(literal.replace(/(?<=\d)(?=(?:\d{3})+$)/g, '_')),
  )
}

test('no statement has a text or a number in it that came from outside: all of that is a parameter (S106)', () => {
  expect(said.size).toBeGreaterThan(300)
  expect([...said].filter((sql) => foreign(sql).length > 0)).toEqual([])
})

test('a value that was written into a statement would be found', () => {
  expect(foreign("select * from connection where owner = 'mallory'")).toEqual(['mallory'])
  expect(foreign('select * from connection limit 839174')).toEqual(['839174'])
  expect(foreign("update connection set owner = '' where state = 'active' and id = ?")).toEqual([])
})

test('an event is changed by the erasure of a person alone, and removed by the end of routine ones alone (S95)', () => {
  const touching = [...said].filter((sql) => /\b(?:update|delete from)\s+event\b/.test(sql)).map((sql) => sql.replace(/\s+/g, ' '))
  expect(touching.sort()).toEqual([
    'delete from event where organization_id = ? and id in (select value from json_each(?))',
    'update event set data = ? where organization_id = ? and id = ?',
  ])
})
