import { DAY } from '../time.ts'

/**
 * `off`: refused. `approve`: a person decides each time. `standard`: a few in a window, with a growing pause. `relaxed`: only the pause, for machines that
 * are often off. agents.md 3.6.
 */
export const RECOVERY_MODES = ['off', 'approve', 'standard', 'relaxed'] as const
export type RecoveryMode = (typeof RECOVERY_MODES)[number]

export interface RecoverySettings {
  readonly mode: RecoveryMode
  /** Counted recoveries in a window; for `standard`. */
  readonly limit: number
  readonly windowMs: number
  /** A token that was not renewed for longer asks for approval. */
  readonly maxOfflineMs: number
  /** What an old token with the right key does: locks the installation, or is refused with an alert. */
  readonly onClone: 'lock' | 'refuse_and_alert'
}

export const RECOVERY_DEFAULTS: RecoverySettings = { mode: 'standard', limit: 5, windowMs: 30 * DAY, maxOfflineMs: 30 * DAY, onClone: 'lock' }

/** What an organization says about all its agents. Read inside the transaction that would mint, so a change counts at once. */
export interface AgentSettings {
  /** False: nothing recovers in this organization. */
  readonly recoveryEnabled: boolean
  readonly recovery: RecoverySettings
  /** Until then every recovery waits for a person: more machines asked for one at the same time than an accident would explain. */
  readonly breakerUntil: number | null
  /** When a person put a tripped breaker back: what recovered before that trips no new one. */
  readonly breakerClosedAt: number | null
}

export const AGENT_SETTINGS_DEFAULTS: AgentSettings = { recoveryEnabled: true, recovery: RECOVERY_DEFAULTS, breakerUntil: null, breakerClosedAt: null }

/** Of two that a store gave: the order of their members is the store's. */
export function areSame(left: AgentSettings, right: AgentSettings): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}
