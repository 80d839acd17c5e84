import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiKey, ApiKeyScope } from '../core/access/api-key.ts'
import { LOCAL_KEY_HINT } from '../core/access/api-keys-service.ts'
import type { Actor } from '../core/audit/event.ts'
import { Fault } from '../core/fault/fault.ts'
import type { RateLimiter } from './rate-limit.ts'
import { addressBucket } from './rate-limit.ts'
import type { Caller, Services } from './services.ts'

/** What a route asks of its caller: a scope, just a valid key (`any`), or nothing (`public`). */
export type Access = ApiKeyScope | 'any' | 'public'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Set before the handler of every route that is not public. */
    caller: Caller | null
    /** Names for the texts of a problem, once the route knows them. */
    words: { readonly provider: string; readonly account: string | null } | null
  }
}

export interface Limits {
  /** Per key. */
  readonly keys: RateLimiter
  /** Per address, for credentials that are not valid. A valid key is never slowed by its neighbours. */
  readonly failures: RateLimiter
}

type Done = (error?: Error) => void

/** The hook that lets a request in. Synchronous for keys in memory. */
export function authenticator(services: Pick<Services, 'apiKeys' | 'clock'>, limits: Limits) {
  const refuse = (request: FastifyRequest, detail: string): Fault => {
    const waitMs = limits.failures.take(addressBucket(request.ip))
    return waitMs > 0 ? limited(services, waitMs, 'Too many invalid credentials from this address.') : new Fault('unauthenticated', { detail })
  }
  const admit = (request: FastifyRequest, key: ApiKey, access: Access): Fault | undefined => {
    const waitMs = limits.keys.take(key.id)
    if (waitMs > 0) return limited(services, waitMs, 'The limit of this key was reached.')
    if (!allows(key, access))
      return new Fault('forbidden', { detail: `This route needs the scope \`${access}\`, and the key ${key.hint}... does not have it.` })
    request.caller = { organization: key.organization, key }
    return undefined
  }
  return (request: FastifyRequest, _reply: FastifyReply, done: Done): void => {
    const access = request.routeOptions.config.access
    // Only the answer to an unknown path has no route, and so no access.
    if (access === 'public' || request.is404) return done()
    if (access === undefined) return done(new Fault('internal', { detail: 'This route does not say who may use it.' }))
    const text = bearerOf(request.headers.authorization)
    if (text === undefined) return done(refuse(request, 'Send an API key: `Authorization: Bearer egk_...`.'))
    const hash = services.apiKeys.hashOf(text)
    if (hash === undefined) return done(refuse(request, 'This is no API key of this server: check that it was copied whole.'))
    const known = services.apiKeys.peek(hash)
    if (known === 'ended') return done(refuse(request, 'This is no valid API key: it is revoked or expired.'))
    if (known !== 'unknown') return done(admit(request, known, access))
    const bucket = addressBucket(request.ip)
    const waitMs = limits.failures.take(bucket)
    if (waitMs > 0) return done(limited(services, waitMs, 'Too many unknown credentials from this address.'))
    services.apiKeys.lookUp(hash).then(
      (key) => {
        if (key === undefined) return done(new Fault('unauthenticated', { detail: 'This is no valid API key: it is unknown, revoked or expired.' }))
        limits.failures.giveBack(bucket)
        done(admit(request, key, access))
      },
      (cause: unknown) => done(cause instanceof Fault ? cause : new Fault('store_unavailable', { cause })),
    )
  }
}

function limited(services: Pick<Services, 'clock'>, waitMs: number, why: string): Fault {
  return new Fault('rate_limited', { detail: `${why} Wait for Retry-After.`, retryAt: services.clock.wall() + waitMs })
}

export function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length < 8 || header.length > 512) return undefined
  return header.slice(0, 7).toLowerCase() === 'bearer ' ? header.slice(7).trim() : undefined
}

/** `admin` may do everything in its organization. */
export function allows(key: Pick<ApiKey, 'scopes'>, access: Access): boolean {
  return access === 'any' || access === 'public' || key.scopes.includes(access) || key.scopes.includes('admin')
}

/** The caller of a route that is not public. */
export function callerOf(request: Pick<FastifyRequest, 'caller'>): Caller {
  if (request.caller === null) throw new Fault('unauthenticated')
  return request.caller
}

/** Who is written into events. */
export function actorOf(caller: Caller): Actor {
  return caller.key.hint === LOCAL_KEY_HINT ? { kind: 'cli', id: null } : { kind: 'api_key', id: caller.key.id }
}
