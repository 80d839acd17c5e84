/** Members of an RFC 9457 problem that Evergrant sends. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly action: 'retry' | 'wait' | 'reconnect' | 'sign_in' | 'contact_admin' | 'none'
  readonly needs_reauth: boolean
  readonly reconnect_url: string | null
  readonly retry_at: string | null
  readonly request_id: string
  readonly field?: string
}

/** Survives two copies of this package in one page, which `instanceof` does not. */
const MARK: unique symbol = Symbol.for('evergrant.error') as never

/**
 * Everything that a call can end with, except a programming error. `code` is stable and listed in the server's
 * documentation; `connection_failed` and `invalid_answer` are made here, when no answer of Evergrant arrived.
 */
export class EvergrantError extends Error {
  override readonly name: string = 'EvergrantError'
  readonly [MARK] = true
  /** HTTP status; 0 when nothing was answered. */
  declare readonly status: number
  declare readonly code: string
  /** The one next step. */
  declare readonly action: ProblemDocument['action']
  /**
   * True when the connection works only after somebody acts. `action` says who: `reconnect` is its owner, send them to `reconnectUrl` or make a
   * reconnect link; `contact_admin` is whoever holds the credentials of a connection without a browser.
   */
  declare readonly needsReauth: boolean
  declare readonly reconnectUrl: string | null
  declare readonly retryAt: Date | null
  declare readonly requestId: string | null
  /** The offending field of the request. */
  declare readonly field: string | null

  constructor(problem: Partial<ProblemDocument> & { readonly code: string; readonly status: number }, cause?: unknown) {
    super(problem.detail ?? problem.title ?? problem.code, cause === undefined ? undefined : { cause })
    const { status, code, action = 'retry', needs_reauth: needsReauth = false, reconnect_url: reconnectUrl = null } = problem
    const { retry_at: retryAt, request_id: requestId = null, field = null } = problem
    Object.assign(this, { status, code, action, needsReauth, reconnectUrl, retryAt: retryAt ? new Date(retryAt) : null, requestId, field })
  }
}

/** Whichever copy of this package made it. Its `name` says which kind it is. */
export function isEvergrantError(error: unknown): error is EvergrantError {
  return typeof error === 'object' && error !== null && MARK in error
}
