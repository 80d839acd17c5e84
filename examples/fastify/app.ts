// The same API in Fastify: sessions of Evergrant protect a scope, and one route asks for a role and a recent sign-in.
import { createClient, EvergrantError } from '@evergrant/sdk'
import { requireSession, sessionOf } from '@evergrant/sdk/fastify'
import { createAuthenticator } from '@evergrant/sdk/node'
import Fastify, { type FastifyInstance } from 'fastify'

interface Settings {
  /** Public URL of Evergrant. */
  readonly evergrantUrl: string
  /** Of this backend; scope `tokens:read`. */
  readonly apiKey: string
  /** Slug of the integration that people connect. */
  readonly integration: string
  /** The provider's API. */
  readonly apiBase: string
}

const TEN_MINUTES = 600

export function createApp({ evergrantUrl, apiKey, integration, apiBase }: Settings): FastifyInstance {
  const authenticator = createAuthenticator({ issuer: evergrantUrl })
  const evergrant = createClient({ url: evergrantUrl, apiKey })
  const app = Fastify()
  app.register((scope, _options, done) => {
    scope.addHook('onRequest', requireSession(authenticator))
    scope.get('/api/me', (request) => ({ user: sessionOf(request).user, role: sessionOf(request).role }))
    scope.get('/api/profile', async (request, reply) => {
      const token = await evergrant.tokens.byOwner(integration, sessionOf(request).owner)
      const answer = await fetch(`${apiBase}/me`, { headers: { authorization: `Bearer ${token.access_token}` } })
      return reply.code(answer.ok ? 200 : 502).send({ profile: await answer.json() })
    })
    // A list of roles, not a lowest one; and a proof of identity that is at most ten minutes old.
    const administrators = { onRequest: requireSession(authenticator, { roles: ['owner', 'admin'], authenticatedWithin: TEN_MINUTES }) }
    scope.delete('/api/everything', administrators, (_request, reply) => reply.code(204).send())
    done()
  })
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof EvergrantError)) return reply.code(500).send({ message: 'Something went wrong here.' })
    const { code, action, message, reconnectUrl } = error
    return reply.code(statusOf(error)).send({ code, action, message, reconnect_url: reconnectUrl })
  })
  return app
}

/** Somebody who has connected nothing yet is no trouble: 404, and the page offers to connect. 409 comes with the link that repairs; everything else passes. */
function statusOf({ needsReauth, code }: EvergrantError): number {
  if (needsReauth) return 409
  return code === 'not_found' ? 404 : 503
}
