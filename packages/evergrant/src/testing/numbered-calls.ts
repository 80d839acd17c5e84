import { Fault } from '../core/fault/fault.ts'
import { NotSent, type OpenLine, type TokenEndpoint, type WireOutcome } from '../core/provider/wire.ts'
import type { EnginePorts } from '../core/refresh/engine-ports.ts'
import type { TruthfulProvider } from './truthful-provider.ts'

/**
 * What befalls one call. `fails`: it does nothing and says so. `unknown`: it is done, and says that it failed. `dies`: the
 * engine never hears of anything again, before or after the call was done. `pauses`: it takes long.
 */
export type Blow = 'fails' | 'unknown' | 'dies before' | 'dies after' | 'pauses before' | 'pauses after'
export const BLOWS: readonly Blow[] = ['fails', 'unknown', 'dies before', 'dies after', 'pauses before', 'pauses after']

interface NumberedCall {
  readonly number: number
  readonly name: string
}

interface CallsSetting {
  /** Null: the call goes well. */
  readonly blow: (call: NumberedCall) => Blow | null
  readonly pause: () => Promise<void>
}

const NEVER = new Promise<never>(() => {})

/** Counts every call that one engine makes to the world, and strikes those that it is told to. */
export class NumberedCalls {
  readonly made: string[] = []
  /** The calls that were struck. */
  readonly struck: string[] = []
  /** Generations whose answer the database or a journal has for certain. */
  readonly durable: Set<number>
  dead = false
  readonly died: Promise<void>
  readonly firstBlow: Promise<void>
  readonly #setting: CallsSetting
  #die: () => void = () => {}
  #strike: () => void = () => {}

  /** `durable`: shared by the engines of one connection. */
  constructor(setting: CallsSetting, durable = new Set<number>()) {
    this.#setting = setting
    this.durable = durable
    this.died = new Promise((resolve) => {
      this.#die = resolve
    })
    this.firstBlow = new Promise((resolve) => {
      this.#strike = resolve
    })
  }

  /** One call. `refuse` throws or resolves the way the real part says that it failed. */
  async call<Result>(name: string, work: () => Promise<Result>, refuse: () => Result): Promise<Result> {
    if (this.dead) return NEVER
    const blow = this.#next(name)
    if (blow === 'fails') return refuse()
    if (blow === 'dies before') return this.#end()
    if (blow === 'pauses before') await this.#setting.pause()
    if (this.dead) return NEVER
    const result = await work()
    if (blow === 'unknown') return refuse()
    if (blow === 'dies after') return this.#end()
    if (blow === 'pauses after') await this.#setting.pause()
    return this.dead ? NEVER : result
  }

  /** A call that answers at once and cannot refuse. */
  note(name: string, work: () => void): void {
    if (this.dead) return
    const blow = this.#next(name)
    if (blow === 'dies before') void this.#end()
    if (blow === null || blow === 'unknown' || blow === 'dies after') work()
    if (blow === 'dies after') void this.#end()
    if (blow === 'pauses before' || blow === 'pauses after') void this.#setting.pause().then(work)
  }

  #next(name: string): Blow | null {
    this.made.push(name)
    const blow = this.#setting.blow({ number: this.made.length, name })
    if (blow !== null) {
      this.struck.push(`${this.made.length} ${name} ${blow}`)
      this.#strike()
    }
    return blow
  }

  #end(): Promise<never> {
    this.dead = true
    this.#die()
    return NEVER
  }
}

const away = (): never => {
  throw new Fault('store_unavailable', { detail: 'struck by the test' })
}

/** What a commit of a grant answers: from now on this generation must never be lost. */
function noted(calls: NumberedCalls, result: unknown): unknown {
  if (typeof result === 'object' && result !== null && Reflect.get(result, 'kind') === 'applied') calls.durable.add(Number(Reflect.get(result, 'generation')))
  return result
}

/** Every method of a store port is a numbered call. */
function storePort<Port extends object>(port: Port, name: string, calls: NumberedCalls): Port {
  return new Proxy(port, {
    get: (target, key) => {
      const method: unknown = Reflect.get(target, key)
      if (typeof method !== 'function') return method
      return (...args: readonly unknown[]) => calls.call(`${name}.${String(key)}`, async () => noted(calls, await Reflect.apply(method, target, args)), away)
    },
  })
}

/** The ports of an engine whose database calls, journal writes and socket steps are numbered. */
export function numberedPorts(ports: EnginePorts, provider: TruthfulProvider, calls: NumberedCalls): EnginePorts {
  const { journal } = ports
  return {
    ...ports,
    credentials: storePort(ports.credentials, 'store', calls),
    integrations: storePort(ports.integrations, 'store', calls),
    journal: {
      append: (record) =>
        calls.call(
          'journal.append',
          async () => {
            await journal.append(record)
            calls.durable.add(record.generation + 1)
          },
          () => {
            throw new Error('ENOSPC')
          },
        ),
      settle: (intent) => calls.note('journal.settle', () => journal.settle(intent)),
      pending: () => journal.pending(),
      answers: () => journal.answers(),
      healthy: () => journal.healthy(),
      close: () => journal.close(),
    },
    endpoint: numberedSocket(provider, calls, ports.clock.wall),
  }
}

const SILENCE: WireOutcome = { kind: 'no_answer', cause: 'ECONNRESET' }

/** Where the records of trials send the second request of a chain. */
export const CHAIN_URL = 'https://session.example/login'

/** Three steps of a socket: it connects, the request arrives and is acted on, the answer comes back. */
function numberedSocket(provider: TruthfulProvider, calls: NumberedCalls, now: () => number): TokenEndpoint {
  const connect = async (): Promise<OpenLine> => ({
    close: () => {},
    send: async (request) => {
      const token = new URLSearchParams(request.body ?? '').get('refresh_token') ?? ''
      const end = provider.begin(token)
      const sentAt = now()
      // A process that is gone has no request under way.
      void calls.died.then(end)
      const reply = await calls.call(
        'socket.write',
        async () => provider.present(token, sentAt),
        () => null,
      )
      if (reply === null) {
        end()
        return SILENCE
      }
      const bytes = new TextEncoder().encode(reply.body)
      const answer = { status: reply.status, headers: { 'content-type': 'application/json' }, body: bytes, text: reply.body }
      end()
      return calls.call<WireOutcome>(
        'socket.read',
        async () => ({ kind: 'answered', answer }),
        () => SILENCE,
      )
    },
  })
  const refused = (): never => {
    throw new NotSent('ECONNREFUSED', 'struck by the test')
  }
  const chain = async (): Promise<OpenLine> => ({
    close: () => {},
    send: async ({ url }) => {
      const first = new URL(url).searchParams.get('access_token') ?? ''
      const session = await calls.call<string | null>(
        'chain.write',
        async () => provider.session(first),
        () => null,
      )
      if (session === null) return SILENCE
      const text = JSON.stringify({ session, expires_in: provider.lifetimeSeconds })
      const answer = { status: 200, headers: {}, body: new TextEncoder().encode(text), text }
      return calls.call<WireOutcome>(
        'chain.read',
        async () => ({ kind: 'answered', answer }),
        () => SILENCE,
      )
    },
  })
  return { open: (url) => (url.startsWith(CHAIN_URL) ? calls.call('chain.connect', chain, refused) : calls.call('socket.connect', connect, refused)) }
}
