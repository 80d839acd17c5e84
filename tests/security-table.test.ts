import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const PAGES = { requirements: 'docs/security/requirements.md', sessions: 'docs/security/sessions.md', agents: 'docs/security/agents.md' } as const
const STATES = ['Held', 'Partly', 'Not held', 'Does not apply']

interface Row {
  readonly id: string
  readonly held: string
  readonly how: string
  readonly tests: readonly { readonly file: string; readonly title: string }[]
}

const REFERENCE = /^\[`([^`]+)`\]\(\.\.\/\.\.\/([^)]+)\): (.+)$/

/** Every row of every table of the page. A cell that is no reference is an error, not a row without a test. */
function rowsOf(page: string): readonly Row[] {
  return page
    .split('\n')
    .filter((line) => /^\| [SRA]\d+ \|/.test(line))
    .map((line) => {
      const [id = '', , held = '', how = '', cell = '-', ...more] = line
        .split('|')
        .slice(1, -1)
        .map((text) => text.trim())
      if (more.length > 0) throw new Error(`${id}: a cell has a bar in it`)
      return { id, held, how, tests: cell === '-' ? [] : cell.split('<br>').map((text) => referenceOf(id, text)) }
    })
}

function referenceOf(id: string, text: string): Row['tests'][number] {
  const [, name, file, title] = REFERENCE.exec(text) ?? []
  if (name === undefined || file === undefined || title === undefined || !file.endsWith(`/${name}`)) throw new Error(`${id}: "${text}" names no test`)
  return { file, title }
}

/** What is wrong with the page; empty when nothing is. */
function problemsOf(page: string): readonly string[] {
  const rows = rowsOf(page)
  const twice = rows.filter(({ id }, index) => rows.findIndex((other) => other.id === id) !== index).map(({ id }) => `${id} is there twice`)
  const states = rows.filter(({ held }) => !STATES.includes(held)).map(({ id, held }) => `${id} is "${held}"`)
  const unproven = rows.filter(({ held, tests }) => (held === 'Held' || held === 'Partly') && tests.length === 0).map(({ id }) => `${id} names no test`)
  const unexplained = rows.filter(({ held, how }) => held !== 'Held' && how === '-').map(({ id }) => `${id} does not say what is missing`)
  const missing = rows.flatMap(({ id, tests }) => tests.filter((one) => !isThere(one)).map(({ file, title }) => `${id}: ${file} has no test "${title}"`))
  return [...twice, ...states, ...unproven, ...unexplained, ...missing]
}

/** The whole title, as the source has it between its quotes. */
function isThere({ file, title }: Row['tests'][number]): boolean {
  const path = resolve(ROOT, file)
  if (!/(\.test\.ts|-cases\.ts)$/.test(file) || !existsSync(path)) return false
  const source = readFileSync(path, 'utf8')
  return ["'", '"', '`'].some((quote) => source.includes(quote + title + quote))
}

const pageOf = (name: keyof typeof PAGES): string => readFileSync(resolve(ROOT, PAGES[name]), 'utf8')

test.each(['requirements', 'sessions', 'agents'] as const)(
  'every requirement of %s that is held names tests, and every test that is named is there',
  (name) => {
    expect(problemsOf(pageOf(name))).toEqual([])
  },
)

test('the page of agents has its own requirements without a gap, and those of the common list that concern programs', () => {
  const ids = rowsOf(pageOf('agents')).map(({ id }) => id)
  const own = ids.filter((id) => id.startsWith('A'))
  expect(own).toEqual(Array.from({ length: own.length }, (_, index) => `A${1 + index}`))
  expect(own.length).toBeGreaterThan(25)
  expect(ids).toEqual(expect.arrayContaining(['S23', 'S50', 'S59', 'S60', 'S61', 'S98', 'S100', 'S101', 'S102', 'S103', 'S117', 'S118', 'S119']))
})

test('each of S1 to S120 is on the page of requirements, once, and S37 to S71 are not on that of sessions as well', () => {
  const ids = rowsOf(pageOf('requirements')).map(({ id }) => id)
  expect([...ids].sort((left, right) => Number(left.slice(1)) - Number(right.slice(1)))).toEqual(Array.from({ length: 120 }, (_, index) => `S${1 + index}`))
  const own = rowsOf(pageOf('sessions')).map(({ id }) => id)
  expect(own.filter((id) => id.startsWith('S'))).toEqual([])
  expect(own.filter((id) => id.startsWith('R')).length).toBeGreaterThan(40)
})

test('what programs are promised under a number is not more than the page of requirements says of it', () => {
  const held = new Map(rowsOf(pageOf('requirements')).map((row) => [row.id, row.held]))
  // S103: proofs and tokens of programs are fuzzed over HTTP, whole bodies by the external checks alone. S119: programs have no unsafe switch.
  const narrower = new Set(['S103', 'S119'])
  const more = rowsOf(pageOf('agents')).filter(({ id, held: own }) => id.startsWith('S') && own === 'Held' && held.get(id) !== 'Held' && !narrower.has(id))
  expect(more.map(({ id }) => id)).toEqual([])
})

