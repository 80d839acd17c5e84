import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Answer, type Call, html, json, readBody, send } from './answer.ts'
import { tokenError } from './answer-shape.ts'
import { AuthorizationCodes } from './authorization-codes.ts'
import { decide, showConsent } from './authorize-endpoint.ts'
import { ClientRegistry, type PracticeClient } from './client-registry.ts'
import { refusalPage } from './consent-page.ts'
import { PracticeControl, type ProfileCounts } from './control.ts'
import { controlAnswer } from './control-plane.ts'
import { discoveryDocument } from './discovery.ts'
import { deliver, HeldRequests } from './fault-delivery.ts'
import { FaultQueue, type FaultStep } from './fault-queue.ts'
import { type Grant, GrantBook } from './grant-book.ts'
import { IdTokenSigner } from './id-token.ts'
import { DEFAULT_PROFILES, newProfile, type ProfileSettings } from './profile.ts'
import type { Realm } from './realm.ts'
import { apiAnswer, stream } from './resource-api.ts'
import { introspectToken, readTokenRequest, revokeToken } from './token-endpoint.ts'

export interface PracticeOptions {
  /** Default 0: any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** What issuers begin with, when it is not `http://host:port`. */
  readonly publicUrl?: string
  /** Serve `/` and `/control/...` over HTTP. Default false; `control` in the process is always there. */
  readonly controlPlane?: boolean
  /** Profiles by path prefix: changes of the built-in ones, or new ones. */
  readonly profiles?: Readonly<Record<string, Readonly<Partial<ProfileSettings>>>>
  readonly clients?: readonly PracticeClient[]
}

export interface PracticeProvider {
  /** Without a slash at the end; the issuer of profile `p4` is `${url}/p4`. */
  readonly url: string
  readonly control: PracticeControl
  readonly close: () => Promise<void>
}

