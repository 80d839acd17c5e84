import type { Overview } from '../api/console-operations.ts'

type Alert = Overview['alerts'][number]

const SEVERITIES = ['info', 'warning', 'critical']

/** The one to look at first: what nobody has taken on, then the most severe, then the latest. */
export function worstOf(alerts: readonly Alert[]): Alert | undefined {
  const rank = ({ state, severity }: Alert): number => (state === 'open' ? SEVERITIES.length + 1 : 0) + SEVERITIES.indexOf(severity)
  return alerts.toSorted((left, right) => rank(right) - rank(left) || right.opened_at.localeCompare(left.opened_at))[0]
}
