import { argon2, timingSafeEqual } from 'node:crypto'
import { Fault } from '../core/fault/fault.ts'
import { normalPassword, type PasswordHasher, type PasswordVerdict } from '../core/identity/passwords.ts'
import { type Clock, type Entropy, SECOND } from '../core/time.ts'

/** OWASP's second choice of equal strength for argon2id; 19 MiB for each computation, so that two at a time fit anywhere. */
const CURRENT: Parameters = { memoryKib: 19_456, passes: 2, lanes: 1 }
const SALT_BYTES = 16
const TAG_BYTES = 32
/** Two cores are never both taken for long: whoever waits behind this is told to come back (S68). */
const AT_ONCE = 2
const WAITING_MAX = 16
const COME_BACK_MS = 2 * SECOND
/** A stored hash that asks for more than this was not made here. */
const MEMORY_MAX_KIB = 1_048_576
const PASSES_MAX = 64
const LANES_MAX = 16

interface Parameters {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

/** One argon2id computation (RFC 9106). */
export type Derive = (password: Uint8Array, salt: Uint8Array, parameters: Parameters) => Promise<Uint8Array>

interface PasswordHasherOptions {
  readonly entropy: Pick<Entropy, 'bytes'>
  readonly clock: Pick<Clock, 'wall'>
  /** Node's own by default. */
  readonly derive?: Derive
}

/** argon2id with a bounded queue. The texts are PHC: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`. */
export function createPasswordHasher({ entropy, clock, derive = nodeArgon2id }: PasswordHasherOptions): PasswordHasher {
  const queue = new Queue(() => clock.wall() + COME_BACK_MS)
  const run = (password: string, salt: Uint8Array, parameters: Parameters) =>
    queue.run(() => derive(Buffer.from(normalPassword(password), 'utf8'), salt, parameters))
  return {
    hash: async (password) => {
      const salt = entropy.bytes(SALT_BYTES)
      return phcOf(salt, await run(password, salt, CURRENT), CURRENT)
    },
    verify: async (password, stored): Promise<PasswordVerdict> => {
      const known = stored === null ? null : readPhc(stored)
      const tag = await run(password, known?.salt ?? NOBODY_SALT, known?.parameters ?? CURRENT)
      const matches = known !== null && known.tag.length === tag.length && timingSafeEqual(known.tag, tag)
      return { matches, outdated: known !== null && isWeaker(known.parameters) }
    },
  }
}

const NOBODY_SALT = new Uint8Array(SALT_BYTES)

function isWeaker({ memoryKib, passes }: Parameters): boolean {
  return memoryKib < CURRENT.memoryKib || passes < CURRENT.passes
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,128})$/

function readPhc(text: string): { readonly parameters: Parameters; readonly salt: Uint8Array; readonly tag: Uint8Array } | null {
  const parts = PHC.exec(text)
  if (parts === null) return null
  const [, memory, passes, lanes, salt = '', tag = ''] = parts
  const parameters = { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) }
  const sane = parameters.memoryKib <= MEMORY_MAX_KIB && parameters.passes <= PASSES_MAX && parameters.lanes <= LANES_MAX
  const usable = parameters.passes >= 1 && parameters.lanes >= 1 && parameters.memoryKib >= 8 * parameters.lanes
  return sane && usable ? { parameters, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') } : null
}

function phcOf(salt: Uint8Array, tag: Uint8Array, { memoryKib, passes, lanes }: Parameters): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${base64(salt)}$${base64(tag)}`
}

function nodeArgon2id(password: Uint8Array, salt: Uint8Array, { memoryKib, passes, lanes }: Parameters): Promise<Uint8Array> {
  const parameters = { message: password, nonce: salt, parallelism: lanes, tagLength: TAG_BYTES, memory: memoryKib, passes }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error === null ? resolve(tag) : reject(error)))
  })
}

/** At most two at a time, at most sixteen behind them. */
class Queue {
  readonly #retryAt: () => number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(retryAt: () => number) {
    this.#retryAt = retryAt
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#enter()
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  #enter(): Promise<void> {
    if (this.#running < AT_ONCE) {
      this.#running += 1
      return Promise.resolve()
    }
    if (this.#waiting.length >= WAITING_MAX)
      throw new Fault('overloaded', { detail: 'Too many people sign in at this moment. Try again in a few seconds.', retryAt: this.#retryAt() })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Whoever waits takes the place over, so that nobody gets in between. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }
}
