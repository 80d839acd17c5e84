import axios, { type AxiosInstance } from 'axios'
import { attachEvergrant } from '../../../sdk/src/axios/index.ts'
import type { Asked, BodySpec, Noted, Outcome, TabSettings } from './asked.ts'
import { createNaive } from './naive-client.ts'
import { type Client, createSubject, EVENTS, type TabWorld } from './subject.ts'

interface Pending {
  readonly controller: AbortController
  readonly promise: Promise<Outcome>
  outcome: Outcome | null
}

/** One tab with one client under test. Every method takes and gives plain data: it is called over a wire when the tab is a page. */
export class Tab {
  readonly #settings: TabSettings
  readonly #world: TabWorld
  readonly #clients = new Map<string, { readonly client: Client; readonly axios: AxiosInstance | null }>()
  readonly #pending: Pending[] = []
  readonly #requests = new Map<string, Request>()
  readonly #noted: Noted[] = []
  readonly #shown: string[] = []

  constructor(settings: TabSettings, world: TabWorld = {}) {
    this.#settings = settings
    this.#world = world
    this.open('first')
  }

  /** One more client in this tab. */
  open(name: string): void {
    const { subject, transport } = this.#settings
    const client = subject === 'naive' ? createNaive(this.#settings, this.#world) : createSubject(this.#settings, this.#world)
    for (const event of EVENTS) client.on(event, (detail: unknown) => this.#note(client, event, detail))
    let instance: AxiosInstance | null = null
    if (transport === 'axios') {
      instance = axios.create({ baseURL: this.#settings.baseUrl, responseType: 'text', transitional: { silentJSONParsing: true } })
      if (client.evergrant !== null) attachEvergrant(instance, client.evergrant)
    }
    this.#clients.set(name, { client, axios: instance })
  }

  signIn(email: string, password: string): Promise<void> {
    return this.#client().signIn(email, password)
  }

  begin(asked: Asked, name = 'first'): number {
    const controller = new AbortController()
    const entry: { outcome: Outcome | null } = { outcome: null }
    const promise = this.#send(asked, name, controller.signal).then((outcome) => {
      entry.outcome = outcome
      return outcome
    })
    this.#pending.push(Object.assign(entry, { controller, promise }))
    return this.#pending.length - 1
  }

  /** All in one turn of the tab: none is sent after the answer to another. */
  beginAll(asked: readonly Asked[]): number[] {
    return asked.map((each) => this.begin(each))
  }

  outcome(index: number): Promise<Outcome> {
    return this.#at(index).promise
  }

  peek(index: number): Outcome | null {
    return this.#at(index).outcome
  }

  /** Aborts, and says how long the rejection took, in milliseconds. */
  async abort(index: number): Promise<{ readonly outcome: Outcome; readonly tookMs: number }> {
    const pending = this.#at(index)
    const started = performance.now()
    pending.controller.abort()
    const outcome = await pending.promise
    return { outcome, tookMs: performance.now() - started }
  }

  send(asked: Asked, name = 'first'): Promise<Outcome> {
    return this.outcome(this.begin(asked, name))
  }

  sendAll(asked: readonly Asked[]): Promise<Outcome[]> {
    return Promise.all(asked.map((each) => this.send(each)))
  }

  refresh(force = false, name = 'first'): Promise<string> {
    return this.#client(name).refresh(force)
  }

  signOut(scope: 'here' | 'everywhere' = 'here'): Promise<string> {
    return this.#client()
      .signOut(scope)
      .then(
        () => 'done',
        (error: unknown) => `failed: ${String(error)}`,
      )
  }

  status(name = 'first'): string {
    return this.#client(name).status()
  }

  user(): string | null {
    return this.#client().user()
  }

  noted(): readonly Noted[] {
    return this.#noted
  }

  /** Everything that a person, a log or a tool could see of this tab's clients. */
  shown(): readonly string[] {
    const seen = [...this.#clients.values()].map(({ client }) => client.shown())
    return [...this.#shown, ...seen.flat(), JSON.stringify(this.#noted)]
  }

  dispose(name = 'first'): void {
    this.#client(name).dispose()
  }

  async #send(asked: Asked, name: string, signal: AbortSignal): Promise<Outcome> {
    try {
      const { client, axios: instance } = this.#entry(name)
      const { status, text } = await (instance === null ? this.#byFetch(client, asked, signal) : byAxios(instance, asked, signal))
      return { kind: 'answer', status, text, at: performance.now() }
    } catch (error) {
      this.#shown.push(String(error), safely(error))
      return failed(error)
    }
  }

  async #byFetch(client: Client, asked: Asked, signal: AbortSignal): Promise<{ readonly status: number; readonly text: string }> {
    const { url, method = 'GET', headers = {}, body, credentials, timeoutMs, asUrl = false, reuse } = asked
    const limited = timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const init: RequestInit & { duplex?: 'half' } = { method, headers, signal: limited, ...(credentials === undefined ? {} : { credentials }) }
    if (body !== undefined) init.body = bodyOf(body)
    if (body?.kind === 'stream') init.duplex = 'half'
    if (body?.kind === 'json') init.headers = { 'content-type': 'application/json', ...headers }
    const address = new URL(url, this.#settings.baseUrl)
    const response = await this.#dispatch(client, asked.relative === true ? url : asUrl ? address : address.href, init, reuse)
    return { status: response.status, text: await response.text() }
  }

  #dispatch(client: Client, address: string | URL, init: RequestInit, reuse: string | undefined): Promise<Response> {
    if (this.#settings.transport !== 'request') return client.fetch(address, init)
    if (reuse === undefined) return client.fetch(new Request(address, init))
    const request = this.#requests.get(reuse) ?? new Request(address, init)
    this.#requests.set(reuse, request)
    return client.fetch(request)
  }

  #note(client: Client, event: string, detail: unknown): void {
    this.#noted.push({ event, code: textIn(detail, 'code'), detail: safely(detail) })
    const act = this.#settings.inHandlers
    if (act === 'fetch') this.begin({ url: '/app/data?from=handler' })
    if (act === 'refresh' && event !== 'refreshed') void client.refresh(false)
    if (act === 'sign-out' && event !== 'signed_out') void client.signOut('here').catch(() => undefined)
  }

  #entry(name: string) {
    const entry = this.#clients.get(name)
    if (entry === undefined) throw new Error(`there is no client called ${name}`)
    return entry
  }

  #client(name = 'first'): Client {
    return this.#entry(name).client
  }

  #at(index: number): Pending {
    const pending = this.#pending[index]
    if (pending === undefined) throw new Error(`there is no request ${index}`)
    return pending
  }
}

