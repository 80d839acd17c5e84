import { digestOf } from '../proof/base64url.ts'
import { isRecord, type JsonRecord } from '../proof/jws.ts'
import { type FakeInstallation, type FakePolicy, type FakeToken, type Outcome, present, type RevokeClass } from './fake-installations.ts'
import { FakeProofs } from './fake-proofs.ts'

/** What happens to a request: `commit` does what the server would, once; what is returned is what arrives. Throwing is a lost answer. */
export type Script = (commit: () => Promise<Response>, request: Request) => Promise<Response>

export interface FakeEvergrantOptions {
  /** `https://evergrant.test` by default. */
  readonly url?: string
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
  /** Seconds that an access token lives; 600 by default. */
  readonly accessSeconds?: number
}

export interface FakeConnection {
  readonly id: string
  generation: number
  /** Of the access token that is handed out; made from the generation when nothing is said. */
  token?: string
  expiresAt: string | null
}

export interface FakeCounts {
  enrolled: number
  /** New generations. */
  rotations: number
  /** The same attempt, answered with the same bytes. */
  repeated: number
  refused: number
  tokens: number
}

interface Enrolment {
  readonly agent: FakeInstallation['agent']
  readonly door: 'code' | 'device' | 'workload'
  status: 'open' | 'approved' | 'denied' | 'used'
  readonly userCode: string | null
  usedBy: string | null
  attempt: string | null
  installation: FakeInstallation | null
}

const DAY_MS = 86_400_000
const SDK_TOKEN = /^egs_1\.([0-9a-f-]{36})\.(\d+)\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/
const ATTEMPT = /^[A-Za-z0-9_-]{22}$/

/**
 * An Evergrant server in memory that is as strict as the real one about installations: proofs, nonces, attempts, generations, clones, recovery. Hand its
 * `fetch` to the client (`platform: { fetch: fake.fetch }`) and its codes to `enrolmentCode`.
 */
export class FakeEvergrant {
  readonly url: string
  readonly counts: FakeCounts = { enrolled: 0, rotations: 0, repeated: 0, refused: 0, tokens: 0 }
  readonly policy: FakePolicy = { mode: 'standard', limit: 5, windowMs: 30 * DAY_MS, tokenLifeMs: 60 * DAY_MS }
  readonly installations: FakeInstallation[] = []
  readonly connections = new Map<string, FakeConnection>()
  readonly #now: () => number
  readonly #accessSeconds: number
  readonly #proofs: FakeProofs
  readonly #enrolments = new Map<string, Enrolment>()
  readonly #approved = new Set<string>()
  readonly #scripts: { readonly path: string; readonly script: Script }[] = []
  readonly #secret = crypto.randomUUID()

  constructor({ url = 'https://evergrant.test', now = () => Date.now(), accessSeconds = 600 }: FakeEvergrantOptions = {}) {
    this.url = url
    this.#now = now
    this.#accessSeconds = accessSeconds
    this.#proofs = new FakeProofs(now)
  }

  /** A one-time code of a new agent, as an operator makes it. `withServer`: the long form, which needs no EVERGRANT_URL. */
  code({ agent = 'weather', withServer = false } = {}): string {
    const secret = `egc_${crypto.randomUUID().replaceAll('-', '')}`
    this.#enrolments.set(secret, this.#newEnrolment(agent, 'code'))
    return withServer ? `${secret}.${btoa(`${this.url}/`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}` : secret
  }

  /** From now on this identity token of a platform is accepted. */
  trustWorkload(token: string, agent = 'ci'): void {
    this.#enrolments.set(token, this.#newEnrolment(agent, 'workload'))
  }

