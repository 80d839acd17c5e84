import {
  type ConnectionId,
  credentialContext,
  type EnginePorts,
  Fault,
  type GrantRow,
  type IntentId,
  newCredential,
  newId,
  type OrganizationId,
  type ProviderRecord,
  type TokenAnswer,
  type TokenRequest,
  type WireOutcome,
} from '../../../evergrant/src/engine.ts'
import type { EngineFactory, NodeEngine } from './seed-report.ts'

const SECOND = 1_000
/** The lock is a key with a time to live; whoever holds it works on although it ran out. */
/** Longer than both attempts and the writes: its holder is not overtaken unless it stalls. */
const LOCK_MS = 45 * SECOND
/** What is found in the field: shorter than one request may take. */
const SHORT_LOCK_MS = 10 * SECOND
const LOCK_PATIENCE_MS = 15 * SECOND
const LOCK_POLL_MS = 250
/** What HTTP clients are usually given. */
const CLIENT_TIMEOUT_MS = 15 * SECOND
const ATTEMPTS = 2
const RETRY_AFTER_MS = SECOND
const WRITES = 3
/** A token that lives less long is refreshed when it is read. */
const MARGIN_MS = 7.5 * 60 * SECOND
/** Nobody read it: refreshed once a day, so that it does not die of idleness. */
const DAILY_MS = 24 * 3_600 * SECOND
const COOL_DOWN_MS = 30 * SECOND

type Judged =
  | { readonly kind: 'granted'; readonly status: number; readonly tokens: GrantedTokens }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'failed' }

interface GrantedTokens {
  readonly accessToken: string
  readonly refreshToken: string | null
  readonly expiresInMs: number
}

/**
 * What many teams build, built with care: a lock with a time to live around the refresh, a second look under the lock, one
 * flight per process, a timeout, a retry, a write that is tried again, a margin, a cool-down, a graceful stop. What it lacks
 * is what this protocol is about: no intent, no class of provider, no comparison when it writes, no journal, and a 400 is
 * the end of the grant.
 */
export const plainLockEngine: EngineFactory = (ports) => new PlainLockEngine(ports, LOCK_MS)
/** The same with a lock that may end before its request does. */
export const shortLockEngine: EngineFactory = (ports) => new PlainLockEngine(ports, SHORT_LOCK_MS)

class PlainLockEngine implements NodeEngine {
  readonly #ports: EnginePorts
  readonly #lockMs: number
  readonly #flights = new Map<ConnectionId, Promise<GrantRow>>()
  readonly #coolUntil = new Map<ConnectionId, number>()
  readonly #records = new Map<string, ProviderRecord>()
  #draining = false

  constructor(ports: EnginePorts, lockMs: number) {
    this.#ports = ports
    this.#lockMs = lockMs
  }

  peek(): undefined {}

  async token(request: TokenRequest): Promise<TokenAnswer> {
    const row = await this.#read(request)
    const left = this.#lifetimeLeft(row)
    const rejected = request.rejectedGeneration === row.credential.generation
    if (!rejected && left > Math.min(MARGIN_MS, ((row.credential.accessExpiresAt ?? 0) - row.credential.obtainedAt) / 2)) return this.#answer(row)
    try {
      return this.#answer(await this.#renewed(row))
    } catch (error) {
      if (!rejected && left > 0 && row.connection.state === 'active') return this.#answer(row)
      throw error
    }
  }

  async refresh(organization: OrganizationId, connection: ConnectionId): Promise<unknown> {
    return this.#renewed(await this.#read({ organization, connection }))
  }

  recover(): Promise<unknown> {
    return Promise.resolve()
  }

