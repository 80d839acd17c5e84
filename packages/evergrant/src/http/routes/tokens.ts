import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { agentConnectionOf } from '../../core/agent/agent-connections.ts'
import { requireVerified } from '../../core/agent/connection-access.ts'
import type { ConnectionId } from '../../core/ids.ts'
import type { RefreshReport } from '../../core/refresh/refresh-engine.ts'
import { aboutConnection } from '../about-connection.ts'
import { callerOf } from '../authentication.ts'
import { mayUse, requireReach, requireUse, useActorOf } from '../reach.ts'
import { type App, COUNTED_MAX, ConnectionIdSchema, closed, ID_OR_SLUG, nullable, Owner, PROBLEMS, Time } from '../schema.ts'
import type { Caller, Services } from '../services.ts'
import { tokenView } from '../token-view.ts'

const Token = Type.Object({
  access_token: Type.String(),
  token_type: Type.String(),
  expires_at: nullable(Time),
  generation: Type.Integer(),
  scopes: nullable(Type.Array(Type.String())),
  connection_id: Type.String(),
  status: Type.String(),
})

const TokenQuery = closed({
  min_ttl: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 86_400, default: 0, description: 'Seconds that the token must still live; capped at half its lifetime.' }),
  ),
  rejected_generation: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: COUNTED_MAX,
      description: 'The generation of a token that the API answered 401 to. Refreshes only while it is still current.',
    }),
  ),
})

const Refreshed = Type.Object({
  connection_id: Type.String(),
  generation: Type.Integer(),
  expires_at: nullable(Time),
  changed: Type.Boolean({ description: 'False when the provider answered with the token it had given before.' }),
})

const TOKEN = { access: 'token' } as const

/** Tokens: the hot path of the whole server. */
export function tokenRoutes(app: App, services: Services): void {
  const { engine, metrics, uses, connectionAccess } = services
  const allowed = (request: Pick<FastifyRequest, 'caller'>, id: ConnectionId) => requireUse(connectionAccess, callerOf(request), id, TOKEN)
  app.get(
    '/api/v1/connections/:id/token',
    {
      config: { access: 'tokens:read', agents: true },
      schema: {
        summary: 'Read a valid access token',
        description:
          'Answers from memory while the token is valid, and refreshes it when it must be. A still valid token is served during every kind of trouble.',
        tags: ['tokens'],
        params: closed({ id: ConnectionIdSchema }),
        querystring: TokenQuery,
        response: { 200: Token, ...PROBLEMS },
      },
    },
    (request, reply) => {
      const caller = callerOf(request)
      const { organization, actor } = caller
      const { min_ttl: minTtl = 0, rejected_generation: rejectedGeneration = null } = request.query
      const { id } = request.params
      const wanted = { organization, connection: id, minTtlMs: minTtl * 1_000, rejectedGeneration, reportedBy: actor.id ?? actor.kind }
      const known = mayUse(connectionAccess, caller, id, TOKEN) ? engine.peek(wanted) : undefined
      if (known !== undefined) {
        metrics.tokenRead(true)
        uses.count(useActorOf(caller), id, 'token')
        return reply.send(tokenView(known))
      }
      metrics.tokenRead(false)
      return allowed(request, id)
        .then(() => aboutConnection(request, services, id, () => engine.token(wanted)))
        .then((answer) => {
          uses.count(useActorOf(caller), id, 'token')
          return tokenView(answer)
        })
    },
  )
  app.get(
    '/api/v1/token',
    {
      config: { access: 'tokens:read', agents: true },
      schema: {
        summary: 'Read a valid access token by integration and owner',
        description: 'The owner must have exactly one connection there; 409 names them when there are more.',
        tags: ['tokens'],
        querystring: closed({ integration: Type.String({ minLength: 1, maxLength: 64, pattern: ID_OR_SLUG }), owner: Owner, ...TokenQuery.properties }),
        response: { 200: Token, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { organization, actor } = caller
      const { integration, owner, min_ttl: minTtl = 0, rejected_generation: rejectedGeneration = null } = request.query
      const connection = await ofOwner(services, caller, integration, owner)
      await allowed(request, connection)
      const wanted = { organization, connection, minTtlMs: minTtl * 1_000, rejectedGeneration, reportedBy: actor.id ?? actor.kind }
      const known = engine.peek(wanted)
      metrics.tokenRead(known !== undefined)
      const answer = known ?? (await aboutConnection(request, services, connection, () => engine.token(wanted)))
      uses.count(useActorOf(caller), connection, 'token')
      return tokenView(answer)
    },
  )
  app.post(
    '/api/v1/connections/:id/refresh',
    {
      config: { access: 'connections:write', own: true },
      schema: {
        summary: 'Refresh now',
        description: 'Renews the credential even if it is fresh, or joins the refresh that is under way. The answer carries no token.',
        tags: ['tokens'],
        params: closed({ id: ConnectionIdSchema }),
        response: { 200: Refreshed, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      await requireReach(services.connections, caller, request.params.id)
      return refreshedView(await aboutConnection(request, services, request.params.id, () => engine.refresh(caller.organization, request.params.id)))
    },
  )
}

/** A program hears only of the connections that its policy selects. */
async function ofOwner({ connections }: Services, { organization, installation }: Caller, integration: string, owner: string): Promise<ConnectionId> {
  if (installation === null) return connections.ofOwner(organization, integration, owner)
  requireVerified(installation)
  return agentConnectionOf(connections, installation, integration, owner)
}

function refreshedView(report: RefreshReport) {
  return {
    connection_id: report.connection,
    generation: report.generation,
    expires_at: report.expiresAt === null ? null : new Date(report.expiresAt).toISOString(),
    changed: report.changed,
  }
}
