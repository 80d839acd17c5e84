import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { Duplex, Readable } from 'node:stream'
import { NotSent } from '../core/provider/wire.ts'
import type { Cancellation, Timers } from '../core/time.ts'
import type { AddressGuard } from './address-guard.ts'
import { createDialler, type Dialler, parseUrl, type Target, targetOf } from './connect.ts'
import type { StreamRelief } from './stream-relief.ts'

// An import of values would make Node load its own fetch as well: a thirtieth of a start, for what a server never uses.
const { Agent: HttpAgent, request: requestHttp } = process.getBuiltinModule('node:http')

export interface ProxyRequest {
  readonly method: string
  /** Absolute. */
  readonly url: string
  /** Lower-case names; hop-by-hop fields, `host` and framing are dropped here. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** A stream is sent as it comes, with its back-pressure; it cannot be sent twice. */
  readonly body: Buffer | Readable | null
  /** How many bytes a body that is a stream has, where that is known: they are declared to the API, and neither more nor fewer are sent. */
  readonly bodyLength?: number | undefined
  /** Until the head of the answer is here, from the end of a body that is a stream; bodies have {@link ProxyTransportOptions.silenceMs} between two pieces. */
  readonly deadlineMs: number
  /** The caller went away: the request is ended. */
  readonly signal?: Cancellation
  /** PEM of a client certificate and of its key, shown to the API (RFC 8705 section 3). */
  readonly certificate?: string | undefined
}

interface ProxyAnswer {
  readonly status: number
  /** Lower-case names; hop-by-hop fields and cookies are dropped. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Must be read or destroyed. Fails when the provider breaks off. */
  readonly body: Readable
}

/** `not_sent`: no byte reached the API. `no_answer`: it may have acted. `timeout`: as `no_answer`, by our deadline. `cancelled`: by the caller. */
type ProxyFailure = 'not_sent' | 'no_answer' | 'timeout' | 'cancelled'

export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly kind: ProxyFailure
  /** A stable code such as `ECONNREFUSED` or `private_address`. */
  readonly reason: string

  constructor(kind: ProxyFailure, reason: string) {
    super(`the provider's API gave no answer: ${reason}`)
    this.kind = kind
    this.reason = reason
  }
}

export interface ProxyTransport {
  /** @throws ProxyError */
  send(request: ProxyRequest): Promise<ProxyAnswer>
  close(): void
}

interface ProxyTransportOptions {
  readonly guard: AddressGuard
  readonly timers: Timers
  /** Longest silence inside a body, both ways; 60 s by default. */
  readonly silenceMs?: number
  /** Connections to one host; 256 by default. */
  readonly socketsPerHost?: number
  readonly ca?: string
  readonly relief?: Pick<StreamRelief, 'note'>
}

