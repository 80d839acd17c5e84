import { Fault } from '../fault/fault.ts'
import type { Instant } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { FlightResult } from './flights.ts'
import type { TokenRequest } from './refresh-engine.ts'

/** A caller whose renewal is still under way, or was overtaken, is told to come back after so long. */
const ASK_AGAIN_MS = 1_000

/** A renewal is under way, or somebody else's just ended: who asks again gets what it brought. */
export function askAgain(now: Instant): Fault {
  return new Fault('refresh_in_progress', { retryAt: now + ASK_AGAIN_MS })
}

/** A renewed token does not answer its caller, and the next one waits for the database to take this one: what it replaces is spent. */
export function notStored(now: Instant): Fault {
  const detail = 'the last renewal is kept beside the database, which does not take it yet; health says why, and nothing is lost'
  return new Fault('refresh_in_progress', { retryAt: now + ASK_AGAIN_MS, detail })
}

/** True when the provider says that the grant is over: then the old token is not handed out either. */
export function endsGrant(result: FlightResult | null): boolean {
  return result?.kind === 'failed' && result.fault !== null && new Fault(result.fault.code).definition.class === 'grant'
}

/** Why whoever waited for a flight has no newer token; null: it did not land in time. Who joined one that was overtaken asks again: nobody goes back a generation. */
export function notRenewed(result: FlightResult | null, request: TokenRequest, now: Instant): Fault {
  if (result?.kind === 'failed') return failedFault(result)
  if (result?.kind === 'planned' && result.plan.kind === 'wait') return waiting(result.plan.code, result.plan.until, result.row, request)
  return askAgain(now)
}

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

/** The grant is over: what to do about it, and the provider’s own words where it said any. */
export function ended(code: Fault['code'], row: GrantRow): Fault {
  const text = row.connection.state === 'needs_reauth' ? row.connection.fault?.evidence.providerText : null
  return new Fault(code, text ? { detail: `${new Fault(code).definition.operator} In the provider's words: ${text}` } : {})
}
