import type { Migration } from './migration.ts'

/** What a way back drops, with the question that says how many rows have something there (`lost`). */
interface Droppable {
  readonly table: string
  readonly column: string | null
  readonly count: string
}

/** Read from the words of the step themselves, so that none can be forgotten. */
export function lossesOf(migration: Pick<Migration, 'up' | 'down'>, database: 'sqlite' | 'postgres'): readonly Droppable[] {
  const [up, down] = [migration.up[database], migration.down[database]]
  const tables = [...down.matchAll(/\bdrop table (\w+)/g)].map(([, table = '']) => ({ table, column: null, count: `select count(*) as lost from ${table}` }))
  const columns = [...down.matchAll(/\balter table (\w+) drop column (\w+)/g)].map(([, table = '', column = '']) => {
    const initial = new RegExp(`alter table ${table} add column ${column}\\b[^;]*?\\bdefault ('[^']*'|-?\\d+)`).exec(up)?.[1] ?? 'null'
    return { table, column, count: `select count(*) as lost from ${table} where ${column} is distinct from ${initial}` }
  })
  return [...tables, ...columns]
}