/** RFC 9110 section 7.6.1, and what proxies of the past made of it. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const NOT_FORWARDED = new Set(['host', 'content-length', 'expect', 'forwarded', 'x-real-ip', 'cookie', 'http2-settings'])

/** Streams requests to a provider's API and back: memory stays bounded whatever the size. No redirect is followed. */
export function createProxyTransport(options: ProxyTransportOptions): ProxyTransport {
  const dialler = createDialler(options)
  const settings = { keepAlive: true, maxSockets: options.socketsPerHost ?? 256, maxFreeSockets: 32, timeout: options.silenceMs ?? 60_000 }
  const agents = { http: new GuardedHttpAgent(settings, dialler), https: new GuardedHttpsAgent(settings, dialler) }
  return {
    send: (request) => send(request, agents, options),
    close: () => {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

interface Agents {
  readonly http: InstanceType<typeof HttpAgent>
  readonly https: HttpsAgent
}

function send(request: ProxyRequest, agents: Agents, { timers, relief, silenceMs = 60_000 }: ProxyTransportOptions): Promise<ProxyAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest(request, agents)
    if (outgoing instanceof ProxyError) {
      if (isStream(request.body)) request.body.destroy()
      return reject(outgoing)
    }
    let ended: ProxyFailure | null = null
    const end = (why: ProxyFailure): void => {
      ended ??= why
      outgoing.destroy()
    }
    let waiting = true
    let cancelDeadline = (): void => {}
    const startDeadline = (): void => {
      // An API may answer while it is still being told something: the deadline is for the head of its answer alone.
      if (waiting) cancelDeadline = timers.after(request.deadlineMs, () => end('timeout'))
    }
    const stopDeadline = (): void => {
      waiting = false
      cancelDeadline()
    }
    const onAbort = (): void => end('cancelled')
    request.signal?.addEventListener('abort', onAbort, { once: true })
    const settle = (): void => {
      stopDeadline()
      if (isStream(request.body)) request.body.unpipe(outgoing)
    }
    outgoing.on('close', () => request.signal?.removeEventListener('abort', onAbort))
    outgoing.once('response', (answer) => {
      stopDeadline()
      answer.setTimeout(silenceMs, () => answer.destroy(new ProxyError('timeout', 'silence')))
      if (relief !== undefined) countBytes(answer, relief)
      resolve(answerOf(answer))
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      settle()
      reject(failureOf(error, ended, outgoing))
    })
    if (request.signal?.aborted) return onAbort()
    if (isStream(request.body)) {
      awaitUpload(outgoing, request.body, silenceMs, { startDeadline, end })
    } else startDeadline()
    sendBody(outgoing, request, end)
    // Beside the pipe: a listener alone would start the flow before anybody takes it.
    if (relief !== undefined && isStream(request.body)) request.body.on('data', (piece: Buffer) => relief.note(piece.length))
  })
}

/** Counts what its socket reads, which flows already: listening to the answer itself would start it. */
function countBytes(answer: IncomingMessage, relief: Pick<StreamRelief, 'note'>): void {
  const { socket } = answer
  const count = (piece: Buffer): void => relief.note(piece.length)
  socket.on('data', count)
  answer.once('close', () => socket.off('data', count))
}

/** An upload takes as long as it takes: only silence ends it, the caller's or the API's. The API's time begins when it is over. */
function awaitUpload(
  outgoing: ClientRequest,
  body: Readable,
  silenceMs: number,
  { startDeadline, end }: { readonly startDeadline: () => void; readonly end: (why: ProxyFailure) => void },
): void {
  body.once('end', startDeadline)
  outgoing.setTimeout(silenceMs, () => {
    if (!body.readableEnded) end('timeout')
  })
}

function openRequest(request: ProxyRequest, agents: Agents): ClientRequest | ProxyError {
  try {
    const url = parseUrl(request.url)
    const { tls } = targetOf(url)
    const headers = { ...forwardable(request.headers), ...framingOf(request) }
    const options = { method: request.method, headers, agent: tls ? agents.https : agents.http }
    // The agent keeps connections with different certificates apart.
    const shown = request.certificate === undefined ? options : { ...options, cert: request.certificate, key: request.certificate }
    return tls ? requestHttps(url, shown) : requestHttp(url, options)
  } catch (error) {
    return new ProxyError('not_sent', error instanceof NotSent ? error.reason : 'invalid_request')
  }
}

/** Without a length Node sends a stream in chunks, which not every API takes (RFC 9110 section 15.5.12). */
function framingOf({ body, bodyLength }: ProxyRequest): Record<string, string> {
  const length = isStream(body) ? bodyLength : body?.length
  return length === undefined ? {} : { 'content-length': String(length) }
}

function sendBody(outgoing: ClientRequest, { body, bodyLength }: ProxyRequest, end: (why: ProxyFailure) => void): void {
  if (!isStream(body)) {
    if (body === null) outgoing.end()
    else outgoing.end(body)
    return
  }
  body.once('error', () => end('cancelled'))
  body.once('close', () => {
    if (!body.readableEnded) end('cancelled')
  })
  if (bodyLength !== undefined) holdTo(bodyLength, body, end)
  body.pipe(outgoing)
}

