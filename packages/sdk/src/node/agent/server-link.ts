import type { EvergrantError, ProblemDocument } from '../../evergrant-error.ts'
import { isRecord, type JsonRecord } from '../../proof/jws.ts'
import { configurationError, errorOf } from './client-errors.ts'
import { proofBy } from './dpop.ts'
import { type Answer, exchange } from './exchange.ts'
import type { MachineKey } from './key-provider.ts'
import type { Platform } from './platform.ts'

const API = '/api/v1/'
/** The server's clock may be this much off before times are corrected: `Date` knows whole seconds. */
const SKEW_IGNORED_MS = 2_000
/** A nonce is good for four minutes at least. Where none is asked for, one that may be over is worse than none: the refusal costs what cannot be sent twice. */
const NONCE_MS = 180_000

interface ProvenPost {
  readonly path: string
  readonly body: object
  readonly key: MachineKey
  /** What `rth` is over. */
  readonly credential: string
  /** A new key that signs, too: its proof goes into the body as `next_key_proof`. */
  readonly nextKey?: MachineKey | null
}

/** One Evergrant server: its address, its newest nonce and its clock. A credential goes to no other origin. */
export class ServerLink {
  readonly server: string
  readonly #platform: Platform
  readonly #timeoutMs: number
  #nonce: string | null = null
  #nonceAt = 0
  #skewMs = 0

  constructor(server: string, platform: Platform, timeoutMs: number) {
    this.server = serverUrl(server)
    this.#platform = platform
    this.#timeoutMs = timeoutMs
  }

  url(path: string): string {
    return `${this.server}${API}${path}`
  }

  /** The server's time, as far as it is known here. */
  now(): number {
    return this.#platform.now() + this.#skewMs
  }

  /** Milliseconds that the server's clock is ahead of this machine's. */
  get skewMs(): number {
    return this.#skewMs
  }

  readonly heard = (headers: Headers): void => {
    const nonce = headers.get('dpop-nonce')
    if (nonce !== null) {
      this.#nonce = nonce
      this.#nonceAt = this.#platform.now()
    }
    const date = Date.parse(headers.get('date') ?? '')
    if (Number.isNaN(date)) return
    const skew = date - this.#platform.now()
    this.#skewMs = Math.abs(skew) < SKEW_IGNORED_MS ? 0 : skew
  }

  /** One request with a proof; when the server asks for its nonce, the same body once more with a new proof. */
  async prove({ path, body, key, credential, nextKey = null }: ProvenPost): Promise<Answer> {
    const url = this.url(path)
    const send = async (): Promise<Answer> => {
      const claims = { method: 'POST', url, nonce: this.#nonce, credential }
      const next = nextKey === null ? {} : { next_key_proof: await proofBy(nextKey, claims, this.now()) }
      const dpop = await proofBy(key, claims, this.now())
      return this.#exchange({ method: 'POST', url, headers: { dpop }, body: { ...body, ...next } })
    }
    const answer = await send()
    return answer.status === 401 && answer.body['code'] === 'dpop_nonce_required' ? send() : answer
  }

  /** Without a proof: the device request alone. Repeating it is harmless. */
  open(path: string, body: object): Promise<Answer> {
    return this.#exchange({ method: 'POST', url: this.url(path), headers: { 'idempotency-key': crypto.randomUUID() }, body })
  }

  get(path: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer> {
    return this.#exchange({ method: 'GET', url: this.url(path), headers, signal })
  }

  /** Headers that show an access token and prove its key for one request (RFC 9449 section 7.1). */
  async authorize(method: string, url: string, token: { readonly text: string; readonly type: string }, key: MachineKey): Promise<Record<string, string>> {
    if (token.type.toLowerCase() !== 'dpop') return { authorization: `Bearer ${token.text}` }
    const age = this.#platform.now() - this.#nonceAt
    const nonce = age >= 0 && age < NONCE_MS ? this.#nonce : null
    const dpop = await proofBy(key, { method, url, nonce, accessToken: token.text }, this.now())
    return { authorization: `DPoP ${token.text}`, dpop }
  }

  #exchange(request: Parameters<typeof exchange>[1]): Promise<Answer> {
    return exchange({ fetch: this.#platform.fetch, timeoutMs: this.#timeoutMs, heard: this.heard }, request)
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Origin and path without `/api/v1` and slashes at the end. @throws EvergrantError for plain http to another machine */
export function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw configurationError(`\`${text}\` is no address of an Evergrant server. It looks like https://connect.example.com.`)
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    throw configurationError(`${url.origin} is plain http, where everybody on the way reads along. Use https; plain http is for this very machine alone.`)
  if (url.username !== '' || url.password !== '') throw configurationError('The address of the server must not hold a name or a password.')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/api\/v1$/, '')
}

export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))
}

/** The problem in an answer, as an error. */
export function problemOf({ status, body }: Answer): EvergrantError {
  return errorOf({ ...(body as Partial<ProblemDocument>), code: String(body['code'] ?? 'invalid_answer'), status })
}

export function textOf(body: JsonRecord, name: string): string | null {
  const value = body[name]
  return typeof value === 'string' ? value : null
}

export function recordOf(body: JsonRecord, name: string): JsonRecord {
  const value = body[name]
  return isRecord(value) ? value : {}
}
