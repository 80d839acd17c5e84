import { checkedRequirements, type Requirements } from './asked-for.ts'
import { isAuthenticationError } from './authentication-error.ts'
import type { AuthenticatedSession, Authenticator } from './authenticator.ts'
import type { RequestLike } from './request-headers.ts'

/** A request of Express, as far as it is used here. */
export interface ExpressRequest extends RequestLike {
  /** Where a router was mounted is part of the address that the caller used. */
  readonly originalUrl?: string
}

/** Node's own answer, which that of Express is. */
export interface ExpressResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

const sessions = new WeakMap<object, AuthenticatedSession>()

/** Middleware: who is not signed in gets the answer that the browser client understands, and the handler does not run. */
export function requireSession(
  authenticator: Authenticator,
  requirements?: Requirements,
): (request: ExpressRequest, response: ExpressResponse, next: (error?: unknown) => void) => void {
  checkedRequirements(requirements)
  return (request, response, next) => {
    const { headers, method, originalUrl, url } = request
    authenticator.authenticate({ headers, method, url: originalUrl ?? url }, requirements).then(
      (session) => {
        sessions.set(request, session)
        next()
      },
      (error: unknown) => {
        if (!isAuthenticationError(error)) return next(error)
        response.statusCode = error.status
        for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
        response.end(JSON.stringify(error.problem()))
      },
    )
  }
}

/** Who sent this request. @throws TypeError when no `requireSession` ran before */
export function sessionOf(request: object): AuthenticatedSession {
  const session = sessions.get(request)
  if (session === undefined) throw new TypeError('Nobody was authenticated for this request: put requireSession(authenticator) before the handler.')
  return session
}
