import type { MessagePort } from 'node:worker_threads'
import type { Change, Store, StoreOptions } from '../contract.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { type Call, carried, type FromThread, type Settled, type ThreadStart, type ToThread } from './thread-messages.ts'

type Method = (...args: readonly unknown[]) => Promise<unknown>
type Methods = Record<string, Readonly<Record<string, Method>>>

/** The thread's side: opens the file, carries out what it is told, answers once a turn. Nothing is answered before it is durable. */
export async function serveStore(port: MessagePort, start: ThreadStart, options: Pick<StoreOptions, 'clock' | 'timers'>): Promise<void> {
  const say = (message: FromThread) => port.postMessage(message)
  let store: Store
  try {
    store = await openSqliteStore(start.path, { ...options, migrate: start.migrate, lost: (error) => say({ kind: 'lost', error: carried(error) }) })
  } catch (error) {
    say({ kind: 'refused', error: carried(error) })
    return
  }
  const parts = methodsOf(store)
  const replies = new Replies(say)
  store.changes.subscribe((change) => replies.changed(change))
  port.on('message', (message: ToThread) => {
    if (message.kind === 'close') return void close(store, replies, port)
    for (const call of message.calls) void answer(parts, call, replies)
  })
  say({ kind: 'opened', parts: Object.fromEntries(Object.entries(parts).map(([part, methods]) => [part, Object.keys(methods)])) })
}

/** Everything of the contract that takes and gives plain data. A membership is no data: its methods become a part of their own. */
function methodsOf(store: Store): Methods {
  const { changes: _, close: __, nodes, ping, ...parts } = store
  const methods: Methods = { ...(parts as unknown as Methods), store: { ping }, membership: {} }
  const join = async (...args: Parameters<typeof nodes.join>) => {
    const { beat, leave } = await nodes.join(...args)
    methods.membership = { beat, leave } as unknown as Methods[string]
  }
  methods.nodes = { ...nodes, join } as unknown as Methods[string]
  return methods
}

async function answer(parts: Methods, [id, part, method, args]: Call, replies: Replies): Promise<void> {
  try {
    const call = parts[part]?.[method]
    if (call === undefined) throw new Error(`the store has no ${part}.${method}`)
    replies.settled([id, true, await call(...args)])
  } catch (error) {
    replies.settled([id, false, carried(error)])
  }
}

async function close(store: Store, replies: Replies, port: MessagePort): Promise<void> {
  await store.close()
  // What the last commit settled is told in the turns of its promises.
  setImmediate(() => {
    replies.send()
    port.postMessage({ kind: 'closed' } satisfies FromThread)
    port.close()
  })
}

/** What settles in one turn travels together: a message costs more than its contents. */
class Replies {
  readonly #say: (message: FromThread) => void
  #changes: Change[] = []
  #settled: Settled[] = []
  #scheduled = false

  constructor(say: (message: FromThread) => void) {
    this.#say = say
  }

  changed(change: Change): void {
    this.#changes.push(change)
    this.#schedule()
  }

  settled(settled: Settled): void {
    this.#settled.push(settled)
    this.#schedule()
  }

  send(): void {
    this.#scheduled = false
    if (this.#settled.length === 0 && this.#changes.length === 0) return
    const [changes, settled] = [this.#changes, this.#settled]
    this.#changes = []
    this.#settled = []
    this.#say({ kind: 'settled', changes, settled })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // After the promises of this turn, so that all that one commit settles is in.
    process.nextTick(() => queueMicrotask(() => process.nextTick(() => this.send())))
  }
}
