import { EvergrantError, type ProblemDocument } from '../../evergrant-error.ts'
import { isRecord } from '../../proof/jws.ts'

type Problem = Partial<ProblemDocument> & {
  readonly code: string
  readonly status: number
  /** Its id, or what holds it. */
  readonly approval?: unknown
}

/** The base of all errors of this client, and what they can show without showing a secret: neither causes nor requests are part of it. */
export class AgentClientError extends EvergrantError {
  override readonly name: string = 'EvergrantError'
  /** What a person has to decide about, where that is the reason: of a recovery, or of the use of a connection. */
  readonly approvalId: string | null
  /** What the code means, and what to do about it: a page of the server that said it. Null for what no server said. */
  readonly docUrl: string | null

  constructor(problem: Problem, cause?: unknown) {
    super(problem, cause)
    const { approval, type } = problem
    this.docUrl = typeof type === 'string' && /^https?:/.test(type) ? type : null
    const id = isRecord(approval) ? approval['id'] : approval
    this.approvalId = typeof id === 'string' ? id : null
  }

  /** Asking again later may work, without anybody doing anything. */
  get retryable(): boolean {
    return this.action === 'retry' || this.action === 'wait'
  }

  toJSON(): Record<string, unknown> {
    const { name, code, status, message, action, retryable, requestId, approvalId, docUrl } = this
    return { name, code, status, message, action, retryable, requestId, approvalId, retryAt: this.retryAt?.toISOString() ?? null, docUrl }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this.name}[${this.code}]: ${this.message}${this.requestId === null ? '' : ` (request ${this.requestId})`}`
  }
}

/** This machine's credential is over: it has to be enrolled again. `code` says why. */
export class ReauthorizationRequiredError extends AgentClientError {
  override readonly name = 'ReauthorizationRequiredError'
}

/** The credential could be renewed, and a policy or a person says no. `reason` is the code. */
export class RecoveryDeniedError extends AgentClientError {
  override readonly name = 'RecoveryDeniedError'

  get reason(): string {
    return this.code
  }
}

/** A person has to approve that this machine goes on. Ask again: the same attempt hears of the decision. */
export class RecoveryPendingApprovalError extends AgentClientError {
  override readonly name = 'RecoveryPendingApprovalError'
  declare readonly approvalId: string
}

/** The credentials were enrolled on another machine. Nothing was sent: the original goes on. */
export class CredentialsCopiedError extends AgentClientError {
  override readonly name = 'CredentialsCopiedError'
}

/** The credential file, its lock or the key store cannot be used. Nothing was changed. */
export class CredentialStoreError extends AgentClientError {
  override readonly name = 'CredentialStoreError'
}

export class RateLimitError extends AgentClientError {
  override readonly name = 'RateLimitError'
}

/** No answer arrived. */
export class ConnectionError extends AgentClientError {
  override readonly name = 'ConnectionError'
}

/** No answer arrived in time. */
export class TimeoutError extends AgentClientError {
  override readonly name = 'TimeoutError'
}

type StoreFailure =
  | 'credential_store_unsafe'
  | 'credential_store_unreadable'
  | 'credential_store_unwritable'
  | 'credential_lock_held'
  | 'credential_key_missing'
  | 'credential_store_ambiguous'

export function storeError(code: StoreFailure, detail: string, cause?: unknown): CredentialStoreError {
  return new CredentialStoreError({ status: 0, code, detail, action: code === 'credential_lock_held' ? 'retry' : 'contact_admin' }, cause)
}

/** A source of credentials that is there and cannot be used. */
export function configurationError(detail: string): AgentClientError {
  return new AgentClientError({ status: 0, code: 'invalid_configuration', action: 'none', detail })
}

const OVER = new Set(['sdk_token_invalid', 'recovery_forbidden', 'installation_retired', 'installation_expired', 'agent_revoked', 'not_enrolled'])
const DENIED = new Set(['recovery_disabled', 'recovery_denied', 'recovery_limit_reached', 'recovery_cooldown'])
const AGAIN = 'Enrol this machine again: npx @evergrant/sdk enroll <code>.'

/** The error for a problem that Evergrant answered. */
export function errorOf(problem: Problem): AgentClientError {
  const { code, status } = problem
  const detail = problem.detail ?? problem.title ?? code
  if (OVER.has(code)) return new ReauthorizationRequiredError({ ...problem, detail: detail.includes('enroll') ? detail : `${detail} ${AGAIN}` })
  if (DENIED.has(code)) return new RecoveryDeniedError(problem)
  if (status === 429) return new RateLimitError(problem)
  return new AgentClientError(problem)
}
