import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import type { JsonValue } from '../../core/json.ts'
import type { ProviderRecord } from '../../core/provider/record.ts'
import { fitting, jsonWith } from './example-json.ts'
import type { Client, Received } from './received-request.ts'
import { examplesOf, relocate } from './relocate.ts'
import { authorizeProblems, tokenRequestProblems } from './request-checks.ts'
import { ACCOUNT, accessToken, deadAnswer, holdsRefreshToken, tokenAnswer } from './token-answers.ts'

type Table = Readonly<Record<string, string>>

interface SignedPush {
  readonly body: string
  readonly headers: Table
}

/** One provider of the catalogue on this machine: its addresses, its parameters, its answers, its way of saying no. */
export interface EmulatedProvider {
  /** The record with its addresses moved here. */
  readonly record: ProviderRecord
  readonly variables: Table
  /** What requests had that the provider would refuse. */
  readonly problems: readonly string[]
  /** What was asked for, in order: `exchange`, `refresh`, `chain`, `look_up`, `revoke`. */
  readonly asked: readonly string[]
  /** The newest access token that works. */
  readonly access: string
  /** The page behind an authorize URL, answered with yes: the parameters that the browser brings back. */
  consent(authorizeUrl: string): Table
  /** The push that brings the code of the last consent, signed as the record says. */
  pushOfCode(): SignedPush
  /** The owner takes the grant back: every further refresh is refused in the provider's own words. */
  end(): void
  close(): Promise<void>
}

