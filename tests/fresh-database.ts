import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

export interface FreshDatabase {
  readonly url: string
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>
}

export type DatabaseOffer = { readonly database: FreshDatabase; readonly skip: null } | { readonly database: null; readonly skip: string }

/**
 * An empty PostgreSQL database of one's own, on the one server of this run. Where the server cannot run, `skip` says
 * why; a test file then skips with those words:
 *
 *     const { database, skip } = await freshDatabase()
 *     describe.skipIf(database === null)(`on PostgreSQL${skip ?? ''}`, ...)
 */
export async function freshDatabase(): Promise<DatabaseOffer> {
  const answer = await fetch(inject('postgresDoor'))
  const server = (await answer.json()) as { readonly url?: string; readonly reason?: string }
  if (server.url === undefined) return { database: null, skip: ` (SKIPPED: PostgreSQL does not run on this machine: ${server.reason})` }
  const name = `test_${randomBytes(6).toString('hex')}`
  await asAdmin(server.url, `create database ${name}`)
  const { url } = server
  return { database: { url: url + name, drop: () => asAdmin(url, `drop database if exists ${name} with (force)`) }, skip: null }
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${url}postgres` })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
