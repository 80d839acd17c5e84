import { EvergrantError } from './evergrant-error.ts'

export interface TransportOptions {
  /** Where Evergrant is, without `/api/v1`. */
  readonly url: string
  /** `egk_...`. Only for servers: a key in a browser is public. */
  readonly apiKey: string
  /** Milliseconds for one call; 30,000 by default. */
  readonly timeoutMs?: number
  /** For tests, or a runtime of your own. */
  readonly fetch?: typeof globalThis.fetch
}

export interface CallOptions {
  /** Ends the wait of this caller. A refresh that is under way goes on at the server. */
  readonly signal?: AbortSignal
}

type Query = Readonly<Record<string, string | number | undefined>>

export interface Transport {
  get<Answer>(path: string, query: Query, options?: CallOptions): Promise<Answer>
  /** Carries an Idempotency-Key, so that repeating it after a lost answer is harmless. */
  post<Answer>(path: string, body: object, options?: CallOptions): Promise<Answer>
}

const TIMEOUT_MS = 30_000

export function createTransport(options: TransportOptions): Transport {
  const base = new URL(`${addressOf(options.url).replace(/\/+$/, '')}/api/v1/`)
  const apiKey = keyOf(options.apiKey)
  const send = options.fetch ?? globalThis.fetch
  const headers = { authorization: `Bearer ${apiKey}`, accept: 'application/json' }

  async function call<Answer>(url: URL, init: RequestInit, caller: AbortSignal | undefined): Promise<Answer> {
    const deadline = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)
    const signal = caller === undefined ? deadline : AbortSignal.any([caller, deadline])
    let response: Response
    let text: string
    try {
      response = await send(url, { ...init, signal, redirect: 'manual' })
      text = await response.text()
    } catch (cause) {
      caller?.throwIfAborted()
      const reason = reasonOf(cause)
      // A fetch of somebody's own may repeat what it was given, and this message reaches logs and pages.
      const detail = `Evergrant at ${base.origin} did not answer (${reason.includes(apiKey) ? 'its reason names the key' : reason}).`
      throw new EvergrantError({ status: 0, code: 'connection_failed', detail }, cause)
    }
    if (response.status >= 300 && response.status < 400) throw redirected(url, response)
    return readAnswer(response.status, text)
  }

  return {
    get: (path, query, { signal } = {}) => call(withQuery(new URL(path, base), query), { method: 'GET', headers }, signal),
    post: (path, body, { signal } = {}) => {
      const extra = { 'content-type': 'application/json', 'idempotency-key': globalThis.crypto.randomUUID() }
      return call(new URL(path, base), { method: 'POST', headers: { ...headers, ...extra }, body: JSON.stringify(body) }, signal)
    },
  }
}

/** Said where the client is made: one that is missing would be a riddle at the first call. */
function addressOf(url: unknown): string {
  if (typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) {
    if (/\/api\/v1\/*$/.test(url)) throw new TypeError('`url` must be the address of Evergrant without `/api/v1`: the client adds that itself.')
    return url
  }
  throw new TypeError('`url` must be the address of Evergrant with its scheme, for example https://connect.example.com. Is the environment variable set?')
}

/** A key that no header can carry would be repeated by the runtime in the message of its refusal. */
function keyOf(apiKey: unknown): string {
  if (typeof apiKey === 'string' && /^[!-~]+$/.test(apiKey.trim())) return apiKey.trim()
  throw new TypeError('`apiKey` must be an API key of Evergrant: egk_..., in one piece. Is the environment variable set?')
}

/** `fetch` says everything with the same words; what it was stands in the causes, under a code of the runtime. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given'
  if (error.name === 'TimeoutError') return 'nothing came in time'
  const { code } = error as { readonly code?: unknown }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return `${code}: does it speak http and not https there?`
  if (typeof code === 'string') return code
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message
}

function withQuery(url: URL, query: Query): URL {
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}

/** The API key goes to nobody who was not named. */
function redirected(url: URL, { status, headers }: Response): EvergrantError {
  const location = headers.get('location') ?? ''
  const there = URL.canParse(location, url) ? new URL(location, url).origin : 'another address'
  const detail = `${url.origin} redirects to ${there} (status ${status}), and the API key does not follow. If that is your Evergrant, name it as \`url\`.`
  return new EvergrantError({ status, code: 'invalid_answer', detail })
}

/** The shape of a success is the server's promise (its OpenAPI document), not checked again here. */
function readAnswer<Answer>(status: number, text: string): Answer {
  const value = parse(text)
  if (status >= 200 && status < 300 && value !== undefined) return value
  if (typeof value === 'object' && value !== null && typeof value.code === 'string') throw new EvergrantError({ ...value, status })
  throw new EvergrantError({ status, code: 'invalid_answer', detail: `The answer (status ${status}) is not from Evergrant: is there a proxy in between?` })
}

function parse(text: string) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
