import { type Actor, type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { Fault, type FaultCode } from '../fault/fault.ts'
import { type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import { type QuotaBook, quotaSubject } from '../pacing/quota-book.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { ProviderAnswer, ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import type { GrantContext, GrantContexts } from '../refresh/grant-contexts.ts'
import { credentialContext } from '../refresh/new-credential.ts'
import { servable } from '../refresh/plan.ts'
import type { RefreshEngine } from '../refresh/refresh-engine.ts'
import { type Seal, SealError } from '../seal/seal.ts'
import type { Clock, Entropy, Instant } from '../time.ts'
import { type CheckAnswer, checkRequest, judgeCheck } from './check-answer.ts'
import type { CheckResult, Checks } from './checks.ts'
import { connectionNotFound } from './connection-service.ts'
import type { Connections } from './connections.ts'

interface CheckPorts {
  readonly checks: Checks
  readonly connections: Pick<Connections, 'get'>
  readonly engine: Pick<RefreshEngine, 'token'>
  readonly contexts: Pick<GrantContexts, 'of' | 'provider'>
  /** Checks count against the provider's quotas like any call. */
  readonly pacing: Pick<QuotaBook, 'ready' | 'enter'>
  /** One request, one answer; never rejects. */
  readonly sendRequest: (request: ProviderRequest) => Promise<WireOutcome>
  readonly seal: Pick<Seal, 'openText'>
  readonly clock: Clock
  readonly entropy: Entropy
  /** Told of answers that worked, for the comparison of shapes. */
  readonly answered?: (row: GrantRow, context: ProviderContext, answer: ProviderAnswer) => void
}

/** What one check found. */
interface CheckReport {
  readonly result: CheckResult
  readonly at: Instant
  readonly httpStatus: number | null
  /** Why there was no token to check with, or no answer to judge. */
  readonly fault: FaultCode | null
  readonly detail: string | null
  readonly retryAt: Instant | null
  /** The token was refused at first, and renewed for this check. */
  readonly renewed: boolean
  /** The grant is over: only its owner can help. */
  readonly ended: boolean
  readonly lastRefreshedAt: Instant | null
}

interface Token {
  readonly accessToken: string
  readonly tokenType: string
  readonly generation: number
}

interface Context {
  readonly grant: GrantContext
  readonly provider: ProviderContext
}

type Finding = Pick<CheckReport, 'result' | 'httpStatus' | 'fault' | 'detail' | 'retryAt' | 'renewed'>

interface NextCheck {
  readonly takenUntil: Instant
  readonly dueAt: (report: Pick<CheckReport, 'at' | 'retryAt'>) => Instant
}

const NOTHING = { httpStatus: null, fault: null, detail: null, retryAt: null, renewed: false } as const

/**
 * Proves connections with the cheapest call that their record knows. A token that is refused is renewed once through the engine
 * and tried again; nothing else here changes a grant.
 */
export class ConnectionChecks {
  readonly #ports: CheckPorts

  constructor(ports: CheckPorts) {
    this.#ports = ports
  }

  /** Now, with a token that is renewed first if it must be. @throws Fault `not_found`, `connection_paused`, `connection_disconnected`, or a local one */
  async test(organization: OrganizationId, id: ConnectionId, actor: Actor | null): Promise<CheckReport> {
    const row = await this.#ports.connections.get(organization, id)
    if (row === undefined) throw connectionNotFound(id)
    const { state } = row.connection
    if (state === 'paused' || state === 'disconnected') throw new Fault(state === 'paused' ? 'connection_paused' : 'connection_disconnected')
    const finding = await this.#finding(row, () => this.#ports.engine.token({ organization, connection: id, minTtlMs: 0, rejectedGeneration: null }))
    return this.#recorded(row, finding, actor ?? SYSTEM_ACTOR, undefined)
  }

  /**
   * As a matter of routine: only with the token as it is stored, so that a check is no reader and wakes no idle grant. Null when that
   * token is out or nothing is known to call. `dueAt`: when the next one is, unless somebody
   * else has said so since it was taken.
   */
  async verify(row: GrantRow, takenUntil: Instant, dueAt: NextCheck['dueAt']): Promise<CheckReport | null> {
    const { connection, credential } = row
    const sealed = credential.accessToken
    if (sealed === null || !servable(row, this.#ports.clock.wall())) return null
    const finding = await this.#finding(row, async () => ({
      accessToken: this.#opened(row, sealed),
      tokenType: credential.tokenType,
      generation: credential.generation,
    }))
    if (finding.result === 'not_known') return null
    return this.#recorded({ ...row, connection }, finding, SYSTEM_ACTOR, { takenUntil, dueAt })
  }

  #opened({ connection, credential }: GrantRow, sealed: Uint8Array): string {
    try {
      return this.#ports.seal.openText(sealed, credentialContext(connection.organization, connection.id, credential.generation, 'access_token'))
    } catch (error) {
      if (error instanceof SealError) throw new Fault(error.code, { detail: error.message, cause: error })
      throw error
    }
  }

  async #finding(row: GrantRow, tokenNow: () => Promise<Token>): Promise<Finding> {
    const { organization, id: connection } = row.connection
    try {
      const token = await tokenNow()
      const context = await this.#contextOf(row)
      const first = await this.#ask(row, context, token)
      if (first.kind !== 'token_rejected') return { ...NOTHING, ...foundOf(first) }
      const renewed = await this.#ports.engine.token({ organization, connection, minTtlMs: 0, rejectedGeneration: token.generation })
      const second = await this.#ask(row, context, renewed)
      if (second.kind !== 'token_rejected') return { ...NOTHING, ...foundOf(second), renewed: true }
      const detail = 'the API refuses a token that was renewed a moment ago'
      return { result: 'rejected', httpStatus: second.httpStatus, fault: 'upstream_token_refused', detail, retryAt: null, renewed: true }
    } catch (error) {
      if (error instanceof Fault) return refusedFinding(error)
      throw error
    }
  }

  async #contextOf({ connection }: GrantRow): Promise<Context> {
    const grant = await this.#ports.contexts.of(connection.integration)
    return { grant, provider: await this.#ports.contexts.provider(grant, connection.variables, connection.facts) }
  }

  async #ask(row: GrantRow, { grant, provider }: Context, token: Token): Promise<CheckAnswer> {
    const request = checkRequest(provider, token, row.connection.scopes)
    if (request === null) return { kind: 'not_known', httpStatus: null, retryAt: null, detail: null }
    const { pacing, clock, sendRequest, answered } = this.#ports
    await pacing.ready(row.connection.integration)
    const admission = pacing.enter(quotaSubject(grant, row.connection.id), request.method, request.url)
    if (admission.kind === 'wait') {
      return { kind: 'throttled', httpStatus: null, retryAt: admission.until, detail: `no call was made: the quota ${admission.quota} is used up` }
    }
    const outcome = await sendRequest(request)
    const now = clock.wall()
    const answer = judgeCheck(provider.record, outcome, now)
    if (outcome.kind === 'answered') {
      const retryAfterMs = answer.retryAt === null ? null : answer.retryAt - now
      admission.pass.answered({ headers: outcome.answer.headers, throttled: answer.kind === 'throttled', retryAfterMs })
      if (answer.kind === 'works') answered?.(row, provider, outcome.answer)
    } else admission.pass.failed(outcome.kind === 'no_answer')
    return answer
  }

  async #recorded(row: GrantRow, finding: Finding, actor: Actor, next: NextCheck | undefined): Promise<CheckReport> {
    const { checks, clock, connections } = this.#ports
    const { organization, id } = row.connection
    const at = clock.wall()
    const now = await connections.get(organization, id)
    const report: CheckReport = {
      ...finding,
      at,
      ended: now?.connection.state === 'needs_reauth',
      lastRefreshedAt: now?.connection.lastRefreshedAt ?? null,
    }
    const [before] = await checks.of([id])
    const { result, httpStatus } = report
    const event = before?.result === result ? null : this.#event(row, report, before?.result ?? null, actor)
    await checks.record({ connection: id, at, result, httpStatus, ...(next === undefined ? {} : { ...next, dueAt: next.dueAt(report) }) }, event)
    return report
  }

  /** When the result is another than before, not for every check. */
  #event({ connection }: GrantRow, { result, httpStatus, at }: CheckReport, was: CheckResult | null, actor: Actor): NewEvent {
    return {
      id: newId('evt', this.#ports.entropy),
      organization: connection.organization,
      type: 'connection.checked',
      at,
      actor,
      connection: connection.id,
      subject: connection.integration,
      data: { result, was, http_status: httpStatus },
    }
  }
}

function foundOf({ kind, ...rest }: CheckAnswer): Pick<Finding, 'result' | 'httpStatus' | 'retryAt' | 'detail'> {
  return { result: kind === 'token_rejected' ? 'rejected' : kind, ...rest }
}

/** A refusal of the engine, told as a result where it says something about the grant or the provider. @throws the fault where it is our own trouble */
function refusedFinding(fault: Fault): Finding {
  const { code, details, definition } = fault
  const said = { ...NOTHING, fault: code, detail: fault.message, retryAt: details.retryAt ?? null }
  if (definition.class === 'grant') return { ...said, result: 'rejected' }
  if (code === 'provider_rate_limited') return { ...said, result: 'throttled' }
  if (definition.class === 'transient' || definition.class === 'unknown' || definition.class === 'client') return { ...said, result: 'unreachable' }
  throw fault
}
