/**
 * One numbered step of the schema, for both databases. Each runs in its own transaction, and while nodes of the version before still
 * serve: it adds, and takes away nothing that they use. `additive.test.ts` reads every step for that.
 */
export interface Migration {
  readonly version: number
  readonly name: string
  /**
   * The oldest program, named by its own last migration, that can go on with this step applied. Without it every older one can. It is
   * stored with the step, so that an older program knows what it cannot read here.
   */
  readonly worksFrom?: number
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
