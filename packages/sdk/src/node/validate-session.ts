import { isRecord } from '../proof/jws.ts'
import { isRole, type Role } from './access-token.ts'
import { AuthenticationError, isAuthenticationCode } from './authentication-error.ts'

const TIMEOUT_MS = 5_000
/** Answers that end here; any other code of the server says nothing about this session. */
const ENDING = /^(session_|access_token_expired$)/

interface ValidationOptions {
  readonly issuer: string
  readonly fetch: typeof globalThis.fetch
}

/**
 * Asks `GET auth/validate`, which sees a sign-out and a change of role at once. Resolves with the role now.
 * @throws AuthenticationError with the server's word, or `connection_failed` when it has none
 */
export class SessionValidation {
  readonly #options: ValidationOptions
  /** Requests that come together with one token ask once. */
  readonly #asking = new Map<string, Promise<Role>>()

  constructor(options: ValidationOptions) {
    this.#options = options
  }

  roleNow(token: string): Promise<Role> {
    const known = this.#asking.get(token)
    if (known !== undefined) return known
    const asking = this.#ask(token).finally(() => this.#asking.delete(token))
    this.#asking.set(token, asking)
    return asking
  }

  async #ask(token: string): Promise<Role> {
    const { issuer, fetch } = this.#options
    let response: Response
    let body: unknown
    try {
      // Also for a token that is bound to a key, whose proof was checked here: this route is about the token, and asks for none.
      const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
      // Not `error`, which some edge runtimes refuse: a redirect is an answer that says nothing, and the token does not go along.
      response = await fetch(`${issuer}/api/v1/auth/validate`, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
      body = parsed(await response.text())
    } catch (cause) {
      throw unknown(issuer, 'It did not answer.', cause)
    }
    const role = isRecord(body) && isRecord(body['user']) ? body['user']['role'] : undefined
    if (response.status === 200 && isRecord(body) && body['active'] === true && isRole(role)) return role
    const code = isRecord(body) ? body['code'] : undefined
    if (response.status === 401 && isAuthenticationCode(code) && ENDING.test(code))
      throw new AuthenticationError(code, {
        detail: isRecord(body) && typeof body['detail'] === 'string' ? body['detail'] : 'Evergrant says that this session does not go on.',
      })
    throw unknown(issuer, `It answered with status ${response.status}.`, undefined, response.headers.get('retry-after'))
  }
}

function unknown(issuer: string, why: string, cause?: unknown, retryAfter: string | null = null): AuthenticationError {
  const told = retryAfter !== null && /^\d{1,5}$/.test(retryAfter) ? { retryAfter: Number(retryAfter) } : {}
  return new AuthenticationError('connection_failed', {
    detail: `Evergrant at ${issuer} was asked whether this session goes on. ${why} The session is left as it is.`,
    cause,
    ...told,
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
