import axios, { type AxiosAdapter, AxiosError, AxiosHeaders, type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios'
import { type Patience, patienceOf, timeoutMessage } from './patience.ts'
import { repeatable } from './repeatable-body.ts'

/** One request's own wishes: `axios.get('/me', { evergrant: { skip: true } })`. */
export interface EvergrantAxiosOptions {
  /** Send it as it is: no access token, no refresh, no second send. */
  readonly skip?: boolean
  /** `never` sends it at most once, whatever the answer. */
  readonly replay?: 'never'
  /** It waits for a refresh. */
  readonly onQueued?: () => void
}

declare module 'axios' {
  interface AxiosRequestConfig {
    evergrant?: EvergrantAxiosOptions
  }
}

type Sender = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

/** What is asked of a client: `fetch`, with the sending itself left to axios. */
export interface EvergrantFetch {
  fetch(input: string, init?: RequestInit & { readonly evergrant?: EvergrantAxiosOptions & { readonly send?: Sender } }): Promise<Response>
}

type Adapter = InternalAxiosRequestConfig['adapter']
interface Attachment {
  readonly client: EvergrantFetch
  readonly before: Adapter
  active: boolean
}

const attachments = new WeakMap<AxiosAdapter, Attachment>()

/**
 * Every request of `instance`, and of instances that `instance.create()` makes from now on, goes through `client`. Many instances, one client: they share
 * its refresh. Returns what undoes it.
 *
 * The hook is the adapter: it runs after all request interceptors, so it wins over a stale header, and before all response interceptors, which see one
 * answer for each call. A config with an `adapter` of its own, or with `auth`, is left alone.
 */
export function attachEvergrant(instance: AxiosInstance, client: EvergrantFetch): () => void {
  // Attached once more (a hot reload, an effect that ran twice): take the place of the first instead of standing on it.
  const present = instance.defaults.adapter
  const before = typeof present === 'function' ? (attachments.get(present)?.before ?? present) : present
  const attachment: Attachment = { client, before, active: true }
  const adapter: AxiosAdapter = (config) => dispatch(config, attachment)
  attachments.set(adapter, attachment)
  instance.defaults.adapter = adapter
  return () => {
    // Instances made in between keep the hook, which from now on only passes on.
    attachment.active = false
    if (instance.defaults.adapter === adapter) instance.defaults.adapter = before as AxiosAdapter
  }
}

function dispatch(config: InternalAxiosRequestConfig, { client, before, active }: Attachment): Promise<AxiosResponse> {
  const inner = axios.getAdapter(before ?? axios.defaults.adapter, config)
  if (!active || config.evergrant?.skip || config.auth) return inner(config)
  return sendThrough(client, inner, config)
}

async function sendThrough(client: EvergrantFetch, inner: AxiosAdapter, original: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  const patience = patienceOf(original)
  const { once, config } = repeatable(original)
  const carried = carry(inner, config, patience)
  const headers = config.headers.toJSON(true)
  const method = String(config.method).toUpperCase()
  const evergrant = { ...config.evergrant, ...(once && { replay: 'never' as const }), send: carried.send }
  // The client need not see the body, only that it is one of those that cannot be sent twice.
  const body = once && method !== 'GET' ? { body: new ReadableStream(), duplex: 'half' } : {}
  try {
    // An instance without defaults: those of the caller are in `config` already, and those of the global instance are nobody's here.
    const url = new axios.Axios({}).getUri(config)
    await client.fetch(url, { method, headers, signal: patience.signal, evergrant, ...body })
    return await carried.result(original)
  } catch (error) {
    if (carried.failed(error)) return await carried.result(original)
    if (patience.signal.aborted) throw patience.end()
    throw asAxiosError(error as Error, original)
  } finally {
    patience.stop()
  }
}

interface Carried {
  readonly send: Sender
  /** Whether this is the error of the last send, which the client only passed on. */
  failed(error: unknown): boolean
  /** What axios made of the last send. The caller's own config goes with it: the access token is nobody's to log. */
  result(config: InternalAxiosRequestConfig): Promise<AxiosResponse>
}

/** One send: its response, its error, or an error that has a response. */
type Outcome = { readonly response: AxiosResponse; readonly error: null } | { readonly response: AxiosResponse | undefined; readonly error: AxiosError }

/** Lets the client send with axios: it sees status and headers, while the answer itself waits here. */
function carry(inner: AxiosAdapter, config: InternalAxiosRequestConfig, patience: Patience): Carried {
  const given = new Headers(config.headers.toJSON(true))
  let last: Outcome = { response: undefined, error: new AxiosError('The client sent nothing.', 'ERR_EVERGRANT_REFRESH', config) }
  return {
    async send(input, init) {
      release(last.response)
      const { headers } = input instanceof Request ? input : new Request(input, init)
      last = await outcomeOf(inner(prepared(config, given, headers, patience)))
      if (last.response === undefined) throw last.error
      return facts(last.response)
    },
    failed: (error) => last.error === error,
    async result(original) {
      if (last.response !== undefined) last.response.config = original
      if (last.error === null) return last.response
      last.error.config = original
      throw last.error
    },
  }
}

async function outcomeOf(sending: Promise<AxiosResponse>): Promise<Outcome> {
  try {
    return { response: await sending, error: null }
  } catch (error) {
    return { response: (error as AxiosError).response, error: error as AxiosError }
  }
}

/** The caller's config with the headers that the client changed: the access token. */
function prepared(config: InternalAxiosRequestConfig, given: Headers, signed: Headers, patience: Patience): InternalAxiosRequestConfig {
  const headers = new AxiosHeaders(config.headers)
  signed.forEach((value, name) => {
    if (given.get(name) !== value) headers.set(name, value)
  })
  const timing = config.timeout ? { timeout: patience.remainingMs(), timeoutErrorMessage: timeoutMessage(config) } : {}
  return { ...config, ...timing, headers }
}

/** Status and headers of an answer, in the shape that the client judges. */
function facts({ status, headers }: AxiosResponse): Response {
  // Some servers answer with numbers that are none; to the client they are as good as any other answer.
  const known = status >= 200 && status < 600 ? status : 200
  return new Response(null, { status: known, headers: AxiosHeaders.from(headers as AxiosHeaders).toJSON(true) })
}

/** An answer that nobody will read keeps its socket busy until it is let go: a Node stream, or one of the web. */
function release(response: AxiosResponse | undefined): void {
  const body: { destroy?: () => void; cancel?: () => void } | undefined = response?.data
  body?.destroy?.()
  body?.cancel?.()
}

/** Never a cancellation: applications swallow those, and the request would be lost without a word. No `response` either: a 401 there reads as a logout. */
function asAxiosError(cause: { readonly message?: string; readonly code?: string }, config: InternalAxiosRequestConfig): AxiosError {
  const code = cause.code === 'not_replayable' ? 'ERR_NOT_REPLAYABLE' : 'ERR_EVERGRANT_REFRESH'
  return Object.assign(new AxiosError(cause.message, code, config), { cause })
}
