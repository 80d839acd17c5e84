import { Fault } from '../fault/fault.ts'
import type { Instant } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { FlightResult } from './flights.ts'
import type { TokenRequest } from './refresh-engine.ts'

/** A flight that failed, as whoever joined it is told. */
export function failedFault(result: Extract<FlightResult, { kind: 'failed' }>): Fault {
  return new Fault(result.code, {
    ...(result.retryAt === null ? {} : { retryAt: result.retryAt }),
    ...(result.detail === undefined ? {} : { detail: result.detail }),
  })
}

/** Nothing can be sent before `until`; null: nobody knows when. */
export function waiting(code: Fault['code'], until: Instant | null, row: GrantRow, request: TokenRequest): Fault {
  const stillLives = row.credential.accessExpiresAt !== null && request.rejectedGeneration === null && row.credential.accessExpiresAt > (until ?? 0)
  return new Fault(code, {
    ...(until === null ? {} : { retryAt: until }),
    ...(stillLives ? { detail: 'the stored token does not live as long as min_ttl asks' } : {}),
  })
}

/** The grant is over, in the provider’s words where it said any. */
export function ended(code: Fault['code'], row: GrantRow): Fault {
  const text = row.connection.state === 'needs_reauth' ? row.connection.fault?.evidence.providerText : null
  return new Fault(code, text ? { detail: `the provider says: ${text}` } : {})
}
