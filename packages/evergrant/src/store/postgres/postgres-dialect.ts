import type { Dialect } from '../sql/program.ts'

export const POSTGRES: Dialect = {
  name: 'postgres',
  oneWriter: false,
  forUpdate: (alias) => `for no key update of ${alias}`,
  forKeeping: (alias) => `for key share of ${alias}`,
  skipLocked: (alias) => `for update of ${alias} skip locked`,
  // As an array the list is one index condition; as a subselect it is a join, for which the planner may read the whole table.
  among: (column) => `${column} = any (array(select json_array_elements_text(?::json)))`,
  records: (alias, columns) => `json_to_recordset(?::json) as ${alias} (${columns.map((column) => `${column} text`).join(', ')})`,
  holds: (column) => `exists (select 1 from json_array_elements_text(${column}::json) as tag (name) where tag.name = ?)`,
  member: (column, name) => `${column}::json ->> '${name}'`,
  bytewise: (expression) => `(${expression}) collate "C"`,
  folded: (expression) => `lower((${expression}) collate "C")`,
}

const numbered = new Map<string, string>()

/** `?` becomes `$1`, `$2`, ... No statement of this store has a question mark in a literal. */
export function numberParameters(sql: string): string {
  const known = numbered.get(sql)
  if (known !== undefined) return known
  let next = 0
  const result = sql.replace(/\?/g, () => `$${++next}`)
  numbered.set(sql, result)
  return result
}