/** A row of ASVS: what it is about, whether it is held, and by which requirement or test. */
const ASVS_ROW = /^\| ([\d.]+(?:-[\d.]+)?) \| [^|]+ \| (Held|Partly|Not held|Does not apply) \| ([^|]+) \|$/

test('every row of the ASVS page says where it is shown, and no more than that row does', () => {
  const page = readFileSync(resolve(ROOT, 'docs/security/asvs.md'), 'utf8')
  const lines = page.split('\n').filter((line) => /^\| \d/.test(line))
  const known = new Map(
    [...rowsOf(pageOf('requirements')), ...rowsOf(pageOf('sessions')), ...rowsOf(pageOf('agents'))].reverse().map((row) => [row.id, row.held]),
  )
  expect(lines.length).toBeGreaterThan(150)
  expect(lines.filter((line) => !ASVS_ROW.test(line))).toEqual([])
  const ids = lines.map((line) => ASVS_ROW.exec(line)?.[1] ?? '')
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  const wrong = lines.flatMap((line) => {
    const [, id = '', held = '', shown = ''] = ASVS_ROW.exec(line) ?? []
    const named = [...shown.matchAll(/\b([SRA]\d+)\b/g)].map(([, one = '']) => one)
    const unknown = named.filter((one) => !known.has(one)).map((one) => `${id} names ${one}, which is nowhere`)
    const unproven = held === 'Held' && !named.some((one) => known.get(one) === 'Held') && !/`[^`]+\.test\.ts`/.test(shown) ? [`${id} is held by nothing`] : []
    const files = [...shown.matchAll(/`([^`]+\.test\.ts)`/g)].flatMap(([, file = '']) =>
      existsSync(resolve(ROOT, file)) ? [] : [`${id} names ${file}, which is not there`],
    )
    return [...unknown, ...unproven, ...files]
  })
  expect(wrong).toEqual([])
})

/** How many requirements of level 1 and 2 each section of the release 5.0.0 has; those of level 3 come after them, 6.7 and 8.3.2 and up among them. */
const SECTIONS: readonly (readonly [string, readonly number[]])[] = [
  ['6', [3, 12, 4, 4, 5, 3, 0, 4]],
  ['7', [3, 4, 2, 5, 2, 2]],
  ['8', [2, 3, 1, 1]],
  ['9', [3, 4]],
  ['10', [2, 2, 4, 11, 5, 2, 3]],
  ['11', [2, 3, 3, 4, 1, 1]],
  ['12', [3, 2, 4]],
  ['13', [1, 5, 2, 5]],
  ['14', [2, 4, 3]],
  ['15', [3, 3, 7]],
  ['16', [1, 5, 4, 3, 3]],
]

test('every requirement of level 1 and 2 of the chapters V6 to V16 has its row on the ASVS page, in the order of the standard', () => {
  const asked = SECTIONS.flatMap(([chapter, counts]) =>
    counts.flatMap((count, section) => Array.from({ length: count }, (_, index) => `${chapter}.${1 + section}.${1 + index}`)),
  )
  const rows = readFileSync(resolve(ROOT, 'docs/security/asvs.md'), 'utf8').split('\n')
  expect(rows.flatMap((line) => ASVS_ROW.exec(line)?.[1] ?? [])).toEqual(asked)
})

test('the check finds a title that is not there, a row without a test, a state that is none, and a row that is there twice', () => {
  const row = (id: string, held: string, cell: string) => `| ${id} | something | ${held} | - | ${cell} |`
  const own = (title: string) => `[\`security-table.test.ts\`](../../tests/security-table.test.ts): ${title}`
  const real = own('what programs are promised under a number is not more than the page of requirements says of it')
  expect(problemsOf(row('S1', 'Held', real))).toEqual([])
  expect(problemsOf(row('S1', 'Held', `${real}<br>${own(['a title', 'that nobody wrote'].join(' '))}`))).toHaveLength(1)
  expect(problemsOf(row('S1', 'Held', '[`gone.test.ts`](../../tests/gone.test.ts): a title'))).toHaveLength(1)
  expect(problemsOf(row('S1', 'Held', '-'))).toEqual(['S1 names no test'])
  expect(problemsOf(row('S1', 'Mostly', real))).toHaveLength(2)
  expect(problemsOf(row('S1', 'Not held', '-'))).toEqual(['S1 does not say what is missing'])
  expect(problemsOf([row('S1', 'Held', real), row('S1', 'Held', real)].join('\n'))).toEqual(['S1 is there twice'])
  expect(() => rowsOf(row('S1', 'Held', 'tests/security-table.test.ts'))).toThrow('names no test')
})