export async function emulate(original: ProviderRecord, client: Client, now: () => number): Promise<EmulatedProvider> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const one = new Emulation(original, base, client, now)
  server.on('request', (request, response) => void one.handle(request, response))
  return Object.assign(one, {
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

class Emulation {
  readonly record: ProviderRecord
  readonly variables: Table
  readonly problems: string[] = []
  readonly asked: string[] = []
  access = ''
  readonly #base: string
  readonly #client: Client
  readonly #now: () => number
  readonly #told: Table
  #refresh: string | null = null
  #nonce: string | null = null
  #code: string | null = null
  #count = 0
  #over = false

  constructor(original: ProviderRecord, base: string, client: Client, now: () => number) {
    this.record = relocate(original, base)
    this.variables = examplesOf(this.record)
    this.#base = base
    this.#client = client
    this.#now = now
    this.#told = {
      ...Object.fromEntries(namesAtTheBeginning(this.record).map((name) => [name, addressOf(this.record, name, base)])),
      ...pushedExamples(this.record),
    }
  }

  consent(authorizeUrl: string): Table {
    const url = new URL(authorizeUrl)
    const query = this.record.authorize.inFragment ? url.hash.replace(/^[^?]*\??/, '') : url.search
    const sent = Object.fromEntries(new URLSearchParams(query))
    this.problems.push(...authorizeProblems(this.record, sent, this.#client))
    const { callback, rename, requiredScopes, defaultScopes } = this.record.authorize
    this.#nonce = sent[rename.nonce ?? 'nonce'] ?? null
    this.#count += 1
    this.#code = `code-${this.#count}`
    this.#over = false
    const state = sent[rename.state ?? 'state']
    const accounts = this.record.account.flatMap((source) => (source.from === 'callback' ? source.parameter.split(' + ') : []))
    const told: Table = {
      ...Object.fromEntries(accounts.map((name) => [name, ACCOUNT])),
      ...Object.fromEntries(Object.entries(callback.facts).map(([fact, name]) => [name, this.#told[fact] ?? ACCOUNT])),
      ...(callback.scope === null ? {} : { [callback.scope]: [...requiredScopes, ...defaultScopes].join(',') }),
      ...(callback.by === 'push' ? {} : { [callback.code]: this.#code }),
      ...(callback.by === 'push' || state === undefined ? {} : { state }),
    }
    return callback.hmac === null ? told : { ...told, [callback.hmac]: this.#signed(told) }
  }

  pushOfCode(): SignedPush {
    const { push } = this.record
    const rule = push?.rules.find(({ means }) => means === 'code')
    if (push === null || rule === undefined || rule.code === null || push.proof.kind !== 'hmac_sha256')
      throw new Error(`${this.record.id} pushes no code that could be signed here`)
    const wanted: (readonly [string, JsonValue])[] = Object.entries(rule.where).map(([path, expected]) => [path, fitting(expected)])
    for (const [fact, path] of Object.entries(rule.facts)) wanted.push([path, this.#told[fact] ?? ACCOUNT])
    const body = JSON.stringify(jsonWith({}, [...wanted, [rule.code, this.#code ?? '']]))
    const digest = createHmac('sha256', this.#client.secret).update(push.proof.text.replace('{body}', body)).digest(push.proof.encoding)
    return { body, headers: { ...rule.headers, [push.proof.header]: push.proof.format.replace('{signature}', digest) } }
  }

  end(): void {
    this.#over = true
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#base)
    const text = await readText(request)
    const query = Object.fromEntries(url.searchParams)
    const received = {
      method: request.method ?? '',
      headers: request.headers,
      query,
      body: parameters(request.headers['content-type'] ?? '', text),
      text,
      target: request.url ?? '/',
    }
    const { status, body } = this.#answerOrProblem(`${this.#base}${decodeURIComponent(url.pathname)}`, received)
    const { headers, cookies, rest } = besideBody(body)
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers, 'set-cookie': ['site=of-the-site; Path=/', ...cookies] })
      .end(JSON.stringify(rest))
  }

  #answerOrProblem(address: string, received: Received): { readonly status: number; readonly body: JsonValue } {
    try {
      return this.#answer(address, received)
    } catch (error) {
      this.problems.push(`${address}: ${error instanceof Error ? error.message : String(error)}`)
      return { status: 500, body: {} }
    }
  }

  #answer(address: string, received: Received): { readonly status: number; readonly body: JsonValue } {
    const { record } = this
    const metadata = /^(.*?)\/\.well-known\/[^/]+(.*)$/.exec(address)
    if (metadata !== null) return { status: 200, body: discovery(`${metadata[1]}${metadata[2]}`) }
    const reaches = (template: string | null) => template !== null && this.#pattern(template).test(address)
    const issuer = record.discovery === null ? null : this.#resolved(record.discovery.issuer)
    const token = record.token.url ?? `${issuer}/token`
    const refresh = record.token.refreshUrl ?? token
    if (reaches(token) || reaches(refresh)) {
      const exchanging = reaches(token) && this.#isExchange(received)
      return exchanging ? this.#exchange(received) : this.#renew(received)
    }
    const chained = record.chain.find((step) => reaches(step.request.url))
    if (chained !== undefined) {
      this.asked.push('chain')
      this.access = `chained-${this.#next()}-of-${record.id}`
      const seconds = chained.accessSeconds ?? 3_600
      const facts = Object.entries(chained.facts).map(([name, path]) => [path, this.#told[name] ?? `told-${name}`] as const)
      return {
        status: 200,
        body: jsonWith({}, [[chained.accessToken, this.access], ...(chained.expiresIn === null ? [] : [[chained.expiresIn, seconds] as const]), ...facts]),
      }
    }
    const lookUp = this.#lookUp(reaches, received.method)
    if (lookUp !== null) {
      this.asked.push('look_up')
      return { status: 200, body: lookUp }
    }
    if ([record.revoke?.url, record.revoke?.fallback?.url, record.revoke === null ? null : `${issuer}/revoke`].some((template) => reaches(template ?? null))) {
      this.asked.push('revoke')
      this.#over = true
      return { status: 200, body: {} }
    }
    this.problems.push(`${received.method} ${address}: nothing is there`)
    return { status: 404, body: { error: 'not_found' } }
  }

  /** The code tells, or, where it stands under the same name as something else, that nothing else was presented. */
  #isExchange({ query, body }: Received): boolean {
    return Object.values({ ...query, ...body }).some((value) => value === this.#code)
  }

  #exchange(received: Received): { readonly status: number; readonly body: JsonValue } {
    this.asked.push('exchange')
    this.problems.push(...tokenRequestProblems(this.record, 'exchange', received, this.#client))
    this.#code = null
    this.#refresh = holdsRefreshToken(this.record, 'exchange') ? `rt-${this.#next()}-of-${this.record.id}` : null
    return this.#granted('exchange', this.#refresh)
  }

  #renew(received: Received): { readonly status: number; readonly body: JsonValue } {
    this.asked.push('refresh')
    this.problems.push(...tokenRequestProblems(this.record, 'refresh', received, this.#client))
    const wanted = this.record.token.refresh.presents === 'access_token' ? this.access : this.#refresh
    const bearer = String(received.headers.authorization ?? '')
    const presented = wanted !== null && (Object.values({ ...received.query, ...received.body }).includes(wanted) || bearer.includes(wanted))
    if (!presented) this.problems.push('refresh: an old or unknown token was presented')
    if (this.#over || !presented) return deadAnswer(this.record)
    const rotates = holdsRefreshToken(this.record, 'refresh')
    if (rotates && this.record.reuse.class !== 'P0') this.#refresh = `rt-${this.#next()}-of-${this.record.id}`
    return this.#granted('refresh', rotates ? this.#refresh : null)
  }

  #granted(step: 'exchange' | 'refresh', refresh: string | null): { readonly status: number; readonly body: JsonValue } {
    const { record } = this
    if (step === 'exchange' || !record.token.refresh.prolongs) this.access = accessToken(record, this.#next())
    const issuer = this.#resolved(record.issuer ?? record.discovery?.issuer ?? `${this.#base}/issuer`)
    const issued = { access: this.access, refresh }
    const input = { record, step, issued, clientId: this.#client.id, nonce: this.#nonce, issuer, told: this.#told, now: this.#now() }
    return { status: 200, body: tokenAnswer(input) }
  }

  /** One answer for everything that is asked at an address: the account, what a consent needs, the check of a token. */
  #lookUp(reaches: (template: string | null) => boolean, method: string): JsonValue | null {
    const wanted: (readonly [string, JsonValue])[] = []
    const { account, afterConnect, check } = this.record
    let found = false
    for (const source of account) {
      if (source.from !== 'request' || !(reaches(source.url) || source.url === '{userinfo}') || source.method !== method) continue
      found ||= reaches(source.url)
      for (const path of source.path.split(' + ')) wanted.push([path, source.pattern === null ? ACCOUNT : accountText(source.pattern)])
    }
    for (const step of afterConnect) {
      if (!reaches(step.request.url) || step.request.method !== method) continue
      found = true
      const prefix = step.from === null ? '' : step.from.list === '' ? '0.' : `${step.from.list}.0.`
      for (const [path, expected] of Object.entries(step.from?.where ?? {})) wanted.push([`${prefix}${path}`, fitting(expected)])
      for (const [fact, path] of Object.entries(step.facts)) wanted.push([`${prefix}${path}`, this.#told[fact] ?? `told-${fact}`])
    }
    if (check !== null && reaches(check.request.url) && check.request.method === method) {
      found = true
      for (const [path, expected] of Object.entries(check.where ?? {})) wanted.push([path, fitting(expected)])
    }
    return found ? jsonWith({}, wanted) : null
  }

  #pattern(template: string): RegExp {
    const filled = this.#resolved(template)
    const parts = filled.split(/\{\+?[A-Za-z0-9_-]+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${parts.join('[^?#]+?').replace(/\\\?.*$/, '')}/?$`)
  }

  /** A template whose beginning is a value: only what stands further back is left open. */
  #resolved(template: string): string {
    return template.replace(/^\{\+?([A-Za-z0-9_-]+)\}/, (whole, name: string) => this.variables[name] ?? this.#told[name] ?? whole)
  }

  #signed(table: Table): string {
    const message = Object.entries(table)
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join('&')
    return createHmac('sha256', this.#client.secret).update(message).digest('hex')
  }

  #next(): number {
    this.#count += 1
    return this.#count
  }
}

/** The example where it is an address: an account may be a part of it. */
function addressOf({ variables }: ProviderRecord, name: string, base: string): string {
  const { default: usual = null, example = '' } = variables[name] ?? {}
  return usual ?? (example.startsWith(base) ? example.replace(/\/$/, '') : `${base}/told/${name}`)
}

/** What a push names and a browser repeats. */
function pushedExamples({ push, variables }: ProviderRecord): Table {
  const names = (push?.rules ?? []).flatMap(({ means, facts }) => (means === 'code' ? Object.keys(facts) : []))
  return Object.fromEntries(names.map((name) => [name, variables[name]?.example ?? ACCOUNT]))
}

/** Variables and facts that a URL of the record begins with. */
function namesAtTheBeginning(record: ProviderRecord): string[] {
  const { token, revoke, api, account, chain, afterConnect, check } = record
  const templates = [
    token.url,
    token.refreshUrl,
    revoke?.url,
    revoke?.fallback?.url,
    api?.base,
    check?.request.url,
    ...account.map((source) => (source.from === 'request' ? source.url : null)),
    ...[...chain, ...afterConnect].map((step) => step.request.url),
  ]
  return [...new Set(templates.flatMap((template) => /^\{\+?([A-Za-z0-9_-]+)\}/.exec(template ?? '')?.[1] ?? []))].filter((name) => name !== 'userinfo')
}

/** A text that the pattern cuts an account out of: an id of its own, or the end of an address. */
function accountText(pattern: string): string {
  const texts = [ACCOUNT, `https://provider.example/users/${ACCOUNT}`]
  const found = texts.find((text) => new RegExp(pattern).exec(text)?.[1] !== undefined)
  if (found === undefined) throw new Error(`no example is known for the account pattern ${pattern}`)
  return found
}

function discovery(issuer: string): JsonValue {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    userinfo_endpoint: `${issuer}/userinfo`,
    code_challenge_methods_supported: ['S256'],
  }
}

function parameters(type: string, text: string): Table {
  if (type.startsWith('application/json')) {
    const body: unknown = text === '' ? {} : JSON.parse(text)
    return typeof body === 'object' && body !== null ? Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)])) : {}
  }
  if (type.startsWith('application/xml'))
    return Object.fromEntries([...text.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map((match) => [match[1] ?? '', match[2] ?? '']))
  return Object.fromEntries(new URLSearchParams(text))
}

/** What a sample has under `header:` and `cookie:` leaves beside the body. */
function besideBody(body: JsonValue): { readonly headers: Record<string, string>; readonly cookies: readonly string[]; readonly rest: JsonValue } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { headers: {}, cookies: [], rest: body }
  const of = (prefix: string) =>
    Object.entries(body).flatMap(([name, value]): [string, string][] => (name.startsWith(prefix) ? [[name.slice(prefix.length), String(value)]] : []))
  const cookies = of('cookie:')
  const whole = cookies
    .filter(([name]) => !name.includes(';'))
    .map(([name, value]) =>
      [
        `${name}=${value}`,
        ...cookies.flatMap(([other, attribute]) => (other.startsWith(`${name};`) ? [`${other.slice(name.length + 1)}=${attribute}`] : [])),
      ].join('; '),
    )
  const rest = Object.fromEntries(Object.entries(body).filter(([name]) => !/^(?:header|cookie):/.test(name)))
  return { headers: Object.fromEntries(of('header:')), cookies: whole, rest }
}