  async runDue(): Promise<number> {
    if (this.#draining) return 0
    const due = await this.#ports.credentials.takeDue(20, 60 * SECOND)
    for (const taken of due) void this.#renewIdle(taken)
    return due.length
  }

  flushInterest(): Promise<void> {
    return Promise.resolve()
  }

  forget(): void {}

  forgetIntegration(): void {}

  takeOverLost(): Promise<number> {
    return Promise.resolve(0)
  }

  freeForgotten(): Promise<number> {
    return Promise.resolve(0)
  }

  async drain(): Promise<{ readonly onlyInJournal: number }> {
    this.#draining = true
    await Promise.allSettled(this.#flights.values())
    return { onlyInJournal: 0 }
  }

  async #read(request: Pick<TokenRequest, 'organization' | 'connection'>): Promise<GrantRow> {
    const row = await this.#ports.credentials.read(request.connection)
    if (row === undefined || row.connection.organization !== request.organization) throw new Fault('not_found')
    if (row.connection.state !== 'active') throw new Fault(row.connection.state === 'paused' ? 'connection_paused' : 'connection_revoked')
    return row
  }

  async #renewIdle(taken: Parameters<EnginePorts['credentials']['reschedule']>[0]): Promise<void> {
    try {
      const row = await this.#ports.credentials.read(taken.connection)
      if (row === undefined || row.connection.state !== 'active') return
      const dueAt = row.credential.obtainedAt + DAILY_MS
      if (dueAt > this.#ports.clock.wall()) await this.#ports.credentials.reschedule(taken, dueAt)
      else await this.#renewed(row)
    } catch {
      // It comes up again.
    }
  }

  #renewed(row: GrantRow): Promise<GrantRow> {
    const { id } = row.connection
    const up = this.#flights.get(id)
    if (up !== undefined) return up
    if (this.#draining || (this.#coolUntil.get(id) ?? 0) > this.#ports.clock.mono()) return Promise.reject(new Fault('provider_unavailable'))
    const flight = this.#renew(row)
    this.#flights.set(id, flight)
    const land = () => void this.#flights.delete(id)
    flight.then(land, () => {
      this.#coolUntil.set(id, this.#ports.clock.mono() + COOL_DOWN_MS)
      land()
    })
    return flight
  }

  async #renew(seen: GrantRow): Promise<GrantRow> {
    const intent = newId('itn', this.#ports.entropy)
    const locked = await this.#lock(seen, intent)
    if (locked.row.credential.generation > seen.credential.generation || !locked.mine) return locked.row
    const sentAt = this.#ports.clock.wall()
    const judged = await this.#present(locked.row)
    if (judged.kind === 'granted') return this.#write(locked.row, intent, judged, sentAt)
    if (judged.kind === 'refused') await this.#giveUp(locked.row, intent, judged.status)
    else await this.#unlock(locked.row.connection.id)
    throw new Fault(judged.kind === 'refused' ? 'connection_revoked' : 'provider_unavailable')
  }

  /** SET NX PX, polled until it is ours, somebody else has refreshed, or patience ends. */
  async #lock(seen: GrantRow, intent: IntentId): Promise<{ readonly row: GrantRow; readonly mine: boolean }> {
    const { credentials, clock, timers, node } = this.#ports
    const until = clock.mono() + LOCK_PATIENCE_MS
    let row = seen
    for (;;) {
      const { generation, epoch } = row.credential
      const claim = await credentials.claim({ connection: row.connection.id, generation, epoch, node, intent, leaseMs: this.#lockMs })
      if (claim.kind === 'claimed') return { row, mine: true }
      if (claim.kind === 'gone') throw new Fault('connection_revoked')
      if (clock.mono() >= until) throw new Fault('refresh_in_progress')
      await timers.sleep(LOCK_POLL_MS)
      row = await this.#read({ organization: row.connection.organization, connection: row.connection.id })
      if (row.credential.generation > seen.credential.generation) return { row, mine: false }
    }
  }

  /** Tried again after a timeout, a reset and a 5xx, as clients do. */
  async #present(row: GrantRow): Promise<Judged> {
    const { connection, credential } = row
    if (credential.refreshToken === null) return { kind: 'failed' }
    const where = credentialContext(connection.organization, connection.id, credential.generation, 'refresh_token')
    const refreshToken = this.#ports.seal.openText(credential.refreshToken, where)
    const url = (await this.#recordOf(row)).token.url ?? ''
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'client' }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#post({ method: 'POST', url, headers, basic: null, body })
      const judged = judge(outcome)
      if (judged.kind !== 'failed' || attempt >= ATTEMPTS) return judged
      await this.#ports.timers.sleep(RETRY_AFTER_MS)
    }
  }

