import { isRecord } from '../../proof/jws.ts'
import type { Connection, Token } from '../../wire/shapes.ts'
import { fetchWithToken } from './api-fetch.ts'
import { isStream } from './body.ts'
import { configurationError, errorOf } from './client-errors.ts'
import { orAborted } from './or-aborted.ts'
import type { Platform } from './platform.ts'
import type { ServerLink } from './server-link.ts'
import type { ServerSession } from './server-session.ts'

export interface TokenRequest {
  /** Seconds that the token must still live; capped by the server at half its lifetime. */
  readonly minTtl?: number
  /** The `generation` of a token that an API refused with 401: whatever is newer. */
  readonly rejectedGeneration?: number
  readonly signal?: AbortSignal
}

export interface ConnectionFilter {
  readonly integration?: string
  readonly owner?: string
  readonly status?: Connection['status']
  readonly tag?: string
  readonly limit?: number
  readonly cursor?: string
}

/** The connections that this agent's policy selects. */
export interface AgentConnections {
  /** A valid access token. From memory while it is fresh: then it costs no request and no wait. */
  token(id: string, request?: TokenRequest): Promise<Token>
  /**
   * `fetch` with a fresh token of the connection. An API's 401 renews the token and sends the request once more, where its body can be sent twice; 429 and
   * 503 are waited for. Only https addresses, and redirects only inside the same origin.
   */
  fetch(id: string, url: string | URL, init?: RequestInit): Promise<Response>
  /**
   * Through Evergrant, which adds the token: this program never sees it. `path` is that of the provider's API, with its query, and without `.` and `..` segments.
   * @throws ConnectionError or TimeoutError when Evergrant did not answer; EvergrantError for what it refuses itself
   */
  proxy(id: string, path: string, init?: RequestInit): Promise<Response>
  /** What is known of it, without its token. @throws EvergrantError `not_found` when it does not exist or the policy does not select it */
  get(id: string, options?: { readonly signal?: AbortSignal }): Promise<Connection>
  list(filter?: ConnectionFilter): Promise<{ readonly items: readonly Connection[]; readonly cursor: string | null }>
}

/** Nothing is kept for longer than this: a change of policy reaches every program within it. */
const KEPT_MS = 60_000
/** A token that ends within this is asked for again. */
const MARGIN_MS = 30_000

interface Kept {
  readonly promise: Promise<Token>
  readonly token: Token
  readonly until: number
}

interface ConnectionParts {
  readonly session: () => Promise<ServerSession>
  readonly link: () => ServerLink
  readonly platform: Platform
  readonly maxRetries: number
}

export class ConnectionTokens implements AgentConnections {
  readonly #parts: ConnectionParts
  readonly #kept = new Map<string, Kept>()
  readonly #flights = new Map<string, Promise<Token>>()

  constructor(parts: ConnectionParts) {
    this.#parts = parts
  }

