import type { StoredFault } from '../connection/connection.ts'
import { HOUR, type Instant, MINUTE } from '../time.ts'
import type { GrantRow } from './credentials.ts'

/** Our own proxy, which saw the refusal itself. */
export const SEEN_BY_PROXY = 'proxy'

/** Two refusals that are closer than this may be one bad moment of the API. */
const APART_MS = 10 * MINUTE
/** A refusal that nobody repeats is forgotten: whatever it was about, others go on with the secret. */
const REMEMBERED_MS = 24 * HOUR

/** The stored doubt: somebody said that an API refused this secret, and nothing proved it. */
const DOUBT = { code: 'upstream_token_refused', providerCode: 'told_by_caller' } as const

/** What one more report is worth. `first`: it is the only one. `again`: nothing new. `agreed`: two that do not depend on each other. */
type ReportWorth = 'first' | 'again' | 'agreed'

/** The doubt that stands, unless it is too old or the API took the secret since. */
export function doubtOf({ connection }: GrantRow, workedAt: Instant | null, now: Instant): StoredFault | null {
  const { fault, state } = connection
  if (state !== 'active' || fault === null || fault.code !== DOUBT.code || fault.evidence.providerCode !== DOUBT.providerCode) return null
  if (now - fault.at > REMEMBERED_MS || (workedAt !== null && workedAt >= fault.at)) return null
  return fault
}

/**
 * The word of one caller never ends a secret, however often it is said. Two reports do, if ten minutes and at most a day lie between
 * them, and if they come from two callers or one of them is what our own proxy saw.
 */
export function worthOf(doubt: StoredFault | null, reporter: string, now: Instant): ReportWorth {
  if (doubt === null) return 'first'
  const before = doubt.evidence.providerText
  const independent = before !== reporter || reporter === SEEN_BY_PROXY
  return independent && now - doubt.at >= APART_MS ? 'agreed' : 'again'
}

/** The doubt as it is stored: `providerText` names who told, as events name actors. */
export function newDoubt(reporter: string, at: Instant): StoredFault {
  return { code: DOUBT.code, at, evidence: { intent: null, httpStatus: null, providerCode: DOUBT.providerCode, providerText: reporter, answerHash: null } }
}

/** When a second report may count. */
export function countsFrom({ at }: Pick<StoredFault, 'at'>): Instant {
  return at + APART_MS
}
