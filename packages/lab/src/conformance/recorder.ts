import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Gate } from './gate.ts'
import { bearerOf, type Seen, seenOf, type Target } from './seen.ts'

/** An answer on its way back, which a rule may change. */
interface Answer {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
}

export type Act =
  /** The recorder answers; nothing behind it hears of the request. */
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The socket is reset: before anything behind heard of it, or after it answered. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  | { readonly kind: 'hold'; readonly when: 'before' | 'after'; readonly gate: Gate }
  | { readonly kind: 'rewrite'; readonly change: (answer: Answer) => void }

interface Rule {
  readonly on: Target
  readonly act: Act
  /** Default: until the scenario ends. */
  readonly times?: number
  /** Default: every one. */
  readonly only?: (seen: Seen) => boolean
}

interface Upstreams {
  /** Base URL of the server; asked anew for each request, since it may be restarted. */
  readonly server: () => string
  readonly api: () => string
  /** A page or a script of the kit; null where there is none. */
  readonly page: (path: string) => { readonly type: string; readonly body: string } | null
}

const ISSUING: readonly Target[] = ['refresh', 'sign-in', 'branch', 'server']
/** Hop-by-hop headers and those that the recorder's own answer sets. */
const DROPPED = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length'])

/**
 * A reverse proxy in front of the server and of the protected API, on one origin: the browser's view of a deployment. It counts, holds back, cuts,
 * answers in place of others, and lets access tokens expire on command. Every connection carries one request: a browser sends a request again by
 * itself when a kept connection breaks, and that would be counted as the client's doing.
 */
export class Recorder {
  readonly #server: Server
  readonly #upstreams: Upstreams
  #seen: Seen[] = []
  #rules: { rule: Rule; left: number }[] = []
  /** Access tokens in the order of their issue. */
  readonly #issued = new Map<string, number>()
  readonly #secrets = new Set<string>()
  readonly #sessions: Readonly<Record<string, unknown>>[] = []
  #expiredUpTo = 0

