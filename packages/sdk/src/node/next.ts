import { checkedRequirements, type Requirements } from './asked-for.ts'
import { isAuthenticationError } from './authentication-error.ts'
import type { AuthenticatedSession, Authenticator } from './authenticator.ts'

export type SessionHandler<Context> = (request: Request, session: AuthenticatedSession, context: Context) => Response | Promise<Response>

/**
 * A route handler of Next, or of anything else that takes a `Request` and gives a `Response`: it runs only for who is signed in.
 * `export const GET = withSession(authenticator, (request, session) => Response.json({ user: session.user }))`
 */
export function withSession<Context = unknown>(
  authenticator: Authenticator,
  handler: SessionHandler<Context>,
  requirements?: Requirements,
): (request: Request, context: Context) => Promise<Response> {
  checkedRequirements(requirements)
  return async (request, context) => {
    let session: AuthenticatedSession
    try {
      session = await authenticator.authenticate(request, requirements)
    } catch (error) {
      if (isAuthenticationError(error)) return error.toResponse()
      throw error
    }
    return handler(request, session, context)
  }
}
