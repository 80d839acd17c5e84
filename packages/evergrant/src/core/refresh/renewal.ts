import { type Instant, MINUTE, SECOND } from '../time.ts'

const DEFAULT_MARGIN_MS = 15 * MINUTE
/** Tokens shorter than five minutes would otherwise be "hard" from birth, and every read would refresh them. */
const SHORT_LIVED_RESERVE = 0.2

interface RenewalInput {
  /** When the request that produced the token was sent. */
  readonly obtainedAt: Instant
  readonly accessExpiresAt: Instant | null
  /** m of DESIGN section 5.1; null for 15 minutes. */
  readonly marginMs: number | null
  /** n of DESIGN section 5.1: with more than this left, a refresh gives the same token back. */
  readonly noopAboveMs: number | null
  /** The provider takes no refresh before. */
  readonly notBefore?: Instant
  /** Drawn once per credential, in [0, 1). */
  readonly uniform: number
}

/**
 * The two instants of a credential, drawn once and persisted: from `softAt` it is renewed in the background, from
 * `hardAt` callers wait. Null for a token without an end.
 */
export function renewalInstants(input: RenewalInput): { readonly softAt: Instant; readonly hardAt: Instant } | null {
  const { obtainedAt, accessExpiresAt, noopAboveMs } = input
  if (accessExpiresAt === null) return null
  const lifetime = Math.max(0, accessExpiresAt - obtainedAt)
  const margin = input.marginMs ?? DEFAULT_MARGIN_MS
  const reserve = Math.min(Math.max(60 * SECOND, 0.05 * lifetime), SHORT_LIVED_RESERVE * lifetime)
  const hard = lifetime - reserve
  const earliest = Math.max(0.66 * lifetime, noopAboveMs === null ? 0 : lifetime - noopAboveMs)
  const latest = Math.max(earliest + 0.05 * lifetime, Math.min(0.8 * lifetime, lifetime - margin))
  const hi = Math.min(latest, hard)
  const lo = Math.min(earliest, hi)
  const { notBefore = obtainedAt } = input
  return {
    softAt: Math.max(notBefore, obtainedAt + Math.round(lo + input.uniform * (hi - lo))),
    hardAt: Math.max(notBefore, obtainedAt + Math.round(hard)),
  }
}
