import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'

interface FreshDatabase {
  readonly url: string
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>
}

type DatabaseOffer = { readonly database: FreshDatabase; readonly skip: null } | { readonly database: null; readonly skip: string }

/**
 * An empty PostgreSQL database of one's own, on the one server of this run. Where the server cannot run, `skip` says
 * why; a test file then skips with those words:
 *
 *     const { database, skip } = await freshDatabase()
 *     describe.skipIf(database === null)(`on PostgreSQL${skip ?? ''}`, ...)
 */
export async function freshDatabase(): Promise<DatabaseOffer> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const made = await ask(`create/${name}`)
  if (made.url === undefined) return { database: null, skip: ` (SKIPPED: PostgreSQL does not run on this machine: ${made.reason})` }
  const drop = async () => {
    const dropped = await ask(`drop/${name}`)
    if (dropped.url === undefined) throw new Error(dropped.reason)
  }
  return { database: { url: made.url, drop }, skip: null }
}

async function ask(path: string): Promise<{ readonly url?: string; readonly reason?: string }> {
  const answer = await fetch(inject('postgresDoor') + path)
  return (await answer.json()) as { readonly url?: string; readonly reason?: string }
}
