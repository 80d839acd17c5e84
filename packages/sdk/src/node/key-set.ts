import { ALGORITHMS, type Algorithm, importPublicKey, isRecord, type JsonRecord, publicJwk } from '../proof/jws.ts'
import { AuthenticationError } from './authentication-error.ts'

/** Keys older than this are read again beside the work; the server asks for that in its `Cache-Control`. */
const SOFT_MS = 300_000
/** Older than this, the next request waits for newer ones: among them one may be missing because it was stolen. */
const HARD_MS = 600_000
/** After a failure, and for keys that nobody knows, the server is asked at most this often. */
const ASK_AGAIN_MS = 30_000
/** While there is no key at all, every failure is somebody's failed request. */
const FIRST_AGAIN_MS = 1_000
const TIMEOUT_MS = 5_000
const LENGTH_MAX = 65_536
const KEYS_MAX = 20

interface VerifyingKey {
  readonly algorithm: Algorithm
  readonly key: CryptoKey
}

interface KeySetOptions {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds; only differences count. */
  readonly now: () => number
}

/** The keys of one JWKS. One request for all who need it; what is known is used for as long as the server is away. */
export class KeySet {
  readonly #options: KeySetOptions
  #keys: ReadonlyMap<string, VerifyingKey> | null = null
  #readAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #lookedForAt = Number.NEGATIVE_INFINITY
  #failure: AuthenticationError | null = null
  #flight: Promise<void> | null = null

  constructor(options: KeySetOptions) {
    this.#options = options
  }

  /** The key with this `kid`; undefined when the server has none. @throws AuthenticationError 503 when no key was ever read and none can be */
  async find(kid: string): Promise<VerifyingKey | undefined> {
    const readBefore = this.#readAt
    const known = (await this.#current()).get(kid)
    if (known !== undefined) return known
    // Who comes while keys are being read waits for them, too.
    if (this.#flight === null) {
      const now = this.#options.now()
      if (this.#readAt !== readBefore || now - Math.max(this.#lookedForAt, this.#failedAt) < ASK_AGAIN_MS) return undefined
      this.#lookedForAt = now
    }
    await this.#read().catch(() => {})
    return this.#keys?.get(kid)
  }

  async #current(): Promise<ReadonlyMap<string, VerifyingKey>> {
    const now = this.#options.now()
    if (this.#keys === null) {
      if (this.#failure !== null && now - this.#failedAt < FIRST_AGAIN_MS) throw this.#failure
      await this.#read()
    } else if (now - this.#readAt > SOFT_MS && now - this.#failedAt >= ASK_AGAIN_MS) {
      // A failure is remembered; the keys that are known go on.
      const reading = this.#read().catch(() => {})
      if (now - this.#readAt > HARD_MS) await reading
    }
    return this.#keys ?? new Map()
  }

  #read(): Promise<void> {
    this.#flight ??= this.#ask().finally(() => {
      this.#flight = null
    })
    return this.#flight
  }

  async #ask(): Promise<void> {
    const { url, fetch, now } = this.#options
    try {
      // Followed to nowhere. Not `error`, which some edge runtimes refuse.
      const response = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
      const text = await response.text()
      if (!response.ok || text.length > LENGTH_MAX) throw new Error(`the answer has status ${response.status} and ${text.length} characters`)
      const keys = await readKeys(JSON.parse(text))
      if (keys.size === 0) throw new Error('the answer has no key that can be used')
      this.#keys = keys
      this.#readAt = now()
      this.#failure = null
    } catch (cause) {
      this.#failedAt = now()
      this.#failure = new AuthenticationError('connection_failed', {
        detail: `The keys at ${url} could not be read. Check that Evergrant can be reached from here.`,
        cause,
      })
      throw this.#failure
    }
  }
}

/** Keys that are not for us are skipped. Two of one name are both left out: which one is meant would be the sender's choice. */
async function readKeys(body: unknown): Promise<ReadonlyMap<string, VerifyingKey>> {
  const given = isRecord(body) && Array.isArray(body['keys']) ? body['keys'].filter(isRecord).slice(0, KEYS_MAX) : []
  const names = given.map(({ kid }) => kid)
  const keys = new Map<string, VerifyingKey>()
  for (const [index, jwk] of given.entries()) {
    const { kid } = jwk
    if (typeof kid !== 'string' || names.some((name, other) => name === kid && other !== index)) continue
    const key = await readKey(jwk)
    if (key !== null) keys.set(kid, key)
  }
  return keys
}

async function readKey(jwk: JsonRecord): Promise<VerifyingKey | null> {
  const algorithm = ALGORITHMS.find((known) => known === jwk['alg'])
  if (algorithm === undefined || (jwk['use'] !== undefined && jwk['use'] !== 'sig')) return null
  const plain = publicJwk(jwk, algorithm)
  const key = plain === null ? null : await importPublicKey(plain, algorithm).catch(() => null)
  return key === null ? null : { algorithm, key }
}
