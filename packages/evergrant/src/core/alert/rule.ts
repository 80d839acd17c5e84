import type { ChannelId } from '../ids.ts'

export const ALERT_KINDS = [
  'connection_needs_reauth',
  'refresh_failing',
  'integration_misconfigured',
  'success_rate_low',
  'expires_soon',
  'reuse_detected',
  'clone_detected',
  'journal_not_empty',
  'seal_key_missing',
  'delivery_failing',
] as const
export type AlertKind = (typeof ALERT_KINDS)[number]

export const SEVERITIES = ['info', 'warning', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What is worth an alert, one for each kind. */
export interface AlertRule {
  readonly kind: AlertKind
  readonly enabled: boolean
  /** Per cent for `success_rate_low`, days for `expires_soon`; null where the kind has no number. */
  readonly threshold: number | null
  /** How long it must have been so; null where it counts at once. */
  readonly minutes: number | null
  readonly severity: Severity
  /** Who is told; null: every channel that is switched on. */
  readonly channels: readonly ChannelId[] | null
  /** What joins an open alert within so many minutes of the last word about it is told together. */
  readonly groupMinutes: number
  /** Evergrant writes to the end user, too, where the organization lets it. */
  readonly notifyOwner: boolean
}

type Defaults = Partial<Omit<AlertRule, 'kind'>> & Pick<AlertRule, 'severity'>

const DEFAULTS: Readonly<Record<AlertKind, Defaults>> = {
  connection_needs_reauth: { severity: 'warning', notifyOwner: true },
  refresh_failing: { severity: 'warning', minutes: 30 },
  integration_misconfigured: { severity: 'critical' },
  success_rate_low: { severity: 'warning', threshold: 95, minutes: 60, groupMinutes: 120 },
  expires_soon: { severity: 'info', threshold: 7, groupMinutes: 1_440 },
  reuse_detected: { severity: 'critical' },
  clone_detected: { severity: 'critical' },
  journal_not_empty: { severity: 'critical', minutes: 5 },
  seal_key_missing: { severity: 'critical' },
  delivery_failing: { severity: 'warning', minutes: 15 },
}

export function defaultRule(kind: AlertKind): AlertRule {
  const common = { enabled: true, threshold: null, minutes: null, channels: null, groupMinutes: 60, notifyOwner: false }
  return { kind, ...common, ...DEFAULTS[kind] }
}

/** What is stored over the defaults: one rule for each kind, in one order. */
export function completeRules(stored: readonly AlertRule[]): readonly AlertRule[] {
  return ALERT_KINDS.map((kind) => stored.find((rule) => rule.kind === kind) ?? defaultRule(kind))
}

/**
 * The rule without channels that were deleted. One that named no other tells every channel: silence is asked for with an empty list, and nobody asked for it.
 */
export function withChannels(rule: AlertRule, known: readonly { readonly id: ChannelId }[]): AlertRule {
  const kept = rule.channels?.filter((chosen) => known.some(({ id }) => id === chosen)) ?? null
  if (rule.channels === null || kept?.length === rule.channels.length) return rule
  return { ...rule, channels: kept?.length === 0 ? null : kept }
}

/** Kinds whose number a person may set, with its bounds. */
export const THRESHOLDS: Readonly<Partial<Record<AlertKind, { readonly min: number; readonly max: number; readonly unit: string }>>> = {
  success_rate_low: { min: 1, max: 100, unit: 'per cent' },
  expires_soon: { min: 1, max: 30, unit: 'days' },
}

/** Kinds that wait before they count. */
export const WITH_MINUTES: ReadonlySet<AlertKind> = new Set(['refresh_failing', 'success_rate_low', 'journal_not_empty', 'delivery_failing'])
/** Kinds about which an end user can do something. */
export const ABOUT_OWNERS: ReadonlySet<AlertKind> = new Set(['connection_needs_reauth'])
