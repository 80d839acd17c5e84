import type { FastifyRequest } from 'fastify'
import { Fault } from '../core/fault/fault.ts'
import type { OrganizationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { PROBLEM_TYPE } from './problem.ts'
import type { App } from './schema.ts'
import type { Services } from './services.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The Idempotency-Key of this route is not ours: the proxy hands it on. */
    ownIdempotency?: boolean
  }
  interface FastifyRequest {
    /** Set while this request is the first with its key. */
    idempotencyKey: string | null
  }
}

const KEY = /^[\x21-\x7e]{1,255}$/

/** `Idempotency-Key` on every POST behind a key: the same request gets the same answer for 24 hours. */
export function keepAnswers(app: App, services: Pick<Services, 'idempotency'>, log: Log): void {
  app.decorateRequest('idempotencyKey', null)
  app.addHook('preHandler', async (request, reply) => {
    const wanted = keyOf(request)
    if (wanted === undefined) return
    const kept = await services.idempotency.begin(wanted.organization, wanted.key, describe(request))
    if (kept === undefined) {
      request.idempotencyKey = wanted.key
      return
    }
    const type = kept.status >= 400 ? PROBLEM_TYPE : 'application/json; charset=utf-8'
    return reply.code(kept.status).header('idempotent-replayed', 'true').type(type).send(kept.body)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const key = request.idempotencyKey
    if (key === null || request.caller === null) return
    request.idempotencyKey = null
    const answer = { status: reply.statusCode, body: typeof payload === 'string' ? payload : '' }
    // The work is done and durable; failing the answer now would only invite a second run.
    await services.idempotency.end(request.caller.organization, key, answer).catch((error: unknown) => {
      log.warn({ request: request.id, error: error instanceof Error ? error.message : 'unknown' }, 'an answer could not be kept for its Idempotency-Key')
    })
  })
}

function keyOf(request: FastifyRequest): { readonly organization: OrganizationId; readonly key: string } | undefined {
  if (request.method !== 'POST' || request.caller === null || request.routeOptions.config.ownIdempotency === true) return undefined
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !KEY.test(key))
    throw new Fault('invalid_request', { field: 'Idempotency-Key', detail: 'The Idempotency-Key must be 1 to 255 visible ASCII characters.' })
  return { organization: request.caller.organization, key }
}

function describe(request: FastifyRequest): string {
  return JSON.stringify([request.method, request.url, request.caller?.actor.id, request.body ?? null])
}