  private constructor(upstreams: Upstreams) {
    this.#upstreams = upstreams
    this.#server = createServer((request, response) => {
      response.shouldKeepAlive = false
      this.#serve(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(502, { 'content-type': 'text/plain' })
        response.end(String(error))
      })
    })
  }

  static async start(upstreams: Upstreams, port = 0): Promise<Recorder> {
    const recorder = new Recorder(upstreams)
    recorder.#server.listen(port, '127.0.0.1')
    await once(recorder.#server, 'listening')
    return recorder
  }

  get url(): string {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the recorder is closed')
    return `http://127.0.0.1:${address.port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Forgets what was seen and every rule. */
  clear(): void {
    this.#seen = []
    this.#rules = []
  }

  /** Forgets what was seen; rules stay. */
  forget(): void {
    this.#seen = []
  }

  rule(rule: Rule): void {
    this.#rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY })
  }

  /** Takes every rule for `on` away. */
  lift(on: Target): void {
    this.#rules = this.#rules.filter(({ rule }) => rule.on !== on)
  }

  hold(on: Target, when: 'before' | 'after', options: Omit<Rule, 'on' | 'act'> = {}): Gate {
    const gate = new Gate()
    this.rule({ ...options, on, act: { kind: 'hold', when, gate } })
    return gate
  }

  /** Every access token issued so far is answered as an expired one from now on. */
  expire(): void {
    this.#expiredUpTo = this.#issued.size
  }

  of(target: Target): readonly Seen[] {
    return this.#seen.filter((seen) => seen.target === target)
  }

  count(target: Target, status?: number): number {
    return this.of(target).filter((seen) => status === undefined || seen.status === status).length
  }

  /** The newest session answer that passed here, as the server gave it. */
  get session(): Readonly<Record<string, unknown>> {
    return this.#sessions.at(-1) ?? {}
  }

  /** Changes the JSON bodies of answers on their way back. */
  rewrite(on: Target, change: (body: Record<string, unknown>) => void, options: Omit<Rule, 'on' | 'act'> = {}): void {
    const rewritten = (answer: Answer) => {
      const body = { ...parse(answer.body) }
      change(body)
      answer.body = Buffer.from(JSON.stringify(body))
    }
    this.rule({ ...options, on, act: { kind: 'rewrite', change: rewritten } })
  }

  /** Credentials that passed here: nothing a client shows may contain one. */
  get secrets(): readonly string[] {
    return [...this.#secrets]
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const seen = seenOf(request, body)
    if (seen.target !== 'page') this.#seen.push(seen)
    const act = this.#actFor(seen)
    if (act?.kind === 'answer') return this.#send(response, seen, { status: act.status, headers: { ...act.headers }, body: Buffer.from(act.body ?? '') })
    if (act?.kind === 'cut' && act.when === 'before') return cut(response, seen)
    // Judged on arrival: an answer that is held back is an old answer.
    const expired = this.#isExpired(seen)
    if (act?.kind === 'hold' && act.when === 'before' && (await act.gate.pass()) === 'cut') return cut(response, seen)
    const answer = expired ? expiredAnswer() : await this.#answer(request, seen, body, response)
    if (answer === null) return
    if (ISSUING.includes(seen.target)) this.#learn(answer)
    if (act?.kind === 'rewrite') act.change(answer)
    if (act?.kind === 'cut') return cut(response, seen)
    if (act?.kind === 'hold' && act.when === 'after' && (await act.gate.pass()) === 'cut') return cut(response, seen)
    this.#send(response, seen, answer)
  }

  #actFor(seen: Seen): Act | null {
    const found = this.#rules.find(({ rule, left }) => left > 0 && rule.on === seen.target && (rule.only?.(seen) ?? true))
    if (found === undefined) return null
    found.left -= 1
    return found.rule.act
  }

  #isExpired({ target, authorization }: Seen): boolean {
    const token = bearerOf(authorization)
    return token !== null && target !== 'preflight' && (this.#issued.get(token) ?? Number.POSITIVE_INFINITY) < this.#expiredUpTo
  }

  /** Remembers the credentials of a session answer. */
  #learn({ status, body, headers }: Answer): void {
    for (const cookie of [headers['set-cookie'] ?? []].flat()) {
      const value = /^[^=]+=([^;]{20,})/.exec(cookie)?.[1]
      if (value !== undefined) this.#secrets.add(value)
    }
    if (status !== 200) return
    const parsed = parse(body)
    const { access_token: access, refresh_token: refresh } = parsed
    if (typeof access === 'string') {
      this.#sessions.push(parsed)
      if (!this.#issued.has(access)) this.#issued.set(access, this.#issued.size)
      this.#secrets.add(access)
    }
    if (typeof refresh === 'string') this.#secrets.add(refresh)
  }

  /** Null when the answer was streamed through already. */
  async #answer(request: IncomingMessage, seen: Seen, body: Buffer, response: ServerResponse): Promise<Answer | null> {
    const page = seen.target === 'page' ? this.#upstreams.page(seen.path) : null
    if (page !== null) return { status: 200, headers: { 'content-type': page.type, 'cache-control': 'no-store' }, body: Buffer.from(page.body) }
    const base = seen.path.startsWith('/app/') ? this.#upstreams.api() : this.#upstreams.server()
    const answered = await forward(base, request, body)
    if (seen.path.startsWith('/app/stream')) {
      response.writeHead(answered.statusCode ?? 502, headersOf(answered))
      answered.pipe(response)
      seen.status = answered.statusCode ?? 502
      return null
    }
    return { status: answered.statusCode ?? 502, headers: headersOf(answered), body: await bodyOf(answered) }
  }

  #send(response: ServerResponse, seen: Seen, { status, headers, body }: Answer): void {
    seen.status = status
    response.writeHead(status, { ...headers, 'content-length': body.length, connection: 'close' })
    response.end(body)
  }
}

function cut(response: ServerResponse, seen: Seen): void {
  seen.status = 0
  response.socket?.resetAndDestroy()
}

async function forward(base: string, request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const { hostname, port } = new URL(base)
  const headers = { ...request.headers, 'content-length': String(body.length) }
  delete headers['transfer-encoding']
  const outgoing = httpRequest({ hostname, port, path: request.url, method: request.method, headers, agent: false })
  outgoing.end(body)
  const [answered] = (await once(outgoing, 'response')) as [IncomingMessage]
  return answered
}

function headersOf({ headers }: IncomingMessage): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined || DROPPED.has(name) ? [] : [[name, value]])))
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function parse(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

/** What `authenticate()` of the SDK answers when a token is out: docs/reference/session-protocol.md. */
function expiredAnswer(): Answer {
  const problem = {
    type: 'about:blank',
    title: 'This access token is not valid any more',
    status: 401,
    detail: 'The access token has expired.',
    code: 'access_token_expired',
    action: 'retry',
  }
  return {
    status: 401,
    headers: { 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer error="invalid_token"', 'evergrant-auth': 'expired' },
    body: Buffer.from(JSON.stringify(problem)),
  }
}