  /** What a person answers to a machine that shows this code. */
  decideDevice(userCode: string, status: 'approved' | 'denied'): void {
    for (const enrolment of this.#enrolments.values()) if (enrolment.userCode === userCode) enrolment.status = status
  }

  /** The operator's Rotate: heals, and counts against nothing unless `ticket` is false. */
  rotate({ class: revoked = 'hygiene', ticket = true }: { readonly class?: RevokeClass; readonly ticket?: boolean } = {}): void {
    for (const { head } of this.installations) Object.assign(head, { state: 'revoked', revoked, ticket })
  }

  /** The operator's Cut off: nothing heals it. */
  cutOff(): void {
    for (const installation of this.installations) Object.assign(installation.head, { state: 'revoked', revoked: 'owner_request' })
  }

  /** "Unlock and re-key". */
  unlock(): void {
    for (const installation of this.installations) Object.assign(installation, { status: 'active', rekey: true })
  }

  approveRecoveries(): void {
    for (const { id } of this.installations) this.#approved.add(id)
  }

  /** The next request to a path that ends so goes through the script. */
  once(path: string, script: Script): void {
    this.#scripts.push({ path, script })
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    request.signal.throwIfAborted()
    const { pathname } = new URL(request.url)
    const index = this.#scripts.findIndex(({ path }) => pathname.endsWith(path))
    const commit = (): Promise<Response> => this.#serve(request, pathname)
    const script = index < 0 ? undefined : this.#scripts.splice(index, 1)[0]
    return script === undefined ? commit() : script.script(commit, request)
  }

  async #serve(request: Request, pathname: string): Promise<Response> {
    const base = `${new URL(this.url).pathname.replace(/\/$/, '')}/api/v1/`
    if (!pathname.startsWith(base)) return this.#problem(404, 'not_found')
    const path = pathname.slice(base.length)
    const parsed: unknown =
      request.method === 'POST' && !path.startsWith('proxy/')
        ? await request
            .clone()
            .json()
            .catch(() => null)
        : {}
    const body = isRecord(parsed) ? parsed : {}
    if (path === 'agents/enroll') return this.#enroll(request, body)
    if (path === 'auth/sdk/device') return this.#device()
    if (path === 'auth/sdk/refresh') return this.#present(request, 'refresh', body)
    if (path === 'auth/sdk/recover') return this.#present(request, 'recover', body)
    if (path === 'auth/sdk/revoke') return this.#revoke(request, body)
    return this.#use(request, path)
  }

  async #enroll(request: Request, body: JsonRecord): Promise<Response> {
    const credential = String(body['code'] ?? body['device_code'] ?? body['workload_token'] ?? '').replace(/^(egc_[^.]+)\..*$/, '$1')
    const proof = await this.#proofs.check(request.headers.get('dpop'), { method: 'POST', url: request.url, credential })
    if (typeof proof === 'string') return this.#proofProblem(proof)
    if (!this.#proofs.spend(proof)) return this.#proofProblem('invalid')
    const attempt = String(body['attempt_id'])
    if (!ATTEMPT.test(attempt)) return this.#problem(400, 'invalid_request', { field: 'attempt_id' })
    const enrolment = this.#enrolments.get(credential)
    if (enrolment === undefined) return this.#problem(401, body['workload_token'] === undefined ? 'enrolment_code_invalid' : 'workload_refused')
    if (enrolment.status === 'denied') return this.#problem(403, 'device_denied')
    if (enrolment.door === 'device' && enrolment.status === 'open') return this.#problem(400, 'authorization_pending')
    if (enrolment.status === 'used' && enrolment.door !== 'workload') {
      if (enrolment.usedBy !== proof.thumbprint || enrolment.attempt !== attempt || enrolment.installation === null)
        return this.#problem(401, 'enrolment_code_invalid')
      this.counts.repeated += 1
      return this.#answer(enrolment.installation, enrolment.installation.head)
    }
    const installation = this.#newInstallation(enrolment.agent, proof.thumbprint, attempt, String(body['name'] ?? 'machine'))
    Object.assign(enrolment, { status: 'used', usedBy: proof.thumbprint, attempt, installation })
    return this.#answer(installation, installation.head)
  }

