import {
  ALONE,
  DatabaseTrust,
  type EnginePorts,
  type Log,
  MemoryHighWater,
  type ProviderRecord,
  protocolTimes,
  type Timers,
  TRUSTING,
  watchNode,
} from '../../../evergrant/src/engine.ts'
import { createProviderDirectory, nodeChores, startWorker, type Worker } from '../../../evergrant/src/engine-parts.ts'
import { DueBoard } from './due-board.ts'
import type { Oracle } from './invariants/oracle.ts'
import { Life, type Machine } from './life.ts'
import type { Weather } from './profile.ts'
import type { Random } from './random.ts'
import type { EngineFactory, NodeEngine } from './seed-report.ts'
import { ChangeChannel, type ChangeFan } from './sim-changes.ts'
import { entropyOf, MachineClock, timersOf } from './sim-clock.ts'
import { HOME, type LifeStore, type SimDatabase } from './sim-database.ts'
import { JournalDisk, SimJournal } from './sim-journal.ts'
import type { SimSeal } from './sim-seal.ts'
import type { SimWire } from './sim-wire.ts'
import type { World } from './world.ts'

const HEARTBEAT_STRETCH = 60
/** Where databases are restored, an operator counts nodes that beat within a minute. */
const COUNTED_HEARTBEAT_STRETCH = 9
const TAKE_OVER_STRETCH = 5
const STRICT_LEASE_MS = 600_000
/** When looking for what a lost node left may find something: at once, after two looks, a walk later, and once its strict leases are over. */
const LOST_NODE_HINTS_MS = [0, 16_000, 80_000, ...[5_000, 70_000, 140_000, 210_000].map((ms) => STRICT_LEASE_MS + ms)]
/** What the documentation asks of whoever stops a node. */
const KILLED_AFTER_MS = 120_000

export interface NodeParts {
  readonly world: World
  readonly weather: Weather
  readonly oracle: Oracle
  readonly database: SimDatabase
  readonly wire: SimWire
  readonly fan: ChangeFan
  readonly seal: SimSeal
  readonly records: readonly ProviderRecord[]
  readonly build: EngineFactory
  readonly nodes: number
  readonly locks: { drop(node: { id: string; incarnation: string }): void; retake(node: { id: string; incarnation: string }): boolean } | null
  readonly logOf: (life: Life) => Log
}

/** What a running process has in hand. */
export interface Running {
  readonly life: Life
  readonly engine: NodeEngine
  readonly store: LifeStore
  readonly channel: ChangeChannel
  readonly ports: EnginePorts
  readonly workers: Worker[]
  /** Begins to look after its own leases. Null once it does. */
  ownLeases: (() => void) | null
  /** Somebody read a token: read marks are waiting. */
  readonly reads: DueBoard
  /** Null where no failover is expected. */
  readonly trust: DatabaseTrust | null
}

/** One machine and the processes that live on it, one after the other. */
export class SimNode implements Machine {
  readonly name: string
  readonly clock: MachineClock
  readonly cutFrom = new Set<number>()
  readonly disk = new JournalDisk()
  /** In the data folder, beside the journal. */
  marks = new MemoryHighWater()
  databaseCut = false
  pausedUntil = 0
  /** In the data folder: another disk, another id. */
  id: string
  running: Running | null = null
  life: Life | null = null
  readonly #parts: NodeParts
  readonly #random: Random
  readonly #fault: Random
  #lives = 0
  #lockLost = false
  #lockLosses = 0

  constructor(parts: NodeParts, name: string) {
    this.#parts = parts
    this.name = name
    this.id = name
    this.clock = new MachineClock(parts.world)
    this.#random = parts.world.streams.of(`node ${name}`)
    this.#fault = parts.world.streams.of(`fault v ${name}`)
  }

  /** Ready to be asked by people. */
  get serving(): boolean {
    return this.running?.life.ready === true && !this.running.life.draining
  }