  async #post(request: Parameters<Awaited<ReturnType<EnginePorts['endpoint']['open']>>['send']>[0]): Promise<WireOutcome> {
    try {
      const line = await this.#ports.endpoint.open(request.url, { pooled: false })
      return await line.send(request, CLIENT_TIMEOUT_MS)
    } catch {
      return { kind: 'not_sent', cause: 'unreachable' }
    }
  }

  /** Over whatever stands there; tried a few times, then the answer is gone. */
  async #write(row: GrantRow, intent: IntentId, judged: Extract<Judged, { kind: 'granted' }>, sentAt: number): Promise<GrantRow> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#writeOnce(row.connection.id, intent, judged, sentAt)
      } catch (error) {
        if (attempt >= WRITES) throw error
        await this.#ports.timers.sleep(RETRY_AFTER_MS)
      }
    }
  }

  async #writeOnce(id: ConnectionId, intent: IntentId, { tokens, status }: Extract<Judged, { kind: 'granted' }>, sentAt: number): Promise<GrantRow> {
    const { credentials, seal, entropy, clock } = this.#ports
    const current = await credentials.read(id)
    if (current === undefined) throw new Fault('not_found')
    const { connection, credential } = current
    const kept = credential.refreshToken === null ? null : seal.openText(credential.refreshToken, placeOf(current))
    const fresh = newCredential(
      {
        organization: connection.organization,
        connection: id,
        generation: credential.generation + 1,
        tokens: {
          accessToken: tokens.accessToken,
          refreshToken: tokens.refreshToken ?? kept,
          tokenType: 'Bearer',
          accessExpiresAt: sentAt + tokens.expiresInMs,
          refreshExpiresAt: credential.refreshExpiresAt,
        },
        obtainedAt: sentAt,
        record: await this.#recordOf(current),
        settings: { marginMs: null },
      },
      seal,
      entropy,
    )
    await credentials.commitGrant({
      connection: id,
      organization: connection.organization,
      intent,
      presentedGeneration: credential.generation,
      presentedFingerprint: credential.fingerprint,
      answer: { intent, receivedAt: clock.wall(), httpStatus: status, verdict: 'granted', body: new Uint8Array(), bodyHash: '' },
      credential: fresh,
      scopes: null,
      facts: {},
      account: null,
      dueAt: sentAt + DAILY_MS,
      end: { at: null, warnAt: null },
      yields: false,
      event: this.#event('connection.refreshed', current),
    })
    return (await credentials.read(id)) ?? current
  }

  /** Any 400 means that the user has to connect again. */
  async #giveUp(row: GrantRow, intent: IntentId, httpStatus: number): Promise<void> {
    const { id: connection, organization } = row.connection
    const evidence = { intent, httpStatus, providerCode: 'invalid_grant', providerText: null, answerHash: null }
    await this.#ports.credentials.commitFailure({
      connection,
      organization,
      intent,
      presentedGeneration: row.credential.generation,
      answer: null,
      effect: 'dead',
      answered: false,
      fault: { code: 'connection_revoked', at: this.#ports.clock.wall(), evidence },
      attempt: intent,
      countsAsFailure: true,
      nextAttemptAt: null,
      dueAt: null,
      event: this.#event('connection.needs_reauth', row),
      death: null,
    })
  }

  /** DEL: whoever's lock it is by now. */
  async #unlock(connection: ConnectionId): Promise<void> {
    const row = await this.#ports.credentials.read(connection)
    const intent = row?.credential.intent?.id
    if (intent !== undefined) await this.#ports.credentials.release(connection, intent, this.#ports.clock.wall() + DAILY_MS)
  }

  async #recordOf(row: GrantRow): Promise<ProviderRecord> {
    const id = row.connection.integration
    const known = this.#records.get(id)
    if (known !== undefined) return known
    const integration = await this.#ports.integrations.load(id)
    const record = this.#ports.directory.get(integration?.provider ?? '')
    if (record === undefined) throw new Fault('not_found')
    this.#records.set(id, record)
    return record
  }

  #lifetimeLeft({ credential }: GrantRow): number {
    return (credential.accessExpiresAt ?? Number.POSITIVE_INFINITY) - this.#ports.clock.wall()
  }

  #answer(row: GrantRow): TokenAnswer {
    const { connection, credential } = row
    if (credential.accessToken === null) throw new Fault('internal')
    const where = credentialContext(connection.organization, connection.id, credential.generation, 'access_token')
    return {
      connection: connection.id,
      integration: connection.integration,
      owner: connection.owner,
      accessToken: this.#ports.seal.openText(credential.accessToken, where),
      tokenType: credential.tokenType,
      expiresAt: credential.accessExpiresAt,
      generation: credential.generation,
      scopes: connection.scopes,
      status: 'active',
    }
  }

  #event(type: 'connection.refreshed' | 'connection.needs_reauth', { connection }: GrantRow) {
    return {
      id: newId('evt', this.#ports.entropy),
      organization: connection.organization,
      type,
      at: this.#ports.clock.wall(),
      actor: { kind: 'system', id: null } as const,
      connection: connection.id,
      subject: null,
      data: {},
    }
  }
}

function placeOf({ connection, credential }: GrantRow) {
  return credentialContext(connection.organization, connection.id, credential.generation, 'refresh_token')
}

function judge(outcome: WireOutcome): Judged {
  if (outcome.kind !== 'answered') return { kind: 'failed' }
  const { status, text } = outcome.answer
  if (status === 400) return { kind: 'refused', status }
  const body = status === 200 ? parsed(text) : null
  if (typeof body?.access_token !== 'string') return { kind: 'failed' }
  const refreshToken = typeof body.refresh_token === 'string' ? body.refresh_token : null
  const expiresInMs = typeof body.expires_in === 'number' ? body.expires_in * SECOND : 3_600 * SECOND
  return { kind: 'granted', status, tokens: { accessToken: body.access_token, refreshToken, expiresInMs } }
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}