async function byAxios(instance: AxiosInstance, asked: Asked, signal: AbortSignal): Promise<{ readonly status: number; readonly text: string }> {
  const { url, method = 'GET', headers = {}, body, timeoutMs, credentials } = asked
  const type = body?.kind === 'json' ? { 'content-type': 'application/json' } : {}
  const { status, data } = await instance.request<string>({
    url,
    method,
    headers: { ...type, ...headers },
    signal,
    validateStatus: () => true,
    ...(body === undefined ? {} : { data: body.kind === 'stream' ? nodeStream(body.text) : bodyOf(body) }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    ...(credentials === undefined ? {} : { withCredentials: credentials === 'include' }),
  })
  return { status, text: typeof data === 'string' ? data : JSON.stringify(data) }
}

function bodyOf({ kind, text }: BodySpec): FormData | Blob | ArrayBuffer | URLSearchParams | ReadableStream | string {
  switch (kind) {
    case 'json':
    case 'text':
      return text
    case 'form-data': {
      const form = new FormData()
      form.append('field', text)
      form.append('file', new Blob([text], { type: 'text/plain' }), 'file.txt')
      return form
    }
    case 'blob':
      return new Blob([text], { type: 'text/plain' })
    case 'array-buffer':
      return new TextEncoder().encode(text).buffer
    case 'search-params':
      return new URLSearchParams({ field: text })
    case 'stream':
      return new Blob([text]).stream()
  }
}

/** axios takes Node's own streams; in a page there are none. */
function nodeStream(text: string): unknown {
  return Reflect.get(globalThis, 'process').getBuiltinModule('node:stream').Readable.from([text])
}

/** Ours may be wrapped: axios rejects with an error of its own whose cause is ours. */
function failed(error: unknown): Outcome {
  const cause: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'cause') : undefined
  const ours = axios.isAxiosError(error) && textIn(cause, 'action') !== null ? cause : error
  return {
    kind: 'error',
    name: textIn(ours, 'name') ?? 'unknown',
    code: textIn(ours, 'code'),
    action: textIn(ours, 'action'),
    retryAt: instantIn(ours),
    cancelled: axios.isCancel(error),
    message: String(error),
    at: performance.now(),
  }
}

function textIn(value: unknown, name: string): string | null {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return typeof found === 'string' ? found : null
}

function instantIn(value: unknown): string | null {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'retryAt') : undefined
  if (found instanceof Date) return found.toISOString()
  if (typeof found === 'number') return new Date(found).toISOString()
  return typeof found === 'string' ? found : null
}

/** Own properties of an error are what tools show; `JSON.stringify` alone hides them. */
function safely(value: unknown): string {
  const seen = new Set<unknown>()
  const show = (each: unknown, depth: number): unknown => {
    if (typeof each !== 'object' || each === null || depth > 4 || seen.has(each)) return String(each)
    seen.add(each)
    return Object.fromEntries(Object.getOwnPropertyNames(each).map((name) => [name, show(Reflect.get(each, name), depth + 1)]))
  }
  try {
    return JSON.stringify(show(value, 0))
  } catch {
    return String(value)
  }
}
