import { getCompileCacheDir } from 'node:module'
import { Worker } from 'node:worker_threads'
import { Fault } from '../../core/fault/fault.ts'
import type { Membership, Nodes } from '../../core/refresh/nodes.ts'
import type { Instant } from '../../core/time.ts'
import type { Store, StoreOptions } from '../contract.ts'
import { Listeners } from '../listeners.ts'
import { type Call, type CarriedError, type FromThread, revived, type ThreadStart, type ToThread } from './thread-messages.ts'

interface ThreadedStoreOptions extends Pick<StoreOptions, 'migrate' | 'log'> {
  /** The module that serves the store on a thread: calls `serveStore` with its port, its start and a clock. */
  readonly entry: URL
  /** Told when the thread ends by itself, or can no longer trust its file. By default the error is thrown where nothing catches it, which ends the process. */
  readonly died?: (error: Error) => void
}

/**
 * The embedded store on a thread of its own: statements and syncs to disk hold up no request. Calls of one turn of the
 * event loop travel together and resolve when they are durable, as in one thread.
 * @throws Fault `store_unavailable` when another process uses the file or its schema is not this program's
 */
export async function openThreadedSqliteStore(path: string, options: ThreadedStoreOptions): Promise<Store> {
  const start: ThreadStart = { path, migrate: options.migrate === true, compiledIn: getCompileCacheDir() }
  const thread = new StoreThread(startThread(options.entry, start), options)
  const parts = await thread.opened
  const part = (name: string) => Object.fromEntries((parts[name] ?? []).map((method) => [method, (...args: unknown[]) => thread.call(name, method, args)]))
  const store = Object.fromEntries(Object.keys(parts).map((name) => [name, part(name)]))
  const plain = store as unknown as Omit<Store, 'changes' | 'ping' | 'close'>
  return {
    ...plain,
    nodes: { ...plain.nodes, join: (node, patienceMs) => joined(thread, node, patienceMs) },
    changes: { subscribe: (listener) => thread.listeners.subscribe(listener), fresh: () => true },
    ping: async () => {
      await thread.call('store', 'ping', [])
    },
    close: () => thread.close(),
  }
}

/** The flags of this process, without a program given on the command line: that one is not the thread's. */
function flagsOf(flags: readonly string[]): string[] {
  const program = flags.findIndex((flag) => /^(-e|-p|-pe|--eval|--print)$/.test(flag))
  const kept = program === -1 ? flags : [...flags.slice(0, program), ...flags.slice(program + 2)]
  return kept.filter((flag) => !flag.startsWith('--input-type'))
}

/** Flags of V8 hold for the whole process, and a thread refuses to be told: it names them in the error. */
function startThread(entry: URL, workerData: ThreadStart): Worker {
  const flags = flagsOf(process.execArgv)
  const start = (execArgv: string[]) => new Worker(entry, { workerData, name: 'store', execArgv })
  try {
    return start(flags)
  } catch (error) {
    const refused = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_INVALID_EXEC_ARGV' ? error.message.split(/[\s,:]+/) : []
    if (refused.length === 0) throw error
    return start(flags.filter((flag) => !refused.includes(flag)))
  }
}

/** The thread holds the data lock for as long as it runs, and the process does not outlive it. */
async function joined(thread: StoreThread, ...args: Parameters<Nodes['join']>): Promise<Membership> {
  await thread.call('nodes', 'join', args)
  let held = true
  return {
    held: () => held && thread.running,
    losses: () => 0,
    beat: (draining) => thread.call('membership', 'beat', [draining]) as Promise<Instant>,
    leave: async () => {
      await thread.call('membership', 'leave', [])
      held = false
    },
  }
}

interface Waiter {
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

class StoreThread {
  readonly listeners: Listeners
  /** The methods of each part of the contract. Rejects when the file cannot be opened. */
  readonly opened: Promise<Readonly<Record<string, readonly string[]>>>
  readonly #worker: Worker
  readonly #died: (error: Error) => void
  readonly #waiting = new Map<number, Waiter>()
  readonly #ended: Promise<void>
  #open: Waiter = { resolve: () => {}, reject: () => {} }
  #outgoing: Call[] = []
  #next = 0
  #state: 'opening' | 'open' | 'closing' | 'ended' = 'opening'
  #failure: Error | undefined

  constructor(worker: Worker, { log, died = throwOutside }: ThreadedStoreOptions) {
    this.#worker = worker
    this.#died = died
    this.listeners = new Listeners(log)
    this.opened = new Promise((resolve, reject) => {
      this.#open = { resolve: resolve as (value: unknown) => void, reject }
    })
    worker.on('message', (message: FromThread) => this.#hear(message))
    worker.on('messageerror', (error) => this.#fail(error))
    worker.on('error', (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))))
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#end(code)
        resolve()
      })
    })
  }

  get running(): boolean {
    return this.#state === 'open'
  }

  call(part: string, method: string, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#state !== 'open') throw new Fault('store_unavailable', { detail: 'the store is closed' })
      const id = this.#next++
      // Only a call under way keeps the process alive.
      if (this.#waiting.size === 0) this.#worker.ref()
      this.#waiting.set(id, { resolve, reject })
      if (this.#outgoing.push([id, part, method, args]) === 1) setImmediate(() => this.#send())
    })
  }

  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#send()
      this.#state = 'closing'
      this.#worker.ref()
      this.#tell({ kind: 'close' })
    }
    await this.#ended
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message)
  }

  #send(): void {
    const calls = this.#outgoing
    if (calls.length === 0 || this.#state === 'ended') return
    this.#outgoing = []
    try {
      this.#tell({ kind: 'calls', calls })
    } catch {
      for (const call of calls) this.#sendAlone(call)
    }
  }

  /** What cannot be copied is the fault of its own caller alone. */
  #sendAlone(call: Call): void {
    try {
      this.#tell({ kind: 'calls', calls: [call] })
    } catch (error) {
      this.#take(call[0])?.reject(error)
    }
  }

  #hear(message: FromThread): void {
    switch (message.kind) {
      case 'opened':
        this.#state = 'open'
        this.#worker.unref()
        return this.#open.resolve(message.parts)
      case 'refused':
        this.#state = 'closing'
        return void this.#ended.then(() => this.#open.reject(revived(message.error)))
      case 'settled':
        this.listeners.announce(message.changes)
        for (const [id, kept, value] of message.settled) {
          const waiter = this.#take(id)
          if (kept) waiter?.resolve(value)
          else waiter?.reject(revived(value as CarriedError))
        }
        return
      case 'lost':
        return this.#died(revived(message.error))
      case 'closed':
        return
    }
  }

  #take(id: number): Waiter | undefined {
    const waiter = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0 && this.#state === 'open') this.#worker.unref()
    return waiter
  }

  #fail(error: Error): void {
    this.#failure ??= error
  }

  #end(code: number): void {
    const expected = this.#state === 'closing' && this.#failure === undefined
    const wasOpening = this.#state === 'opening'
    this.#state = 'ended'
    if (expected && this.#waiting.size === 0) return
    const error = this.#failure ?? new Error(`the thread of the database ended with code ${code}`)
    const fault = new Fault('store_unavailable', { detail: `the thread of the database ended: ${error.message}`, cause: error })
    for (const waiter of this.#waiting.values()) waiter.reject(fault)
    this.#waiting.clear()
    if (wasOpening) return this.#open.reject(fault)
    if (!expected) this.#died(error)
  }
}

/** A node without its database serves nothing: it stops at once, and whoever supervises it sees why. */
function throwOutside(error: Error): void {
  setImmediate(() => {
    throw error
  })
}
