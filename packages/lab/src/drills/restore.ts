import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { oneOf, UsageError, wholeNumber } from '../command-line.ts'
import { at, type JsonClient } from '../http.ts'
import { PostgresProcess } from '../postgres-process.ts'
import type { ServerProcess } from '../server-process.ts'
import { rest, until } from '../until.ts'
import { type Held, Workbench } from '../workbench.ts'
import type { Drill } from './drill.ts'

interface RestoreOptions {
  /** Null: the embedded database, one node. With PostgreSQL there are two. */
  readonly postgres: PostgresProcess | null
  /** Of each of four reuse classes. */
  readonly perClass: number
  /** Of load before the backup, and again after it. */
  readonly seconds: number
  readonly say: (line: string) => void
}

interface Disaster {
  readonly backup_seconds: number
  readonly backup_bytes: number
  /** Grants that were renewed after the backup, whose refresh token in it is therefore an old one. */
  readonly rotated_after_backup: number
  readonly restore_seconds: number
  /** From an empty host to the first renewed token of a provider that punishes an old one. */
  readonly seconds_to_serving: number
  /** Refused before the confirmation, as they must be. */
  readonly held_back: number
  /** Owners who have to grant again, by connection. */
  readonly needed_reconnect: readonly string[]
}

/** The last line of each store. The last four must be 0. */
interface RestoreReport {
  readonly drill: 'restore'
  readonly store: 'sqlite' | 'postgres'
  readonly nodes: number
  readonly connections: number
  readonly renewals: number
  /** The database is lost, the journals are not. */
  readonly with_journals: Disaster
  /** The database and every journal are lost; the marks are not. */
  readonly without_journals: Disaster
  /** Grants that the provider ended although nobody told it to. */
  readonly families_revoked: number
  readonly wrong_tokens: number
  /** Reconnects that no lost journal explains, and grants that needed one and were not named. */
  readonly unexplained_reconnects: number
  readonly failed_steps: number
}

const CLASSES = { p0: 'P0', p1: 'P1:10', p3: 'P3', p4: 'P4' } as const
const CALLERS = 6
/** A machine that does much else beside the drill is slow, not broken. */
const PATIENCE = { timeoutMs: 300_000, pollMs: 200 } as const