/** Starts a strict OAuth server with faults on command. Rejects when the address cannot be used. */
export async function startPracticeProvider(options: PracticeOptions = {}): Promise<PracticeProvider> {
  const site = new Site(options)
  const server = createServer((request, response) => void site.answer(request, response))
  server.keepAliveTimeout = 65_000
  await listen(server, options.port ?? 0, options.host ?? '127.0.0.1')
  site.url = (options.publicUrl ?? addressOf(server)).replace(/\/+$/, '')
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: site.url, control: site.control, close }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function addressOf(server: Server): string {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the practice provider has no address')
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Paths of the real providers, for the shapes that have them. */
const ALIASES: Readonly<Record<string, string>> = {
  '/oauth/authorize': '/authorize',
  '/oauth/token': '/token',
  '/api/v3/oauth/token': '/token',
  '/oauth/revoke': '/revoke',
  '/ap/oa': '/authorize',
  '/auth/o2/token': '/token',
}
const WELL_KNOWN = /^\/\.well-known\/(?:oauth-authorization-server|openid-configuration)$/

class Site {
  url = ''
  readonly control: PracticeControl
  readonly #controlPlane: boolean
  readonly #clock = { ahead: 0, now: (): number => Date.now() + this.#clock.ahead }
  readonly #profiles: Map<string, ProfileSettings>
  readonly #counts = new Map<string, ProfileCounts>()
  readonly #faults = new FaultQueue(this.#clock.now)
  readonly #held = new HeldRequests()
  readonly #clients = new ClientRegistry()
  readonly #codes = new AuthorizationCodes()
  readonly #signer = new IdTokenSigner()
  readonly #book: GrantBook

  constructor(options: PracticeOptions) {
    this.#controlPlane = options.controlPlane ?? false
    this.#profiles = new Map(Object.entries(DEFAULT_PROFILES))
    const settings = (name: string) => this.#profiles.get(name) ?? newProfile({})
    this.#book = new GrantBook(settings, this.#clock.now)
    this.control = new PracticeControl({
      book: this.#book,
      faults: this.#faults,
      held: this.#held,
      clients: this.#clients,
      profiles: this.#profiles,
      counts: this.#counts,
      clock: this.#clock,
    })
    for (const [name, changes] of Object.entries(options.profiles ?? {})) this.control.setProfile(name, changes)
    for (const client of options.clients ?? []) this.#clients.register(client)
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request)
      if (body === undefined) return send(response, json(413, { error: 'invalid_request', error_description: 'the body is too large' }))
      const target = request.url ?? '/'
      const url = new URL(target.startsWith('/') ? `http://practice${target}` : 'http://practice/')
      await this.#route({ request, response, method: request.method ?? 'GET', url, body })
    } catch (error) {
      send(response, json(500, { error: 'server_error', error_description: error instanceof Error ? error.message : 'unexpected' }))
    }
  }

  async #route(call: Call): Promise<void> {
    const { pathname } = call.url
    const rooted = /^(\/\.well-known\/[a-z-]+)\/([^/]+)$/.exec(pathname)
    const [, first = '', ...rest] = pathname.split('/')
    const realm = this.#realm(rooted?.[2] ?? first)
    if (realm) return await this.#profile(realm, rooted?.[1] ?? `/${rest.join('/')}`, call)
    if (this.#controlPlane)
      return send(
        call.response,
        controlAnswer(this.control, (profile) => `${this.url}/${profile}`, call),
      )
    send(call.response, html(404, refusalPage('There is nothing here.', 'Each profile is an issuer under its own path, for example /p4.')))
  }

  #realm(name: string): Realm | undefined {
    if (!this.#profiles.has(name)) return undefined
    return {
      name,
      settings: () => this.control.profile(name),
      issuer: () => `${this.url}/${name}`,
      book: this.#book,
      codes: this.#codes,
      clients: this.#clients,
      signer: this.#signer,
      now: this.#clock.now,
    }
  }

  async #profile(realm: Realm, asked: string, call: Call): Promise<void> {
    const path = ALIASES[asked] ?? asked
    const { method, response } = call
    if (path === '/token' && method === 'POST') return await this.#token(realm, call)
    if (path === '/revoke' && method === 'POST') {
      const grant = () => this.#book.grantOf(realm.name, new URLSearchParams(call.body).get('token') ?? '')
      return await this.#act(realm, 'revoke', call, () => revokeToken(realm, call.request.headers.authorization, call.body), grant)
    }
    if (path === '/authorize' && method === 'GET') return send(response, showConsent(realm, call.url.searchParams))
    if (path === '/authorize' && method === 'POST') return send(response, showConsent(realm, new URLSearchParams(call.body)))
    if (path === '/decision' && method === 'POST') return send(response, decide(realm, call.body))
    if (path === '/introspect' && method === 'POST') return send(response, introspectToken(realm, call.request.headers.authorization, call.body))
    if (path === '/jwks' && method === 'GET') return send(response, json(200, this.#signer.jwks()))
    if (WELL_KNOWN.test(path) && method === 'GET') return send(response, discoveryDocument(realm))
    await this.#api(realm, path, call)
  }

  async #token(realm: Realm, call: Call): Promise<void> {
    const { headers } = call.request
    let overlapping = false
    const asked = readTokenRequest(realm, headers.authorization, headers['content-type'] ?? '', call.body, () => overlapping)
    if (asked.refreshToken !== null) {
      const flight = this.#book.begin(asked.refreshToken)
      overlapping = flight.overlapping
      call.response.once('close', flight.end)
      if (!asked.grant()) this.#count(realm.name).unknownTokens += 1
    }
    await this.#act(realm, asked.step, call, asked.commit, asked.grant)
  }

  async #api(realm: Realm, path: string, call: Call): Promise<void> {
    if (path !== '/api/stream')
      return await this.#act(
        realm,
        'api',
        call,
        () => apiAnswer(realm, path, call),
        () => undefined,
      )
    const fault = this.#faults.take(realm.name, 'api')
    this.#count(realm.name).api += 1
    if (fault)
      return await this.#deliver(
        realm,
        call,
        fault,
        () => apiAnswer(realm, '/api/me', call),
        () => undefined,
      )
    const refusal = await stream(realm, call, wait)
    if (refusal) send(call.response, refusal)
  }

  async #act(realm: Realm, step: FaultStep, call: Call, work: () => Answer, grant: () => Grant | undefined): Promise<void> {
    const counts = this.#count(realm.name)
    if (step === 'token.refresh') counts.refresh += 1
    else if (step === 'token.exchange') counts.exchange += 1
    else counts[step] += 1
    await this.#deliver(realm, call, this.#faults.take(realm.name, step), work, grant)
  }

  async #deliver(realm: Realm, call: Call, fault: ReturnType<FaultQueue['take']>, work: () => Answer, grant: () => Grant | undefined): Promise<void> {
    let answer: Answer | undefined
    const commit = () => {
      answer ??= work()
      return answer
    }
    const revokeGrant = () => {
      const held = grant()
      if (held) this.#book.revoke(held, 'fault')
    }
    const field = fault?.spec.step === 'token.exchange' ? 'code' : 'refresh_token'
    const refuse = (code: 'invalid_grant' | 'invalid_client') =>
      tokenError(realm.settings().shape, code, code === 'invalid_client' ? 'client' : field, 'a fault on command')
    await deliver(fault, { profile: realm.name, response: call.response, held: this.#held, wait, commit, refuse, revokeGrant })
  }

  #count(profile: string): ProfileCounts {
    const counts = this.#counts.get(profile) ?? { refresh: 0, exchange: 0, api: 0, revoke: 0, unknownTokens: 0 }
    this.#counts.set(profile, counts)
    return counts
  }
}
