import { checkedRequirements, type Requirements } from './asked-for.ts'
import { isAuthenticationError } from './authentication-error.ts'
import type { AuthenticatedSession, Authenticator } from './authenticator.ts'
import type { RequestLike } from './request-headers.ts'

/** A request of Fastify, as far as it is used here. */
export interface FastifyLikeRequest extends RequestLike {
  readonly originalUrl?: string
}

export interface FastifyLikeReply {
  code(status: number): unknown
  headers(values: Record<string, string>): unknown
  send(body: string): unknown
}

const sessions = new WeakMap<object, AuthenticatedSession>()

/** A hook for `onRequest` of a route or a scope: who is not signed in gets the answer that the browser client understands, before any body is read. */
export function requireSession(
  authenticator: Authenticator,
  requirements?: Requirements,
): (request: FastifyLikeRequest, reply: FastifyLikeReply) => Promise<unknown> {
  checkedRequirements(requirements)
  return async (request, reply) => {
    const { headers, method, originalUrl, url } = request
    try {
      sessions.set(request, await authenticator.authenticate({ headers, method, url: originalUrl ?? url }, requirements))
      return undefined
    } catch (error) {
      if (!isAuthenticationError(error)) throw error
      reply.code(error.status)
      reply.headers({ ...error.headers })
      reply.send(JSON.stringify(error.problem()))
      return reply
    }
  }
}

/** Who sent this request. @throws TypeError when no `requireSession` ran before */
export function sessionOf(request: object): AuthenticatedSession {
  const session = sessions.get(request)
  if (session === undefined) throw new TypeError('Nobody was authenticated for this request: add requireSession(authenticator) as an onRequest hook.')
  return session
}