/** Load, a backup under load, renewals that it lacks, the database destroyed, the backup restored, journals rolled forward, confirmed; twice. */
async function rehearseRestore({ postgres, perClass, seconds, say }: RestoreOptions): Promise<RestoreReport> {
  const name = `restore_${process.pid}`
  await postgres?.create(name)
  const bench = await Workbench.start({ profiles: CLASSES, readyMs: PATIENCE.timeoutMs, ...(postgres === null ? {} : { databaseUrl: postgres.url(name) }) })
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-drill-'))
  try {
    const scene = new Scene(bench, folder, postgres === null ? null : postgres.url(name), seconds, say)
    if (postgres !== null) scene.add(await bench.addNode())
    await scene.prepare(perClass)
    const withJournals = await scene.disaster('kept')
    say(`with journals: ${JSON.stringify(withJournals)}`)
    const withoutJournals = await scene.disaster('lost')
    say(`without journals: ${JSON.stringify(withoutJournals)}`)
    return {
      drill: 'restore',
      store: postgres === null ? 'sqlite' : 'postgres',
      nodes: scene.nodes.length,
      connections: scene.held.length,
      renewals: scene.renewals,
      with_journals: withJournals,
      without_journals: withoutJournals,
      families_revoked: scene.revoked,
      wrong_tokens: scene.wrongTokens,
      unexplained_reconnects: scene.unexplained + withJournals.needed_reconnect.length,
      failed_steps: scene.failedSteps,
    }
  } finally {
    await bench.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Node {
  readonly server: ServerProcess
  readonly api: JsonClient
}

class Scene {
  readonly nodes: Node[]
  held: Held[] = []
  renewals = 0
  revoked = 0
  wrongTokens = 0
  unexplained = 0
  failedSteps = 0
  readonly #bench: Workbench
  readonly #folder: string
  readonly #databaseUrl: string | null
  readonly #seconds: number
  readonly #say: (line: string) => void
  readonly #renewed = new Map<string, number>()
  #recipient = ''
  #turn = 0

  constructor(bench: Workbench, folder: string, databaseUrl: string | null, seconds: number, say: (line: string) => void) {
    this.#bench = bench
    this.#folder = folder
    this.#databaseUrl = databaseUrl
    this.#seconds = seconds
    this.#say = say
    this.nodes = [{ server: bench.server, api: bench.api }]
  }

  add(node: Node): void {
    this.nodes.push(node)
  }

  async prepare(perClass: number): Promise<void> {
    for (const profile of Object.keys(CLASSES)) for (let index = 0; index < perClass; index += 1) this.held.push(await this.#bench.hold(profile))
    this.#recipient = String((await this.#command(['backup', 'keygen', '--to', this.#identity])).recipient)
  }

  get #identity(): string {
    return join(this.#folder, 'identity.txt')
  }

  async disaster(journals: 'kept' | 'lost'): Promise<Disaster> {
    const load = this.#load()
    await rest(this.#seconds * 1_000)
    const started = performance.now()
    const made = await this.#command(['backup', '--to', this.#folder, '--recipient', this.#recipient, '--keep', '2'])
    const backupSeconds = secondsSince(started)
    this.#renewed.clear()
    await rest(this.#seconds * 1_000)
    await load.stop()
    for (const held of this.#touched()) if (!this.#renewed.has(held.connection)) await this.#renew(held)
    const rotated = this.held.filter(({ profile, connection }) => profile !== 'p0' && this.#renewed.has(connection))
    await this.#destroy(journals)
    const empty = performance.now()
    await this.#command(['restore', String(made.file), '--identity-file', this.#identity])
    const restoreSeconds = secondsSince(empty)
    for (const { server } of this.nodes) await server.start()
    const heldBack = await this.#heldBack()
    const named = await this.#named()
    const confirmation = this.#databaseUrl === null ? [] : ['--as-original']
    await this.#command(['restore', 'confirm', ...confirmation])
    await this.#serving()
    const secondsToServing = secondsSince(empty)
    const needed = await this.#afterwards(named, journals === 'kept' ? [] : rotated)
    return {
      backup_seconds: backupSeconds,
      backup_bytes: Number(made.bytes),
      rotated_after_backup: rotated.length,
      restore_seconds: restoreSeconds,
      seconds_to_serving: secondsToServing,
      held_back: heldBack,
      needed_reconnect: needed,
    }
  }

  /** Callers who renew and read, over all nodes, until they are told to stop. */
  #load(): { readonly stop: () => Promise<void> } {
    let going = true
    const touched = this.#touched()
    const caller = async (from: number): Promise<void> => {
      for (let index = from; going; index += CALLERS) {
        const one = touched[index % touched.length]
        if (one === undefined) return
        await this.#renew(one)
        await this.#read(one)
      }
    }
    const callers = Array.from({ length: CALLERS }, (_, from) => caller(from))
    return {
      stop: async () => {
        going = false
        await Promise.all(callers)
      },
    }
  }

  /** All but the first of each class: the backup has the newest token of that one, and it must need nobody. */
  #touched(): readonly Held[] {
    const first = new Map(this.held.toReversed().map((held) => [held.profile, held]))
    return this.held.filter((held) => first.get(held.profile) !== held)
  }

  #api(): JsonClient {
    const node = this.nodes[this.#turn++ % this.nodes.length]
    return node?.api ?? this.#bench.api
  }

  async #renew({ connection }: Held): Promise<void> {
    const reply = await this.#api().post(`/connections/${connection}/refresh`)
    if (reply.status !== 200) return
    this.renewals += 1
    this.#renewed.set(connection, Number(at(reply.body, 'generation')))
  }

  /** A token that belongs to another grant is wrong, whatever else happens meanwhile. */
  async #read(held: Held): Promise<void> {
    const reply = await this.#api().get(`/connections/${held.connection}/token`)
    if (reply.status !== 200) return
    const grant = await this.#bench.grantBehind(held.profile, String(at(reply.body, 'access_token')))
    if (grant !== undefined && grant !== held.grant) this.#wrong(`${held.connection} got a token of ${String(grant)}`)
  }

  /** As a disk does it: no goodbye, and nothing is left of the database. */
  async #destroy(journals: 'kept' | 'lost'): Promise<void> {
    for (const { server } of this.nodes) {
      // The journal is synced with every answer; marks follow within half a second, and are all that a lost journal leaves.
      if (journals === 'lost') await rest(1_000)
      await server.kill()
      if (journals === 'lost') rmSync(join(server.dataDir, 'journal'), { recursive: true, force: true })
    }
    if (this.#databaseUrl === null) {
      for (const end of ['', '-wal', '-shm']) rmSync(join(this.#bench.server.dataDir, `evergrant.db${end}`), { force: true })
      return
    }
    const url = new URL(this.#databaseUrl)
    const name = url.pathname.slice(1)
    const client = new pg.Client({ connectionString: Object.assign(url, { pathname: '/postgres' }).href })
    await client.connect()
    await client.query(`drop database ${name} with (force)`)
    await client.query(`create database ${name}`)
    await client.end()
  }

  /** Before the confirmation: how many were refused for their own good. One that is renewed all the same at P1 to P4 is a failure. */
  async #heldBack(): Promise<number> {
    let refused = 0
    for (const { connection, profile } of this.held) {
      const reply = await this.#api().post(`/connections/${connection}/refresh`)
      // A refresh that was under way in the moment of the backup is not repeated either.
      if (['database_untrusted', 'outcome_unknown'].includes(String(at(reply.body, 'code')))) refused += 1
      else if (profile !== 'p0') this.#failed(`${connection} (${profile}) was answered ${reply.status} before the confirmation: ${reply.text.slice(0, 300)}`)
    }
    return refused
  }

  /** The connections that `restore status` names, once every node has compared. */
  async #named(): Promise<ReadonlyMap<string, string>> {
    let status: Readonly<Record<string, unknown>> = {}
    await until(
      'every node to compare',
      async () => {
        status = await this.#command(['restore', 'status'], 1)
        return list(status.waiting_for).length === 0
      },
      PATIENCE,
    )
    const behind = list(status.behind).filter((one) => at(one, 'mended') !== true)
    return new Map(
      behind.map((one) => [String(at(one, 'connection')), `generation ${String(at(one, 'stored_generation'))} of ${String(at(one, 'marked_generation'))}`]),
    )
  }

  async #serving(): Promise<void> {
    const strict = this.held.filter(({ profile }) => profile === 'p4')
    await until(
      'a renewed token',
      async () => {
        for (const { connection } of strict) if ((await this.#api().post(`/connections/${connection}/refresh`)).status === 200) return true
        return false
      },
      PATIENCE,
    )
  }

  /** Every grant is renewed, or was named and waits for its owner, who then grants again. Returns those. */
  async #afterwards(named: ReadonlyMap<string, string>, explained: readonly Held[]): Promise<readonly string[]> {
    const needed: string[] = []
    for (const [index, held] of this.held.entries()) {
      const reply = await this.#settled(held)
      if (reply.status === 200) {
        const token = await this.#api().get(`/connections/${held.connection}/token`)
        if ((await this.#bench.grantBehind(held.profile, String(at(token.body, 'access_token')))) !== held.grant)
          this.#wrong(`${held.connection} is served a token that its grant does not know`)
        if (at(await this.#bench.truth(held), 'state') !== 'live') this.#lost(held)
        continue
      }
      needed.push(held.connection)
      if (explained.length === 0) this.#say(`${held.connection} (${held.profile}) needs its owner: ${named.get(held.connection) ?? 'and was not named'}`)
      if (!named.has(held.connection) || (explained.length > 0 && !explained.includes(held))) {
        this.unexplained += 1
        this.#say(`UNEXPLAINED ${held.connection} (${held.profile}): ${reply.text.slice(0, 300)}`)
      }
      if (at(await this.#bench.truth(held), 'state') !== 'live') this.#lost(held)
      this.held[index] = await this.#bench.regrant(held)
    }
    return needed
  }

  /** A node may hear of the confirmation a moment after the one that wrote it. */
  async #settled({ connection }: Held) {
    let reply = await this.#api().post(`/connections/${connection}/refresh`)
    await until(
      `an answer about ${connection}`,
      async () => {
        if (reply.status === 503) reply = await this.#api().post(`/connections/${connection}/refresh`)
        return reply.status !== 503
      },
      PATIENCE,
    )
    return reply
  }

  /** One command line, with its JSON answer. */
  async #command(args: readonly string[], expected = 0): Promise<Readonly<Record<string, unknown>>> {
    const { code, output } = await this.#bench.server.cli([...args, '--json'])
    const answer = output
      .split('\n')
      .filter((line) => line.startsWith('{') && !line.startsWith('{"level"'))
      .at(-1)
    if (code !== expected || answer === undefined) throw new Error(`evergrant ${args.slice(0, 2).join(' ')} ended with ${code}:\n${output.slice(-2_000)}`)
    return JSON.parse(answer) as Readonly<Record<string, unknown>>
  }

  #wrong(line: string): void {
    this.wrongTokens += 1
    this.#say(`WRONG ${line}`)
  }

  #failed(line: string): void {
    this.failedSteps += 1
    this.#say(`FAILED ${line}`)
  }

  #lost({ connection, profile }: Held): void {
    this.revoked += 1
    this.#say(`REVOKED the grant of ${connection} (${profile})`)
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1_000
}

const STORES = ['sqlite', 'postgres'] as const

export const drill: Drill = {
  help: '[--store sqlite|postgres] [--per-class 6] [--seconds 10]\n\n  --store S      both, one after the other, when none is named\n  --per-class N  connections of each of four reuse classes (6)\n  --seconds N    of load before the backup, and again after it (10)',
  run: async (args, say) => {
    const { values } = parseArgs({
      args,
      options: { store: { type: 'string' }, 'per-class': { type: 'string', default: '6' }, seconds: { type: 'string', default: '10' } },
    })
    const perClass = wholeNumber('per-class', values['per-class'])
    if (perClass < 2) throw new UsageError('--per-class is 2 at least: one that the backup lacks, and one that it has')
    const seconds = wholeNumber('seconds', values.seconds)
    let well = true
    for (const store of values.store === undefined ? STORES : [oneOf('store', values.store, STORES)]) {
      const postgres = store === 'postgres' ? await PostgresProcess.start() : null
      try {
        const report = await rehearseRestore({ postgres, perClass, seconds, say })
        say(JSON.stringify(report))
        const { families_revoked, wrong_tokens, unexplained_reconnects, failed_steps } = report
        well &&= families_revoked + wrong_tokens + unexplained_reconnects + failed_steps === 0
      } finally {
        await postgres?.stop()
      }
    }
    return well
  },
}
