import { EvergrantError, isEvergrantError, type ProblemDocument } from '../evergrant-error.ts'

type Action = ProblemDocument['action']

interface Refusal {
  readonly status: 401 | 403 | 503
  readonly title: string
  readonly action: Action
  /** `Evergrant-Auth`: this answer is ours, and the handler did not run. */
  readonly marker: 'missing' | 'expired' | 'revoked' | 'scope' | null
}

/** Everything that {@link AuthenticationError} can say. The codes are those of the server's fault table. */
const REFUSALS = {
  session_missing: { status: 401, title: 'Nobody is signed in here', action: 'sign_in', marker: 'missing' },
  session_expired: { status: 401, title: 'Please sign in again', action: 'sign_in', marker: 'expired' },
  session_signed_out: { status: 401, title: 'You signed out', action: 'sign_in', marker: 'revoked' },
  session_revoked: { status: 401, title: 'Your session was ended', action: 'sign_in', marker: 'revoked' },
  session_reuse_detected: { status: 401, title: 'We ended this session for safety', action: 'sign_in', marker: 'revoked' },
  access_token_expired: { status: 401, title: 'This access token is not valid any more', action: 'retry', marker: 'expired' },
  dpop_proof_invalid: { status: 401, title: 'The proof of possession does not fit this request', action: 'retry', marker: 'expired' },
  role_missing: { status: 403, title: 'Your role does not allow this', action: 'contact_admin', marker: 'scope' },
  reauthentication_required: { status: 403, title: 'Please confirm that it is you', action: 'none', marker: null },
  connection_failed: { status: 503, title: 'We cannot tell who this is at the moment', action: 'wait', marker: null },
} as const satisfies Readonly<Record<string, Refusal>>

export type AuthenticationCode = keyof typeof REFUSALS

export function isAuthenticationCode(code: unknown): code is AuthenticationCode {
  return typeof code === 'string' && Object.hasOwn(REFUSALS, code)
}

const INVALID_TOKEN = 'Bearer error="invalid_token"'
const PROOF_INVALID = `${INVALID_TOKEN}, DPoP error="invalid_dpop_proof", algs="ES256 EdDSA"`
const ROLE_MISSING = 'Bearer error="insufficient_scope"'
const RETRY_AFTER_SECONDS = 5

interface AuthenticationDetails {
  /** What happened this time, for a developer. Holds no token. */
  readonly detail: string
  /** Seconds after which asking again makes sense; for `connection_failed`. */
  readonly retryAfter?: number
  readonly cause?: unknown
}

/** Why a request was not let in. Answer it with `status`, `headers` and `problem()`, or with `toResponse()`; the handler must not run. */
export class AuthenticationError extends EvergrantError {
  override readonly name = 'AuthenticationError'
  declare readonly code: AuthenticationCode
  /** 401: this credential is not valid. 403: it is, and not enough. 503: it cannot be told, and says nothing about the session. */
  declare readonly status: 401 | 403 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly #title: string

  constructor(code: AuthenticationCode, { detail, retryAfter, cause }: AuthenticationDetails) {
    const { status, action, title }: Refusal = REFUSALS[code]
    super({ code, status, action, title, detail }, cause)
    this.headers = headersOf(code, retryAfter)
    this.#title = title
  }

  /** The body: RFC 9457, as Evergrant itself answers. */
  problem(): { readonly title: string; readonly status: number; readonly detail: string; readonly code: AuthenticationCode; readonly action: Action } {
    return { title: this.#title, status: this.status, detail: this.message, code: this.code, action: this.action }
  }

  toResponse(): Response {
    return new Response(JSON.stringify(this.problem()), { status: this.status, headers: this.headers })
  }
}

/** Whichever copy of this package made it: an application may `import` one door and `require` another. */
export function isAuthenticationError(error: unknown): error is AuthenticationError {
  return isEvergrantError(error) && error.name === 'AuthenticationError'
}

function headersOf(code: AuthenticationCode, retryAfter: number = RETRY_AFTER_SECONDS): Readonly<Record<string, string>> {
  const { status, marker }: Refusal = REFUSALS[code]
  return {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(marker === null ? {} : { 'evergrant-auth': marker }),
    ...(status === 401 ? { 'www-authenticate': code === 'dpop_proof_invalid' ? PROOF_INVALID : INVALID_TOKEN } : {}),
    ...(code === 'role_missing' ? { 'www-authenticate': ROLE_MISSING } : {}),
    ...(status === 503 ? { 'retry-after': String(retryAfter) } : {}),
  }
}
