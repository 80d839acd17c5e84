import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import type { ConnectionId } from '../../core/ids.ts'
import { missingHeader } from '../../core/provider/api-call.ts'
import type { ProviderContext } from '../../core/provider/context.ts'
import { aboutConnection } from '../about-connection.ts'
import { callerOf } from '../authentication.ts'
import type { BodyTime } from '../body-time.ts'
import { wholeUpTo } from '../proxy/body-prefix.ts'
import { withoutEcho } from '../proxy/echo-mask.ts'
import { methodsOf } from '../proxy/methods.ts'
import { headersToReturn } from '../proxy/proxy-headers.ts'
import { runProxy } from '../proxy/run-proxy.ts'
import { targetUrl } from '../proxy/target.ts'
import { requireReach, requireUse, useActorOf } from '../reach.ts'
import { type App, ConnectionIdSchema, closed, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

const REPLAYABLE_BYTES = 1_024 * 1_024
/** What Node frames when it is streamed. Without a length or chunks, what follows the head of another method would be no body to whoever reads it (RFC 9112 section 6.3). */
const STREAMED: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])
const PREFIX = /^\/api\/v1\/proxy\/[^/?]+\/?/
/** Whatever the provider sends is data: never a page, never a script of our origin. */
const UPSTREAM_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"

interface ProxyOptions {
  readonly timeoutMs: number
  readonly bodies: BodyTime
}

/** `ANY /api/v1/proxy/{connection}/*`: calls the provider's API with the connection's token, which the caller never sees. */
export function proxyRoutes(app: App, services: Services, options: ProxyOptions): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/api/v1/proxy/:connection/*',
    exposeHeadRoute: false,
    config: { access: 'proxy', own: true, agents: true, ownIdempotency: true },
    schema: {
      summary: "Call the provider's API",
      description:
        "The rest of the path and the query go to the provider's API with the connection's token and the headers it needs. `Evergrant-Deadline` (seconds, 300 at most) limits the wait instead of the server's own limit, `Evergrant-Base-Url` chooses among the provider's API hosts, `Evergrant-Wait` (seconds) waits for a quota that is used up instead of answering 429 at once. A 401 about the token renews it and replays the request once; 429 and 5xx are retried only for GET, HEAD, OPTIONS, PUT, DELETE and requests with an `Idempotency-Key`.",
      tags: ['proxy'],
      params: closed({ connection: ConnectionIdSchema, '*': Type.String({ maxLength: 16_384 }) }),
      response: PROBLEMS,
    },
    handler: async (request, reply) => {
      const { connection } = request.params
      await requireReach(services.connections, callerOf(request), connection)
      for (const method of methodsOf(request.method, request.headers))
        await requireUse(services.connectionAccess, callerOf(request), connection, { access: 'proxy', method })
      return aboutConnection(request, services, connection, () => proxy(request, reply, connection, services, options))
    },
  })
}

async function proxy(request: FastifyRequest, reply: FastifyReply, connection: ConnectionId, services: Services, options: ProxyOptions): Promise<FastifyReply> {
  const { organization } = callerOf(request)
  const target = await services.upstream.contextOf(organization, connection)
  const base = request.headers['evergrant-base-url']
  const path = pathBelow(request)
  const url = targetUrl(target.context, path, typeof base === 'string' ? base : undefined)
  refuseMissingHeader(target.context, path, request)
  const left = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) left.abort()
  })
  const body = await bodyOf(request)
  if (body instanceof Readable && !STREAMED.has(request.method))
    throw new Fault('body_too_large', {
      detail: `The body of a ${request.method} may have at most ${REPLAYABLE_BYTES} bytes. Larger ones go with POST, PUT or PATCH.`,
    })
  if (body instanceof Readable) options.bodies.lift(request.raw, reply.raw)
  const job = {
    target,
    token: { organization, connection },
    method: request.method,
    url,
    headers: request.headers,
    body,
    bodyLength: declaredLength(request),
    deadlineMs: secondsOf(request, 'Evergrant-Deadline') ?? options.timeoutMs,
    waitMs: secondsOf(request, 'Evergrant-Wait') ?? 0,
    signal: left.signal,
  }
  services.uses.count(useActorOf(callerOf(request)), connection, 'proxy')
  const result = await runProxy(job, services)
  reply.headers({
    ...headersToReturn(result.headers, result.secrets),
    'content-security-policy': UPSTREAM_POLICY,
    'evergrant-upstream-status': String(result.status),
  })
  if (result.verdict !== 'ok') reply.header('evergrant-verdict', result.verdict)
  // Many providers throttle without a word; their quotas, or our own patience, say when it is worth asking again.
  if (result.status === 429 && result.retryAfterMs !== null && !reply.hasHeader('retry-after'))
    reply.header('retry-after', String(Math.max(1, Math.ceil(result.retryAfterMs / 1_000))))
  return reply
    .code(statusOf(result.status))
    .send(request.method === 'HEAD' && result.body instanceof Readable ? emptied(result.body) : withoutEcho(result.body, result.secrets))
}

/** What comes after the connection, as it was sent. The router also knows other ways to write the same address; they are not worth two meanings. */
function pathBelow(request: FastifyRequest): string {
  const rest = request.url.replace(PREFIX, '')
  if (rest !== request.url) return rest
  throw new Fault('invalid_request', {
    field: 'path',
    detail: 'Write the address as /api/v1/proxy/{connection}/..., without a host and without percent-encoding in this part.',
  })
}

async function bodyOf(request: FastifyRequest): Promise<Buffer | Readable | null> {
  if (!(request.body instanceof Readable)) return null
  return (declaredLength(request) ?? 0) > REPLAYABLE_BYTES ? request.body : wholeUpTo(request.body, REPLAYABLE_BYTES)
}

/** Node has held the body to it: what is shorter never ends, and what is longer is no part of it. */
function declaredLength(request: FastifyRequest): number | undefined {
  const length = Number(request.headers['content-length'])
  return Number.isSafeInteger(length) ? length : undefined
}

/** Which one it is, only the application knows: the person's choice of a profile, an account, a site. */
function refuseMissingHeader({ record }: ProviderContext, path: string, request: FastifyRequest): void {
  const missing = missingHeader(record, path.split('?', 1)[0] ?? '', (header) => (request.headers[header] ?? '') !== '')
  if (missing === null) return
  throw new Fault('invalid_request', {
    field: missing.header,
    detail: `${record.name} needs the header \`${missing.header}\` here: ${missing.meaning}`,
  })
}

function secondsOf(request: FastifyRequest, name: 'Evergrant-Deadline' | 'Evergrant-Wait'): number | undefined {
  const text = request.headers[name.toLowerCase()]
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (!Number.isFinite(seconds) || seconds <= 0 || seconds > 300)
    throw new Fault('invalid_request', { field: name, detail: `\`${name}\` must be a number of seconds, at most 300.` })
  return seconds * 1_000
}

/** LinkedIn answers 999. A status outside of HTTP is to be taken for one of the 5xx (RFC 9110 section 15); `evergrant-upstream-status` has it as it came. */
function statusOf(status: number): number {
  return status > 599 ? 502 : status
}

function emptied(body: Readable): null {
  body.destroy()
  return null
}
