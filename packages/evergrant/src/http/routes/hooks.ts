import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import type { PushService } from '../../core/push/push-service.ts'
import type { Clock } from '../../core/time.ts'
import { addressBucket, type RateLimit, RateLimiter } from '../rate-limit.ts'
import { type App, closed, PROBLEMS } from '../schema.ts'

const BODY_LIMIT = 256 * 1_024
/** A provider may tell of every activity of every user. */
const PUSH_LIMIT: RateLimit = { perSecond: 100, capacity: 1_000 }
/** Per address, for pushes that are refused. */
const REFUSED_LIMIT: RateLimit = { perSecond: 5, capacity: 100 }

interface HookOptions {
  readonly publicUrl: string
  readonly clock: Clock
  readonly limit?: RateLimit
}

/** `POST|GET /hooks/{integration}`: what providers push. Accepted pushes are durable before they are acknowledged. */
export function hookRoutes(app: App, pushes: Pick<PushService, 'receive'>, { publicUrl, clock, limit = PUSH_LIMIT }: HookOptions): void {
  const mono = () => clock.mono()
  const limits = { accepted: new RateLimiter(limit, mono), refused: new RateLimiter(REFUSED_LIMIT, mono) }
  // Signatures cover the bytes as they came, whatever they call themselves.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) => done(null, body))
  const take = async (request: FastifyRequest, reply: FastifyReply, integration: string, secret: string | null) => {
    const undo = admit(request, integration, limits, clock)
    const answer = await pushes.receive(pushOf(request, integration, secret, publicUrl)).catch((error: unknown) => {
      undo.accepted()
      throw error
    })
    undo.refused()
    if (answer.type !== null) reply.type(answer.type)
    return reply.code(answer.status).send(answer.body === '' ? undefined : answer.body)
  }
  const response = { 200: Type.String(), 204: Type.Null(), ...PROBLEMS }
  const words = {
    summary: 'What a provider pushes',
    description:
      "Register this address at the provider; GET integrations/{id}/push tells it. A push proves itself by the provider's signature, or by the secret in the path.",
    tags: ['provider events'],
    response,
  }
  const Id = Type.String({ maxLength: 64, description: 'Id of the integration.' })
  for (const method of ['GET', 'POST'] as const) {
    app.route({
      method,
      url: '/hooks/:integration',
      exposeHeadRoute: false,
      bodyLimit: BODY_LIMIT,
      config: { access: 'public' },
      schema: { ...words, params: closed({ integration: Id }) },
      handler: (request, reply) => take(request, reply, request.params.integration, null),
    })
    app.route({
      method,
      url: '/hooks/:integration/:secret',
      exposeHeadRoute: false,
      bodyLimit: BODY_LIMIT,
      config: { access: 'public' },
      schema: { ...words, params: closed({ integration: Id, secret: Type.String({ maxLength: 200 }) }) },
      handler: (request, reply) => take(request, reply, request.params.integration, request.params.secret),
    })
  }
}

interface Limits {
  readonly accepted: RateLimiter
  readonly refused: RateLimiter
}

/** Forged pushes use up their sender's patience, not the provider's. @throws Fault `rate_limited` */
function admit(request: FastifyRequest, integration: string, limits: Limits, clock: Clock): { refused(): void; accepted(): void } {
  const bucket = addressBucket(request.ip)
  const waitMs = limits.refused.take(bucket) || limits.accepted.take(integration)
  if (waitMs > 0) throw new Fault('rate_limited', { detail: 'Too many pushes. Wait for Retry-After.', retryAt: clock.wall() + waitMs })
  return { refused: () => limits.refused.giveBack(bucket), accepted: () => limits.accepted.giveBack(integration) }
}

function pushOf(request: FastifyRequest, integration: string, secret: string | null, publicUrl: string) {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  return {
    integration,
    secret,
    method: request.method === 'GET' ? ('GET' as const) : ('POST' as const),
    url: `${publicUrl}${request.url}`,
    query: firstOf(request.query),
    headers: firstOf(request.headers),
    body,
    text: body.toString('utf8'),
  }
}

/** Names that come twice count once: the first. */
function firstOf(values: unknown): Record<string, string> {
  if (typeof values !== 'object' || values === null) return {}
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]: [string, unknown]) => {
      const first: unknown = Array.isArray(value) ? value[0] : value
      return typeof first === 'string' ? [[name, first]] : []
    }),
  )
}
