import { CLOCKS_DIFFER_MS, DAY, HOUR, type Instant, MINUTE } from '../time.ts'
import type { Agent } from './agent.ts'
import type { Installation } from './installation.ts'
import type { AgentSettings, RecoverySettings } from './recovery-settings.ts'
import type { SdkToken } from './sdk-token.ts'

/** The pause after the first counted recovery; it doubles with each one in a window. */
export const COOLDOWN_MS = 10 * MINUTE
const COOLDOWN_MAX_MS = DAY
/** How long a tripped breaker sends every recovery to a person. */
export const BREAKER_MS = HOUR
/** Of recoveries that are counted together. */
const PRESSURE_MS = HOUR
/** Fewer recoveries in that time than this trip no breaker, however few installations there are. */
export const BREAKER_FLOOR = 10
const BREAKER_SHARE = 0.2

/** Recoveries of an organization in the last hour: a revocation of all by mistake and an attack look alike. */
export interface RecoveryPressure {
  readonly recoveries: number
  readonly installations: number
}

/** Recoveries after this instant are counted together. A breaker that was closed later than now was closed before the clock was set back. */
export function pressureSince({ breakerClosedAt }: Pick<AgentSettings, 'breakerClosedAt'>, at: Instant): Instant {
  const closedAt = breakerClosedAt !== null && breakerClosedAt <= at + CLOCKS_DIFFER_MS ? breakerClosedAt : 0
  return Math.max(at - PRESSURE_MS, closedAt)
}

export interface RecoveryQuestion {
  readonly installation: Installation
  readonly agent: Pick<Agent, 'recovery'>
  readonly settings: AgentSettings
  /** The switch in the configuration of the server. */
  readonly enabled: boolean
  /** The newest token: what is recovered from. */
  readonly head: SdkToken
  readonly pressure: RecoveryPressure
  /** What a person said about this attempt. */
  readonly approval: 'none' | 'pending' | 'approved' | 'denied'
}

export type RecoveryRuling =
  /** `counted`: against the limit. */
  | { readonly kind: 'allowed'; readonly counted: boolean; readonly approved: boolean }
  | { readonly kind: 'ask'; readonly why: 'mode' | 'offline' | 'breaker'; readonly trips: boolean }
  | { readonly kind: 'disabled'; readonly by: 'server' | 'organization' | 'mode' | 'installation' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'limit'; readonly retryAt: Instant }
  | { readonly kind: 'cooldown'; readonly retryAt: Instant }

/** What the agent says, else the organization; and the installation, unless that is `off`: whoever stops an agent stops all of it. */
export function recoverySettingsOf({ installation, agent, settings }: Pick<RecoveryQuestion, 'installation' | 'agent' | 'settings'>): RecoverySettings {
  const settled = { ...settings.recovery, ...agent.recovery }
  return installation.recoveryMode === null || settled.mode === 'off' ? settled : { ...settled, mode: installation.recoveryMode }
}

/** Counted recoveries that still are inside the window. One that is a window ahead was written before the clock was set back, and counts no more. */
export function recentRecoveries(
  { recoveries }: Pick<Installation, 'recoveries'>,
  { windowMs }: Pick<RecoverySettings, 'windowMs'>,
  at: Instant,
): readonly Instant[] {
  return recoveries.filter((then) => Math.abs(at - then) < windowMs)
}

/** Until when an installation waits for its next recovery; null where it need not. */
export function pauseUntil({ cooldownUntil }: Pick<Installation, 'cooldownUntil'>, at: Instant): Instant | null {
  return endOfWait(cooldownUntil, COOLDOWN_MAX_MS, at)
}

/** Until when every recovery asks a person; null where none need. */
export function breakerUntil(settings: Pick<AgentSettings, 'breakerUntil'>, at: Instant): Instant | null {
  return endOfWait(settings.breakerUntil, BREAKER_MS, at)
}

/** No wait is longer than `maxMs`: one that seems to be was given before the clock was set back. */
function endOfWait(until: Instant | null, maxMs: number, at: Instant): Instant | null {
  return until !== null && at < until && until <= at + maxMs + CLOCKS_DIFFER_MS ? until : null
}

/** Mode, limit, pause and breaker: the last step before anything is minted. agents.md 3.6; DESIGN section 8 for tickets. */
export function ruleRecovery(question: RecoveryQuestion, at: Instant): RecoveryRuling {
  const { installation, settings, enabled, head, approval } = question
  const settled = recoverySettingsOf(question)
  if (!enabled) return { kind: 'disabled', by: 'server' }
  if (!settings.recoveryEnabled) return { kind: 'disabled', by: 'organization' }
  if (installation.status === 'recovery_blocked') return { kind: 'disabled', by: 'installation' }
  if (settled.mode === 'off') return { kind: 'disabled', by: 'mode' }
  // A ticket says that the token ended by our own doing: an operator rotated it, or we were down. Nothing is left to decide.
  if (head.ticket) return { kind: 'allowed', counted: false, approved: false }
  if (approval === 'denied') return { kind: 'denied' }
  if (approval === 'approved') return { kind: 'allowed', counted: false, approved: true }
  if (settled.mode === 'approve') return { kind: 'ask', why: 'mode', trips: false }
  if (at - head.createdAt > settled.maxOfflineMs) return { kind: 'ask', why: 'offline', trips: false }
  if (breakerUntil(settings, at) !== null) return { kind: 'ask', why: 'breaker', trips: false }
  if (isTooMany(question.pressure)) return { kind: 'ask', why: 'breaker', trips: true }
  return withinLimits(installation, settled, at)
}

function withinLimits(installation: Installation, settled: RecoverySettings, at: Instant): RecoveryRuling {
  const recent = recentRecoveries(installation, settled, at)
  const oldest = recent[recent.length - settled.limit]
  if (settled.mode === 'standard' && recent.length >= settled.limit) return { kind: 'limit', retryAt: (oldest ?? at) + settled.windowMs }
  const pause = pauseUntil(installation, at)
  if (pause !== null) return { kind: 'cooldown', retryAt: pause }
  return { kind: 'allowed', counted: true, approved: false }
}

function isTooMany({ recoveries, installations }: RecoveryPressure): boolean {
  return recoveries >= Math.max(BREAKER_FLOOR, Math.ceil(BREAKER_SHARE * installations))
}

/** What a counted recovery leaves behind in its installation. */
export function countRecovery(
  installation: Installation,
  settled: RecoverySettings,
  at: Instant,
): Pick<Installation, 'recoveries' | 'cooldownUntil' | 'cooldownMs'> {
  const recent = recentRecoveries(installation, settled, at)
  const pause = recent.length === 0 ? COOLDOWN_MS : installation.cooldownMs
  return { recoveries: [...recent, at], cooldownUntil: at + pause, cooldownMs: Math.min(2 * pause, COOLDOWN_MAX_MS) }
}

/** Recoveries that are left in this window; null where none is counted. */
export function remainingRecoveries(installation: Installation, settled: RecoverySettings, at: Instant): number | null {
  return settled.mode === 'standard' ? Math.max(0, settled.limit - recentRecoveries(installation, settled, at).length) : null
}
