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

/**
 * Everything that a call can end with, except a programming error. `code` is stable and listed in the server's
 * documentation; `connection_failed` and `invalid_answer` are made here, when no answer of Evergrant arrived.
 */
export class EvergrantError extends Error {
  override readonly name = 'EvergrantError'
  /** HTTP status; 0 when nothing was answered. */
  readonly status: number
  readonly code: string
  /** The one next step. */
  readonly action: ProblemDocument['action']
  /**
   * True when the connection works only after somebody acts. `action` says who: `reconnect` is its owner, send them to `reconnectUrl` or make a
   * reconnect link; `contact_admin` is whoever holds the credentials of a connection without a browser.
   */
  readonly needsReauth: boolean
  readonly reconnectUrl: string | null
  readonly retryAt: Date | null
  readonly requestId: string | null
  /** The offending field of the request. */
  readonly field: string | null

  constructor(problem: Partial<ProblemDocument> & { readonly code: string; readonly status: number }, cause?: unknown) {
    super(problem.detail ?? problem.title ?? problem.code, cause === undefined ? undefined : { cause })
    this.status = problem.status
    this.code = problem.code
    this.action = problem.action ?? 'retry'
    this.needsReauth = problem.needs_reauth ?? false
    this.reconnectUrl = problem.reconnect_url ?? null
    this.retryAt = problem.retry_at ? new Date(problem.retry_at) : null
    this.requestId = problem.request_id ?? null
    this.field = problem.field ?? null
  }
}
