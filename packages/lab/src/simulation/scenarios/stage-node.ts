import {
  ALONE,
  createRefreshEngine,
  DatabaseTrust,
  type Engine,
  type EnginePorts,
  Fault,
  type Journal,
  type JournalRecord,
  type MemoryHighWater,
  type NodeIdentity,
  type TokenAnswer,
  TRUSTING,
} from '../../../../evergrant/src/engine.ts'
import type { StageConnection, StageParts } from './stage-parts.ts'

const TICK_MS = 1_000
const OWN_LEASES_MS = 60_000

/** What happens to the next calls of one method of the database. */
interface DatabaseFault {
  readonly method: string
  /** `refused`: not applied. `unacknowledged`: applied, and the answer is lost. `slow_to_answer`: applied, answered after `ms`. */
  readonly kind: 'refused' | 'unacknowledged' | 'slow_to_answer'
  readonly ms?: number
  times: number
}

/** The file that survives a crash of its node. */
export class StageJournal implements Journal {
  readonly records: JournalRecord[] = []
  readonly settledIntents = new Set<string>()
  broken = false

  append(record: JournalRecord): Promise<void> {
    if (this.broken) return Promise.reject(new Error('disk full'))
    this.records.push(record)
    return Promise.resolve()
  }

  settle(intent: string): void {
    this.settledIntents.add(intent)
  }

  pending(): Promise<readonly JournalRecord[]> {
    return Promise.resolve(this.records.filter((record) => !this.settledIntents.has(record.intent)))
  }

  async *answers(): ReturnType<Journal['answers']> {
    yield this.records.map((record) => ({ record, settled: this.settledIntents.has(record.intent) }))
  }

  healthy(): boolean {
    return !this.broken
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** What is in the data folder, from one start of a node to the next. */
interface StageDisk {
  readonly journal: StageJournal
  readonly marks: MemoryHighWater
}

/** One process: the real engine behind a database, a wire and timers that obey the scenario. */
export class StageNode {
  readonly identity: NodeIdentity
  readonly disk: StageDisk
  readonly engine: Engine
  readonly faults: DatabaseFault[] = []
  /** The database cannot be reached. */
  cutOff = false
  readonly #stage: StageParts
  #crashed = false
  #resume: (() => void)[] | null = null
  #pauseAtSendMs = 0

  constructor(stage: StageParts, identity: NodeIdentity, disk: StageDisk) {
    this.#stage = stage
    this.identity = identity
    this.disk = disk
    this.engine = createRefreshEngine(this.#ports())
    stage.store.changes.subscribe((change) => {
      if (this.#crashed) return
      if (change.kind === 'connection') this.engine.forget(change.connection)
      if (change.kind === 'integration') {
        this.engine.contexts.forget(change.integration)
        this.engine.forget('all')
      }
    })
  }

  /** Recovers, then looks at the due queue and at lost nodes every second, and at its own leases every minute. */
  async start(): Promise<void> {
    await this.engine.recover()
    const tick = (): void => {
      if (this.#crashed) return
      void this.engine.runDue().catch(() => {})
      void this.engine.takeOverLost().catch(() => {})
      this.#timer(TICK_MS, tick)
    }
    this.#timer(TICK_MS, tick)
    const ownLeases = (): void => {
      if (this.#crashed) return
      void this.engine.freeForgotten().catch(() => {})
      this.#timer(OWN_LEASES_MS, ownLeases)
    }
    this.#timer(OWN_LEASES_MS, ownLeases)
  }

  get journal(): StageJournal {
    return this.disk.journal
  }

  read(connection: StageConnection, rejectedGeneration: number | null = null): Promise<TokenAnswer> {
    return this.engine.token({ organization: this.#stage.organization, connection: connection.id, minTtlMs: 0, rejectedGeneration })
  }

  /** The process is gone: nothing of it goes on, and its liveness lock is free. */
  crash(): void {
    this.#crashed = true
    this.#stage.lose(this.identity)
  }

  pause(): void {
    this.#resume ??= []
  }

  resume(): void {
    const waiting = this.#resume ?? []
    this.#resume = null
    for (const go of waiting) go()
  }

  /** The next request is held between the last check and the first byte, as a stopped process would hold it. */
  pauseAtNextSend(ms: number): void {
    this.#pauseAtSendMs = ms
  }

  fault(method: string, kind: DatabaseFault['kind'], options: { readonly ms?: number; readonly times?: number } = {}): void {
    this.faults.push({ method, kind, ms: options.ms ?? 0, times: options.times ?? 1 })
  }

  #gate = async (): Promise<void> => {
    if (this.#pauseAtSendMs > 0) {
      const ms = this.#pauseAtSendMs
      this.#pauseAtSendMs = 0
      this.pause()
      this.#stage.time.timers.after(ms, () => this.resume())
    }
    await this.#living()
  }

  async #living(): Promise<void> {
    if (this.#crashed) await new Promise(() => {})
    const resume = this.#resume
    if (resume !== null) {
      await new Promise<void>((go) => resume.push(go))
      await this.#living()
    }
  }

  #timer(ms: number, task: () => void): () => void {
    return this.#stage.time.timers.after(ms, () => void this.#living().then(task))
  }

  async #call(method: string, run: () => Promise<unknown>): Promise<unknown> {
    await this.#living()
    if (this.cutOff) throw new Fault('store_unavailable')
    const fault = this.faults.find((planned) => planned.method === method && planned.times > 0)
    if (fault !== undefined) fault.times -= 1
    if (fault?.kind === 'refused') throw new Fault('store_unavailable')
    const result = await run()
    if (fault?.kind === 'unacknowledged') throw new Fault('store_unavailable')
    if (fault?.kind === 'slow_to_answer') await this.#stage.time.timers.sleep(fault.ms ?? 0)
    await this.#living()
    if (this.cutOff) throw new Fault('store_unavailable')
    return result
  }

  #through<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => this.#call(String(name), () => Promise.resolve(Reflect.apply(value, target, given)))
      },
    })
  }

  #trust(): EnginePorts['trust'] {
    const { time, store, entropy, organization, doubting } = this.#stage
    if (!doubting) return TRUSTING
    const log = { info: () => {}, warn: () => {}, error: () => {} }
    const { journal, marks } = this.disk
    const lineages = this.#through(store.lineages)
    return new DatabaseTrust({
      clock: time.clock,
      entropy,
      log,
      lineages,
      marks,
      journal,
      node: this.identity.id,
      home: () => Promise.resolve(null),
      organization,
    })
  }

  #ports(): EnginePorts {
    const { time, store, seal, directory, provider, entropy, times, databaseFirst } = this.#stage
    const timers: EnginePorts['timers'] = {
      after: (ms, task) => this.#timer(ms, task),
      sleep: async (ms, signal) => {
        await time.timers.sleep(ms, signal)
        await this.#living()
      },
    }
    return {
      clock: time.clock,
      timers,
      entropy,
      seal,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      credentials: this.#through(store.credentials),
      integrations: this.#through(store.integrations),
      directory,
      endpoint: provider.endpoint(this.#gate),
      journal: this.journal,
      node: this.identity,
      nodes: this.#through(store.nodes),
      liveness: ALONE,
      trust: this.#trust(),
      changesFresh: () => !this.cutOff,
      times,
      options: { cacheEntries: 1_000, backgroundFlights: 50, databaseFirst, withoutStoreMs: 60_000 },
      observe: () => {},
      decode: (bytes) => new TextDecoder().decode(bytes),
    }
  }
}