  token(id: string, request?: TokenRequest): Promise<Token> {
    const kept = this.#kept.get(id)
    if (kept !== undefined && this.#isFresh(kept) && (request === undefined || fits(kept.token, request, this.#parts.link().now()))) return kept.promise
    return this.#read(id, request ?? {})
  }

  async fetch(id: string, url: string | URL, init: RequestInit = {}): Promise<Response> {
    const { platform, maxRetries } = this.#parts
    const signal = init.signal ? { signal: init.signal } : {}
    const token = (rejected: number | null): Promise<Token> => this.token(id, rejected === null ? signal : { ...signal, rejectedGeneration: rejected })
    return fetchWithToken({ platform, maxRetries, token }, url, init)
  }

  async proxy(id: string, path: string, init: RequestInit = {}): Promise<Response> {
    const target = `proxy/${segmentOf(id)}/${proxyPath(path)}`
    const { method = 'GET', body, signal } = init
    const session = await orAborted(this.#parts.session(), signal)
    const response = await session.send(method.toUpperCase(), target, init, !isStream(body))
    // Evergrant's own refusals are errors; whatever a provider answers is the caller's.
    if (response.status < 400 || response.headers.has('evergrant-upstream-status')) return response
    const problem: unknown = await response.json().catch(() => null)
    const code = isRecord(problem) && typeof problem['code'] === 'string' ? problem['code'] : 'invalid_answer'
    throw errorOf({ ...(isRecord(problem) ? problem : {}), code, status: response.status })
  }

  async get(id: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Connection> {
    const path = `connections/${segmentOf(id)}`
    const session = await orAborted(this.#parts.session(), signal)
    return (await session.get(path, {}, signal)) as unknown as Connection
  }

  async list(filter: ConnectionFilter = {}): ReturnType<AgentConnections['list']> {
    const session = await this.#parts.session()
    return (await session.get('connections', { ...filter })) as unknown as Awaited<ReturnType<AgentConnections['list']>>
  }

  /** What is kept belongs to a credential that is over. */
  forget(): void {
    this.#kept.clear()
  }

  /** One request for all who want the same. */
  #read(id: string, request: TokenRequest): Promise<Token> {
    const { minTtl, rejectedGeneration, signal } = request
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const name = `${id}\n${minTtl ?? ''}\n${rejectedGeneration ?? ''}`
    const flight = this.#flights.get(name) ?? this.#ask(id, request).finally(() => this.#flights.delete(name))
    this.#flights.set(name, flight)
    return orAborted(flight, signal)
  }

  async #ask(id: string, request: TokenRequest): Promise<Token> {
    const { minTtl, rejectedGeneration } = request
    const path = `connections/${segmentOf(id)}/token`
    const session = await this.#parts.session()
    const answer = await session.get(path, { min_ttl: minTtl, rejected_generation: rejectedGeneration }).catch((error) => {
      // Cut off, paused or out of the policy: what is kept is not handed out, either.
      this.#kept.delete(id)
      throw error
    })
    const token = answer as unknown as Token
    const { platform, link } = this.#parts
    const now = platform.now()
    // Asked for before, answered after: what is newer stays.
    const newer = this.#kept.get(id)
    if (newer !== undefined && newer.token.generation > token.generation && this.#isFresh(newer))
      return fits(newer.token, request, link().now()) ? newer.token : token
    const ends = token.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(token.expires_at) - link().skewMs - MARGIN_MS
    this.#kept.delete(id)
    this.#kept.set(id, { token, promise: Promise.resolve(token), until: Math.min(now + KEPT_MS, ends) })
    this.#dropOver()
    return token
  }

  /** In the order in which they came, which is nearly that of their ends: a program that uses a million connections does not keep a million tokens. */
  #dropOver(): void {
    for (const [id, kept] of this.#kept) {
      if (this.#isFresh(kept)) return
      this.#kept.delete(id)
    }
  }

  /** More than can be left: this machine's clock was set back, and nobody knows for how long it has been kept. */
  #isFresh({ until }: Kept): boolean {
    const leftMs = until - this.#parts.platform.now()
    return leftMs > 0 && leftMs <= KEPT_MS
  }
}

/** `fetch` takes `.` and `..` for steps, however they are written: the request would go to another route, with the credential of this machine. */
const DOTS = /^(?:\.|%2e){1,2}$/i

function segmentOf(id: string): string {
  if (id === '' || DOTS.test(id)) throw configurationError(`\`${id}\` is no id of a connection. It looks like con_...; connections.list() has them.`)
  return encodeURIComponent(id)
}

/** Addresses lose tabs and line breaks before they are read, and a backslash counts as a slash. */
function proxyPath(text: string): string {
  const path = text.replace(/[\t\r\n]/g, '').replace(/^\/+/, '')
  const segments = (path.split(/[?#]/, 1)[0] ?? '').split(/\/|\\|%2f|%5c/i)
  if (segments.some((segment) => DOTS.test(segment)))
    throw configurationError(`The path \`${text}\` has \`.\` or \`..\` segments. Write the path of the provider's API in full.`)
  return path
}

/** `now`: the server's time, in which the end of a token is given. */
function fits({ generation, expires_at: ends }: Token, { minTtl, rejectedGeneration }: TokenRequest, now: number): boolean {
  if (rejectedGeneration !== undefined && generation <= rejectedGeneration) return false
  return minTtl === undefined || ends === null || Date.parse(ends) - now >= minTtl * 1_000
}