  #device(): Response {
    const deviceCode = crypto.randomUUID()
    const userCode = `ABCD-${String(this.#enrolments.size).padStart(4, '0')}`
    this.#enrolments.set(deviceCode, { ...this.#newEnrolment('device', 'device'), userCode })
    const uri = `${this.url}/device`
    return this.#json(200, {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: uri,
      verification_uri_complete: `${uri}?code=${userCode}`,
      expires_in: 600,
      interval: 5,
    })
  }

  /** Found by token, MAC and key; null for everybody else, whatever is wrong. */
  async #holder(
    text: string,
    by: string,
    next: string | null = null,
  ): Promise<{ readonly installation: FakeInstallation; readonly generation: number; readonly attempt: string } | null> {
    const [, uuid = '', generation = '', attempt = '', mac = ''] = SDK_TOKEN.exec(text) ?? []
    const installation = this.installations.find(({ id }) => id === `ins_${uuid}`)
    // Who changed the key and did not hear the answer signs with the one before, and with the new one beside it.
    const own = installation?.thumbprint === by || (installation?.thumbprint === next && installation?.previousThumbprints[0] === by)
    if (installation === undefined || !own || mac !== (await this.#mac(`${uuid}.${generation}.${attempt}`))) return null
    return { installation, generation: Number(generation), attempt }
  }

  async #present(request: Request, verb: 'refresh' | 'recover', body: JsonRecord): Promise<Response> {
    const shown = String(body[verb === 'refresh' ? 'refresh_token' : 'old_refresh_token'])
    const expected = { method: 'POST', url: request.url, credential: shown }
    const proof = await this.#proofs.check(request.headers.get('dpop'), expected)
    if (typeof proof === 'string') return this.#proofProblem(proof)
    const nextText = body['next_key_proof']
    const next = typeof nextText === 'string' ? await this.#proofs.check(nextText, expected) : null
    if (typeof next === 'string') return this.#proofProblem(next)
    // As a token that is none: whoever repeats what they overheard learns nothing.
    if (!this.#proofs.spend(proof) || (next !== null && !this.#proofs.spend(next))) return this.#problem(401, 'sdk_token_invalid')
    const holder = await this.#holder(shown, proof.thumbprint, next?.thumbprint ?? null)
    if (holder === null) return this.#problem(401, 'sdk_token_invalid')
    const { installation, generation, attempt } = holder
    const presentation = {
      verb,
      by: proof.thumbprint,
      provenAfter: proof.after,
      generation,
      shownAttempt: attempt,
      attempt: String(body['attempt_id']),
      nextThumbprint: next?.thumbprint ?? null,
    }
    return this.#outcome(installation, present(installation, presentation, this.policy, this.#approved.has(installation.id), this.#now()))
  }

  #outcome(installation: FakeInstallation, outcome: Outcome): Response | Promise<Response> {
    if (outcome.kind === 'pending') {
      const expires = new Date(this.#now() + DAY_MS).toISOString()
      return this.#json(202, { approval: { id: `apr_${installation.id}`, status: 'pending', why: 'mode', expires_at: expires }, retry_after: 30 })
    }
    if (outcome.kind === 'refused') {
      const at = outcome.retryAt === undefined ? {} : { retry_at: new Date(outcome.retryAt).toISOString() }
      return this.#problem(outcome.status, outcome.code, at)
    }
    if (outcome.again) this.counts.repeated += 1
    else this.counts.rotations += 1
    this.#approved.delete(installation.id)
    return this.#answer(installation, outcome.token)
  }

  async #revoke(request: Request, body: JsonRecord): Promise<Response> {
    const shown = String(body['refresh_token'])
    const proof = await this.#proofs.check(request.headers.get('dpop'), { method: 'POST', url: request.url, credential: shown })
    if (typeof proof === 'string') return this.#proofProblem(proof)
    const holder = this.#proofs.spend(proof) ? await this.#holder(shown, proof.thumbprint) : null
    if (holder === null) return this.#problem(401, 'sdk_token_invalid')
    holder.installation.status = 'retired'
    return this.#json(200, { revoked: true })
  }

  /** Everything that an access token is for. */
  async #use(request: Request, path: string): Promise<Response> {
    const [scheme, text = ''] = (request.headers.get('authorization') ?? '').split(' ')
    const [, id = '', generation = '', until = ''] = text.split('~')
    const installation = this.installations.find((one) => one.id === id)
    const token = installation?.tokens.find((one) => one.generation === Number(generation))
    if (scheme !== 'DPoP' || installation === undefined || token === undefined) return this.#problem(401, 'access_token_expired')
    const proof = await this.#proofs.check(request.headers.get('dpop'), { method: request.method, url: request.url, accessToken: text })
    if (typeof proof === 'string') return this.#proofProblem(proof)
    if (!this.#proofs.spend(proof)) return this.#proofProblem('invalid')
    const isOver = this.#now() >= Number(until) || token.state === 'revoked' || installation.status !== 'active' || proof.thumbprint !== token.thumbprint
    if (isOver) return this.#problem(401, 'access_token_expired')
    token.activatedAt ??= this.#now()
    return this.#resource(request, path)
  }

  #resource(request: Request, path: string): Response {
    const [first, id = '', ...rest] = path.split('/')
    if (path === 'connections') return this.#json(200, { items: [...this.connections.keys()].map((known) => ({ id: known, status: 'active' })), cursor: null })
    const connection = this.connections.get(id)
    if (connection === undefined) return this.#problem(404, 'not_found')
    if (first === 'proxy')
      return new Response(`proxied ${rest.join('/')}`, { status: 200, headers: { ...this.#headers(), 'evergrant-upstream-status': '200' } })
    if (rest.length === 0) return this.#json(200, { id, status: 'active' })
    this.counts.tokens += 1
    const rejected = new URL(request.url).searchParams.get('rejected_generation')
    if (rejected !== null && Number(rejected) === connection.generation) connection.generation += 1
    const { generation, token = `token-${generation}`, expiresAt } = connection
    return this.#json(200, {
      access_token: token,
      token_type: 'Bearer',
      expires_at: expiresAt,
      generation,
      scopes: null,
      connection_id: id,
      status: 'active',
    })
  }

  async #answer(installation: FakeInstallation, token: FakeToken): Promise<Response> {
    const { generation, attempt, source, reason } = token
    const uuid = installation.id.slice(4)
    const until = this.#now() + this.#accessSeconds * 1_000
    const left = Math.max(0, this.policy.limit - installation.recoveries.length)
    return this.#json(200, {
      access_token: `at~${installation.id}~${generation}~${until}`,
      token_type: 'DPoP',
      expires_in: this.#accessSeconds,
      refresh_token: `egs_1.${uuid}.${generation}.${attempt}.${await this.#mac(`${uuid}.${generation}.${attempt}`)}`,
      refresh_expires_at: new Date(token.expiresAt).toISOString(),
      generation,
      attempt_id: attempt,
      server_time: new Date(this.#now()).toISOString(),
      installation: { id: installation.id, name: installation.name, status: installation.status, key_thumbprint: installation.thumbprint, expires_at: null },
      agent: { ...installation.agent },
      organization: { id: 'org_00000000-0000-7000-8000-000000000001', name: 'Acme' },
      metadata: { source, recovered_from: source === 'token_recovery' ? 'stk_before' : null, recovery_reason: reason },
      recovery: { mode: this.policy.mode, remaining: left, window_days: 30, limit: this.policy.limit },
    })
  }

  #newEnrolment(agent: string, door: Enrolment['door']): Enrolment {
    const named = { id: `agt_${crypto.randomUUID()}`, name: agent, status: 'verified' as const }
    return { agent: named, door, status: 'open', userCode: null, usedBy: null, attempt: null, installation: null }
  }

  #newInstallation(agent: FakeInstallation['agent'], thumbprint: string, attempt: string, name: string): FakeInstallation {
    const at = this.#now()
    const head: FakeToken = {
      generation: 1,
      attempt,
      parent: null,
      thumbprint,
      createdAt: at,
      expiresAt: at + this.policy.tokenLifeMs,
      state: 'active',
      revoked: null,
      ticket: false,
      activatedAt: null,
      supersededAt: null,
      source: 'enrolment',
      reason: null,
    }
    const id = `ins_${crypto.randomUUID()}`
    const installation: FakeInstallation = {
      id,
      name,
      agent,
      status: 'active',
      thumbprint,
      previousThumbprints: [],
      head,
      tokens: [head],
      rekey: false,
      recoveries: [],
      reissues: [],
    }
    this.installations.push(installation)
    this.counts.enrolled += 1
    return installation
  }

  #mac(text: string): Promise<string> {
    return digestOf(`${this.#secret}\n${text}`)
  }

  #headers(): Record<string, string> {
    return { 'dpop-nonce': this.#proofs.nonce(), date: new Date(this.#now()).toUTCString(), 'cache-control': 'no-store' }
  }

  #json(status: number, body: object): Response {
    return new Response(JSON.stringify(body), { status, headers: { ...this.#headers(), 'content-type': 'application/json' } })
  }

  #problem(status: number, code: string, more: object = {}): Response {
    this.counts.refused += 1
    const action = status === 429 ? 'wait' : status === 403 ? 'contact_admin' : 'retry'
    return this.#json(status, {
      type: `urn:evergrant:${code}`,
      title: code,
      status,
      detail: `${code}.`,
      code,
      action,
      request_id: `req_${this.counts.refused}`,
      ...more,
    })
  }

  #proofProblem(kind: 'nonce' | 'invalid'): Response {
    return this.#problem(401, kind === 'nonce' ? 'dpop_nonce_required' : 'dpop_proof_invalid')
  }
}
