import type { ApiKeyScope } from '../core/access/api-key.ts'
import { Fault } from '../core/fault/fault.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { Caller, Services } from './services.ts'

/** What a route asks of its caller: a scope, just a valid credential (`any`), a person who is signed in (`person`), or nothing (`public`). */
export type Access = ApiKeyScope | 'any' | 'person' | 'public'

export interface Limits {
  /** Per key, per session and per installation. */
  readonly keys: RateLimiter
  /** Per address, for credentials that are not valid. A valid one is never slowed by its neighbours. */
  readonly failures: RateLimiter
}

export type Done = (error?: Error) => void

export function limited(services: Pick<Services, 'clock'>, waitMs: number, why: string): Fault {
  return new Fault('rate_limited', { detail: `${why} Wait for Retry-After.`, retryAt: services.clock.wall() + waitMs })
}

/** `admin` may do everything in its organization. */
export function allows(caller: Pick<Caller, 'scopes'>, access: Access): boolean {
  return access === 'any' || access === 'public' || (access !== 'person' && caller.scopes.includes(access)) || caller.scopes.includes('admin')
}
