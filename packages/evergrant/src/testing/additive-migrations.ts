import type { Migration } from '../store/migrations/migration.ts'

/** A breach of a rule, or something that is allowed by name: the version, the rule and what it is about. */
export interface Breach {
  readonly version: number
  readonly rule: Rule
  readonly about: string
}

/**
 * What nodes of the version before would feel:
 * - `removes`: a table, column, trigger, function or name that they use goes away or changes its meaning
 * - `refuses`: what they write is refused from then on (not null without a default, a new constraint, a unique index)
 * - `blocks`: their writes wait while an index over a table that may be large is built
 * - `acts`: a trigger, or a change of rows that they write, too
 * - `unread`: a statement that this reader does not know: teach it, do not guess
 * - `no way back`: there is no down, or it leaves something that the up made
 */
type Rule = 'removes' | 'refuses' | 'blocks' | 'acts' | 'unread' | 'no way back'

const DATABASES = ['sqlite', 'postgres'] as const

/** Reads every step, in order, in the words of both databases. A breach that both have is told once. */
export function breachesOf(migrations: readonly Migration[]): readonly Breach[] {
  const found = new Map<string, Breach>()
  for (const database of DATABASES) {
    const tables = new Set<string>()
    for (const { version, up, down } of migrations) {
      const statements = statementsOf(up[database])
      const own = new Set(statements.flatMap((sql) => /^create table (\w+)/.exec(sql)?.[1] ?? []))
      const judged = statements.flatMap((sql) => judge(sql, { earlier: tables, statements }))
      for (const [rule, about] of [...judged, ...wayBack(statements, statementsOf(down[database]))]) {
        found.set(`${version} ${rule} ${about}`, { version, rule, about })
      }
      for (const table of own) tables.add(table)
    }
  }
  return [...found.values()].sort((left, right) => left.version - right.version || left.about.localeCompare(right.about))
}

interface Around {
  /** Tables that the version before knows. */
  readonly earlier: ReadonlySet<string>
  readonly statements: readonly string[]
}

type Judged = readonly (readonly [Rule, string])[]

const FINE: Judged = []

function judge(sql: string, around: Around): Judged {
  const reader = READERS.find(([pattern]) => pattern.test(sql))
  if (reader === undefined) return [['unread', sql.slice(0, 60)]]
  const [pattern, read] = reader
  const [, ...names] = pattern.exec(sql) ?? []
  return read(names.map(String), sql, around)
}

type Reader = (names: readonly string[], sql: string, around: Around) => Judged

/** The first that fits speaks. */
const READERS: readonly (readonly [RegExp, Reader])[] = [
  [/^create table (\w+)/, () => FINE],
  [/^create (unique )?index (\w+) on (\w+)/, indexMade],
  [
    /^drop index (\w+)/,
    ([name = ''], _sql, { statements }) =>
      statements.some((other) => new RegExp(`^create (unique )?index ${name} `).test(other)) ? FINE : [['removes', name]],
  ],
  [/^alter table (\w+) add column (\w+) (.*)/s, columnMade],
  [/^alter table (\w+) set \(fillfactor = \d+\)/, () => FINE],
  [/^alter table (\w+) (.*)/s, ([table = '', change = '']) => [['removes', `${table} ${change.slice(0, 40)}`]]],
  [/^(?:create or replace|drop) (table|trigger|function|view) (\w+)/, ([what = '', name = '']) => [['removes', `${what} ${name}`]]],
  [/^create function (\w+)/, () => FINE],
  [/^create trigger (\w+) after \w+(?: of \w+)? on (\w+)/, ([name = '', table = ''], _sql, { earlier }) => (earlier.has(table) ? [['acts', name]] : FINE)],
  [/^(?:insert into|update|delete from) (\w+)/, ([table = ''], _sql, { earlier }) => (earlier.has(table) ? [['acts', table]] : FINE)],
]

function indexMade([unique = '', name = '', table = '']: readonly string[], _sql: string, { earlier, statements }: Around): Judged {
  if (!earlier.has(table)) return FINE
  if (unique.trim() === 'unique') return [['refuses', name]]
  return [['blocks', statements.some((other) => other.startsWith(`drop index ${name}`)) ? `${name} (again)` : name]]
}

function columnMade([table = '', column = '', words = '']: readonly string[], _sql: string, { earlier }: Around): Judged {
  if (!earlier.has(table)) return FINE
  const refuses = (/\bnot null\b/.test(words) && !/\bdefault\b/.test(words)) || /\b(unique|check|references|primary key)\b/.test(words)
  return refuses ? [['refuses', `${table}.${column}`]] : FINE
}

/** Everything that was made is dropped again: with its table, or by name. */
function wayBack(up: readonly string[], down: readonly string[]): Judged {
  const back = down.join(';\n')
  const goes = (what: string, name: string) => new RegExp(`\\bdrop ${what} ${name}\\b`).test(back)
  const left = up.flatMap((sql) => {
    const table = /^create table (\w+)/.exec(sql)?.[1]
    if (table !== undefined) return goes('table', table) ? [] : [`table ${table}`]
    const [, index = '', on = ''] = /^create (?:unique )?index (\w+) on (\w+)/.exec(sql) ?? []
    if (index !== '') return goes('index', index) || goes('table', on) ? [] : [`index ${index}`]
    const [, owner = '', column = ''] = /^alter table (\w+) add column (\w+)/.exec(sql) ?? []
    if (column !== '') return goes('table', owner) || back.includes(`alter table ${owner} drop column ${column}`) ? [] : [`column ${owner}.${column}`]
    const [, kind = '', name = ''] = /^create (trigger|function) (\w+)/.exec(sql) ?? []
    return kind === '' || goes(kind, name) ? [] : [`${kind} ${name}`]
  })
  return left.map((what) => ['no way back', what] as const)
}

/** Statements without their semicolons; the body of a function or trigger stays whole. */
export function statementsOf(sql: string): readonly string[] {
  const found: string[] = []
  let text = ''
  for (const piece of sql.split(/(\$\$|;)/)) {
    text += piece
    const open = (text.match(/\$\$/g)?.length ?? 0) % 2 === 1 || (/^\s*create trigger\b/.test(text) && /\bbegin\b/.test(text) && !/\bend;?\s*$/.test(text))
    if (piece !== ';' || open) continue
    found.push(text)
    text = ''
  }
  return [...found, text].map((statement) => statement.replace(/;\s*$/, '').replaceAll(/\s+/g, ' ').trim()).filter((statement) => statement !== '')
}
