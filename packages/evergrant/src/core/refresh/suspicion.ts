import type { Credential, Suspicion } from '../connection/credential.ts'
import type { Reuse } from '../provider/reuse.ts'
import type { Instant } from '../time.ts'
import { isReusable, isStrict, type ProtocolTimes } from './protocol-times.ts'

interface SuspectInput {
  readonly suspicion: Suspicion
  readonly reuse: Reuse
  readonly accessExpiresAt: Instant | null
  readonly now: Instant
}

/** The oldest presentation of this generation whose outcome is not known, whoever may still wait for it. */
export function openPresentation({ suspicion, intent, generation }: Pick<Credential, 'suspicion' | 'intent' | 'generation'>): Suspicion | null {
  if (suspicion !== null) return suspicion
  return intent !== null && intent.generation === generation ? { intent: intent.id, at: intent.at, answered: false } : null
}

/** True while a P1 provider would still answer a second presentation that is sent now. Asked again at send time. */
export function windowOpen(suspicion: Suspicion, reuse: Reuse, now: Instant, times: ProtocolTimes): boolean {
  return reuse.class === 'P1' && now + times.windowSlackMs < suspicion.at + 0.8 * reuse.windowMs
}

/**
 * The first instant at which a suspect refresh token may be presented again (refresh-protocol 2.8). Null: never, because
 * the provider punishes other grants of the user too.
 */
export function presentableAt(input: SuspectInput, times: ProtocolTimes): Instant | null {
  const { suspicion, reuse, accessExpiresAt, now } = input
  if (isReusable(reuse)) return suspicion.at
  if (windowOpen(suspicion, reuse, now, times)) return suspicion.at + times.windowRetryMs
  if (reuse.neverProbe) return null
  if (suspicion.answered && reuse.class === 'P3') return suspicion.at
  const orphanIsDead = lastSentBy(suspicion, reuse) + times.orphanWaitMs
  if (suspicion.answered) {
    return Math.max(orphanIsDead, accessExpiresAt === null ? 0 : accessExpiresAt - times.answeredProbeBeforeExpiryMs)
  }
  const hourLater = suspicion.at + times.probeEveryMs
  const nearExpiry = accessExpiresAt === null ? hourLater : accessExpiresAt - times.probeBeforeExpiryMs
  return Math.max(orphanIsDead, Math.min(nearExpiry, hourLater))
}

/** Inside its window a P1 provider is asked again without a note of when: until it closes, the youngest request may have left. */
function lastSentBy(suspicion: Suspicion, reuse: Reuse): Instant {
  return suspicion.at + (reuse.class === 'P1' ? Math.ceil(0.8 * reuse.windowMs) : 0)
}

/**
 * When to ask again after a grant without a new refresh token, although its access token is fresh: a provider that does not
 * rotate every time has said that the token was not spent *yet*. An earlier request without an answer may arrive later and spend
 * it, and its answer is read by nobody. After half of its window it has arrived or never will, and the provider still tells
 * the successor. Null where nothing of the kind can happen. `open`: what was open before the grant was asked for, at `sentAt`.
 */
export function askAgainAt(open: Suspicion | null, reuse: Reuse, sentAt: Instant): Instant | null {
  if (reuse.class !== 'P1' || open === null || open.answered) return null
  const at = open.at + Math.floor(reuse.windowMs / 2)
  return sentAt < at ? at : null
}

/** A definitive "dead" to a probe means that the first answer was lost, except where a second presentation is harmless. */
export function deathMeansLostAnswer(suspicion: Suspicion | null, reuse: Reuse, now: Instant, times: ProtocolTimes): boolean {
  if (suspicion === null) return false
  return isStrict(reuse) || (reuse.class === 'P1' && !windowOpen(suspicion, reuse, now, times))
}