  boot(): void {
    const { world } = this.#parts
    this.#lives += 1
    const life = new Life(world, this, this.#lives, { id: this.id, incarnation: `${this.id}-life-${this.#lives}` })
    this.life = life
    this.#lockLost = false
    if (world.tracing) world.say(`${this.id}/${life.number} boots`)
    this.#start(life).catch((error: unknown) => {
      if (!life.alive) return
      if (world.tracing) world.say(`${this.id}/${life.number} cannot start: ${String(error)}`)
      this.crash('it could not start', this.#random.between(1_000, 5_000))
    })
  }

  /** kill -9, or a power cut. */
  crash(where: string, backAfterMs = this.#random.between(2_000, 120_000)): void {
    const { life } = this
    if (life === null) return
    this.#parts.world.count('crashes')
    this.#parts.oracle.died(life)
    this.#end(life, where, backAfterMs)
    this.disk.crashed(this.#random)
  }

  /** One node alone keeps its id with its database; one whose disk may be lost does not, and has its database elsewhere. */
  get #shared(): boolean {
    return this.#parts.nodes > 1 || this.#parts.weather.enabled('v')
  }

  #end(life: Life, where: string, backAfterMs: number): void {
    const { world, fan, locks, database } = this.#parts
    if (world.tracing) world.say(`${this.id}/${life.number} ends (${where})`)
    world.note(0xdead)
    if (this.#channel !== null) fan.channels.delete(this.#channel)
    life.alive = false
    this.life = null
    this.running = null
    this.pausedUntil = 0
    world.after(this.#random.between(5, 1_000), () => {
      locks?.drop(life.identity)
      for (const afterMs of LOST_NODE_HINTS_MS) database.lostNodes.hint(world.now + afterMs)
    })
    world.after(backAfterMs, () => this.boot())
  }

  pause(ms: number, where: string): void {
    const { world } = this.#parts
    if (this.life === null) return
    if (world.tracing) world.say(`${this.id} pauses for ${ms} ms (${where})`)
    world.count('pauses')
    this.pausedUntil = Math.max(this.pausedUntil, world.now + ms)
  }

  /** SIGTERM: ends by itself, or is killed after 120 s. */
  drain(backAfterMs: number): void {
    const { running } = this
    const { world } = this.#parts
    if (running === null || !running.life.ready || running.life.draining) return
    const { life, engine, workers } = running
    world.count('drains')
    life.draining = true
    life.drainingSince = world.now
    const stopped = Promise.all(workers.map((worker) => worker.stop()))
    const exit = async () => {
      const { onlyInJournal } = await engine.drain()
      await stopped
      this.#parts.oracle.exited(life, onlyInJournal)
      this.#end(life, 'it was drained', backAfterMs)
      this.disk.closed()
    }
    exit().catch((error: unknown) => world.violate('defect', `a drain failed: ${String(error)}`))
    world.after(KILLED_AFTER_MS, () => {
      if (life.alive) this.crash('killed while draining', backAfterMs)
    })
  }

  /** The disk is gone with what is on it; the machine comes back with a new one. */
  loseDisk(): void {
    this.crash('its disk is lost')
    this.#parts.world.count('disks lost')
    for (const record of this.disk.lose()) this.#parts.oracle.diskLost(record)
    this.id = `${this.name}-${this.#lives}`
    this.marks = new MemoryHighWater()
  }

  cutDatabase(ms: number): void {
    const { world, locks } = this.#parts
    const { life } = this
    this.databaseCut = true
    this.#lockLost = true
    this.#lockLosses += 1
    this.#channel?.goDeaf()
    world.after(30_000, () => {
      if (this.databaseCut && life !== null) locks?.drop(life.identity)
    })
    world.after(ms, () => this.healDatabase())
  }

  /** The server at the other end is another one now. */
  loseConnections(): void {
    this.#lockLost = true
    this.#lockLosses += 1
    this.#channel?.goDeaf()
    if (this.life !== null) this.#parts.locks?.drop(this.life.identity)
  }

  healDatabase(): void {
    this.databaseCut = false
    this.#channel?.hearAgain()
    if (this.life !== null && this.#lockLost) this.#lockLost = this.#parts.locks !== null && !this.#parts.locks.retake(this.life.identity)
  }

  async #start(life: Life): Promise<void> {
    const { fan, world, database } = this.#parts
    const log = this.#parts.logOf(life)
    const store = database.for(life)
    await this.#join(life)
    const membership = {
      held: () => life.alive && !this.#lockLost,
      losses: () => this.#lockLosses,
      beat: (draining: boolean) => database.operation(life, 'beat', () => this.#membershipBeat(life, draining)),
    }
    const { clock, watch } = watchNode(membership, this.clock, log)
    if (this.#shared) await watch.beat(false)
    const reads = new DueBoard(world)
    const ports = this.#ports(
      life,
      this.#rememberingMarks(store, reads),
      log,
      this.#shared ? { clock, liveness: watch } : { clock: this.clock, liveness: ALONE },
    )
    const engine = this.#parts.build(ports)
    const channel = new ChangeChannel(world, life, (change) => {
      if (change.kind === 'connection') engine.forget(change.connection)
      if (change.kind === 'integration') engine.forgetIntegration(change.integration)
      if (change.kind === 'unknown') engine.forgetIntegration('all')
    })
    fan.channels.add(channel)
    this.#channel = channel
    await engine.recover()
    if (this.#random.chance(0.2)) {
      life.recoveringAgain = true
      await engine.recover()
      life.recoveringAgain = false
    }
    const trust = ports.trust instanceof DatabaseTrust ? ports.trust : null
    const running: Running = { life, engine, store, channel, ports, workers: [], ownLeases: null, reads, trust }
    this.running = running
    this.#startChores(running, this.#shared ? watch : null)
    life.ready = true
    if (world.tracing) world.say(`${this.id}/${life.number} is ready`)
  }

  #channel: ChangeChannel | null = null

  /** Marks that could not be written are written later. */
  #rememberingMarks(store: LifeStore, reads: DueBoard): LifeStore {
    const { credentials } = store
    const markReads: typeof credentials.markReads = async (marks) => {
      try {
        await credentials.markReads(marks)
      } catch (error) {
        reads.hint(this.#parts.world.now + 5_000)
        throw error
      }
    }
    return { ...store, credentials: { ...credentials, markReads } }
  }

  async #join(life: Life): Promise<void> {
    const { database } = this.#parts
    for (;;) {
      try {
        this.#membership = await database.operation(life, 'join', () => database.store.nodes.join(life.identity, 0))
        return
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes('live process')) throw error
        await timersOf(life.later).sleep(500)
      }
    }
  }

  #membership: { beat(draining: boolean): Promise<number> } | null = null

  #membershipBeat(_life: Life, draining: boolean): Promise<number> {
    if (this.#membership === null) throw new Error('not joined')
    return this.#membership.beat(draining)
  }

  #ports(life: Life, store: LifeStore, log: Log, own: Pick<EnginePorts, 'clock' | 'liveness'>): EnginePorts {
    const { world, weather, oracle, wire, records, seal } = this.#parts
    const decoder = new TextDecoder()
    const journal = new SimJournal({ world, weather, oracle, random: this.#random, fault: this.#fault }, life, this.disk)
    return {
      ...own,
      timers: timersOf(life.later),
      entropy: entropyOf(world.streams.of(`entropy ${this.name} ${life.number}`), this.clock),
      seal,
      log,
      credentials: store.credentials,
      integrations: store.integrations,
      directory: createProviderDirectory({ records, fetchJson: () => Promise.reject(new Error('no discovery here')), clock: own.clock }),
      endpoint: wire.endpointOf(life),
      journal,
      node: life.identity,
      trust: this.#parts.weather.enabled('o') ? this.#trust(life, store, log, journal, own.clock) : TRUSTING,
      nodes: store.nodes,
      changesFresh: () => this.#channel?.fresh() ?? true,
      times: protocolTimes(),
      options: { cacheEntries: 1_000, backgroundFlights: 50, databaseFirst: this.#shared, withoutStoreMs: 60_000 },
      observe: () => {},
      decode: (bytes) => decoder.decode(bytes),
    }
  }

  #trust(life: Life, store: LifeStore, log: Log, journal: SimJournal, clock: EnginePorts['clock']): DatabaseTrust {
    return new DatabaseTrust({
      clock,
      entropy: entropyOf(this.#parts.world.streams.of(`trust ${this.name} ${life.number}`), this.clock),
      log,
      lineages: store.lineages,
      marks: this.marks,
      journal,
      node: this.id,
      home: () => Promise.resolve({ ...HOME, timeline: this.#parts.database.timeline }),
      organization: 'org_operator',
    })
  }

  /** Without a failover no lease is ever forgotten, so that looking before the first one shows nothing. */
  lookAfterOwnLeases(): void {
    if (this.running === null || this.#parts.database.timeline === 1) return
    this.running.ownLeases?.()
    this.running.ownLeases = null
  }

  #startChores(running: Running, watch: Parameters<typeof nodeChores>[0]['watch']): void {
    const { life, engine, store, ports, workers, reads, trust } = running
    const { database, wire } = this.#parts
    const revocation = {
      connections: store.connections,
      credentials: store.credentials,
      contextOf: async (row: Parameters<Parameters<typeof nodeChores>[0]['revocation']['contextOf']>[0]) => {
        const integration = await store.integrations.load(row.connection.integration)
        const record = ports.directory.get(integration?.provider ?? '')
        if (record === undefined) throw new Error('no record')
        return { record, endpoints: await ports.directory.resolve(record, {}), clientId: 'client', clientSecret: null, variables: {}, facts: {}, token: null }
      },
      sendRequest: (request: Parameters<SimWire['revoke']>[1]) => wire.revoke(life, request),
      seal: ports.seal,
      clock: ports.clock,
      entropy: ports.entropy,
      log: ports.log,
    }
    for (const boards of [database.ages, database.ownLeases]) boards.set(this.name, new DueBoard(this.#parts.world))
    for (const chore of nodeChores({ engine, revocation, watch, ...(trust === null ? {} : { trust }) })) {
      const start = () => void workers.push(startWorker([chore], { timers: this.#choreTimers(chore.name, life, reads, database), log: ports.log }))
      if (chore.name === 'own leases') running.ownLeases = start
      else start()
    }
    this.lookAfterOwnLeases()
  }

  #look(board: DueBoard, task: () => void): void {
    board.nothingBefore(this.#parts.world.now)
    task()
  }

  /** As often as the real ones, less the polls that are known to find nothing. */
  #choreTimers(name: string, life: Life, reads: DueBoard, database: SimDatabase): Timers {
    const { sleep } = timersOf(life.later)
    switch (name) {
      case 'renew':
        return { sleep, after: (ms, task) => database.due.wait(ms * database.patience, life.laterAt, task) }
      case 'revoke':
        return { sleep, after: (ms, task) => database.revocations.wait(ms * database.patience, life.laterAt, task) }
      case 'read marks':
        return { sleep, after: (ms, task) => reads.wait(ms * database.patience, life.laterAt, () => this.#look(reads, task)) }
      case 'age of the database':
      case 'own leases': {
        const board = (name === 'own leases' ? database.ownLeases : database.ages).get(this.name) ?? reads
        return { sleep, after: (ms, task) => board.wait(ms, life.laterAt, () => this.#look(board, task)) }
      }
      case 'take over':
        return { sleep, after: (ms, task) => database.lostNodes.wait(ms * TAKE_OVER_STRETCH, life.laterAt, task) }
      default:
        return { sleep, after: (ms, task) => life.later(ms * (this.#parts.weather.enabled('o') ? COUNTED_HEARTBEAT_STRETCH : HEARTBEAT_STRETCH), task) }
    }
  }
}
