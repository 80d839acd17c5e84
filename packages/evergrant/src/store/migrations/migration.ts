/** One numbered step of the schema, for both databases. Each runs in its own transaction. */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly up: Words
  readonly down: Words
}

export interface Words {
  readonly sqlite: string
  readonly postgres: string
}

/** For statements that both databases read alike once `$int`, `$blob` and `$strict` are said in their own words. */
export function portable(sql: string): Words {
  return {
    sqlite: sql.replaceAll('$int', 'integer').replaceAll('$blob', 'blob').replaceAll('$strict', 'strict'),
    postgres: sql.replaceAll('$int', 'bigint').replaceAll('$blob', 'bytea').replaceAll('$strict', ''),
  }
}