/** What is more than was declared would be another request to whoever reads the connection, and what is missing would be waited for. To be called before the pipe. */
function holdTo(length: number, body: Readable, end: (why: ProxyFailure) => void): void {
  let left = length
  body.on('data', (piece: Buffer) => {
    left -= piece.length
    if (left < 0) end('cancelled')
  })
  body.once('end', () => {
    if (left > 0) end('cancelled')
  })
}

function isStream(body: ProxyRequest['body']): body is Readable {
  return body !== null && !Buffer.isBuffer(body)
}

function failureOf(error: NodeJS.ErrnoException, ended: ProxyFailure | null, outgoing: ClientRequest): ProxyError {
  if (error instanceof NotSent) return new ProxyError('not_sent', error.reason)
  const connected = outgoing.socket !== null && outgoing.socket !== undefined
  if (ended === 'cancelled') return new ProxyError('cancelled', 'cancelled')
  if (!connected) return new ProxyError(ended === 'timeout' ? 'timeout' : 'not_sent', ended === 'timeout' ? 'timeout' : (error.code ?? 'connect_failed'))
  return ended === 'timeout' ? new ProxyError('timeout', 'timeout') : new ProxyError('no_answer', error.code ?? 'socket_error')
}

function answerOf(answer: IncomingMessage): ProxyAnswer {
  const headers: Record<string, string | readonly string[]> = {}
  const listed = listedIn(answer.headers.connection)
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name) && !listed.has(name) && name !== 'set-cookie') headers[name] = value
  }
  return { status: answer.statusCode ?? 502, headers, body: answer }
}

function forwardable(headers: ProxyRequest['headers']): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  const listed = listedIn(headers.connection)
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase()
    if (HOP_BY_HOP.has(key) || NOT_FORWARDED.has(key) || key.startsWith('x-forwarded-') || key.startsWith('proxy-') || listed.has(key)) continue
    kept[key] = typeof value === 'string' ? value : [...value]
  }
  return kept
}

/** Fields that `Connection` names belong to this hop as well. */
function listedIn(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  const text = typeof connection === 'string' ? connection : (connection ?? []).join(',')
  return new Set(
    text
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
}

interface Where {
  readonly host?: string | null | undefined
  readonly port?: string | number | null | undefined
}

type Connected = (error: Error | null, socket: Duplex) => void

interface AgentSettings {
  readonly keepAlive: boolean
  readonly maxSockets: number
  readonly maxFreeSockets: number
  readonly timeout: number
}

class GuardedHttpAgent extends HttpAgent {
  readonly #dialler: Dialler
  constructor(settings: AgentSettings, dialler: Dialler) {
    super(settings)
    this.#dialler = dialler
  }

  override createConnection(where: Where, connected: Connected): undefined {
    dialFor(this.#dialler, false, where, connected)
  }
}

class GuardedHttpsAgent extends HttpsAgent {
  readonly #dialler: Dialler
  constructor(settings: AgentSettings, dialler: Dialler) {
    super(settings)
    this.#dialler = dialler
  }

  override createConnection(where: Where & { readonly cert?: unknown }, connected: Connected): undefined {
    dialFor(this.#dialler, true, where, connected, typeof where.cert === 'string' ? where.cert : undefined)
  }
}

function dialFor(dialler: Dialler, tls: boolean, { host, port }: Where, connected: Connected, certificate?: string): void {
  const name = host ?? ''
  const bracketed = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
  const target: Target = { tls, host: bracketed, port: Number(port ?? (tls ? 443 : 80)), authority: bracketed }
  dialler.dial(target, certificate).then(
    (socket) => connected(null, socket),
    // The agent hands a failure on without looking at the socket.
    (error: Error) => (connected as (error: Error) => void)(error),
  )
}
