import type { Instant } from '../time.ts'
import { LEAD_SECONDS, quantile, RECONNECT_SECONDS, REFRESH_MS } from './buckets.ts'
import type { HistoryRow } from './observed.ts'

const COUNTS = [
  'refreshes_ok',
  'refreshes_transient',
  'refreshes_dead',
  'refreshes_unknown',
  'reads',
  'throttled',
  'breaker_open_seconds',
  'connect_started',
  'connect_completed',
  'connect_failed',
  'reconnect_notified',
  'reconnect_opened',
  'reconnect_authorised',
  'reconnect_verified',
  'deliveries_ok',
  'deliveries_failed',
  'reissues',
  'reuse_detected',
  'healed',
] as const
const QUANTILES = {
  refresh_ms_p50: { prefix: 'ms:', ends: REFRESH_MS, share: 0.5 },
  refresh_ms_p95: { prefix: 'ms:', ends: REFRESH_MS, share: 0.95 },
  refresh_ms_p99: { prefix: 'ms:', ends: REFRESH_MS, share: 0.99 },
  reconnect_seconds_p50: { prefix: 'repair:', ends: RECONNECT_SECONDS, share: 0.5 },
} as const

export const SERIES = [
  ...COUNTS,
  'refresh_ms_p50',
  'refresh_ms_p95',
  'refresh_ms_p99',
  'reconnect_seconds_p50',
  'lead_seconds',
  'connections_by_status',
] as const
export type SeriesName = (typeof SERIES)[number]

/** One line of a plot. Points without a value are left out. */
export interface HistorySeries {
  readonly name: SeriesName
  readonly labels: Readonly<Record<string, string>>
  readonly points: readonly (readonly [Instant, number])[]
}

interface SeriesOptions {
  readonly stepMs: number
  readonly byProvider: boolean
}

/** What was counted in one step, of one provider or of all. */
interface Step {
  readonly at: Instant
  readonly provider: string
  readonly counts: Record<string, number>
  /** The hour that states were last looked at. */
  stateHour: Instant
}

/** Rows of hours and writers, as lines. Pure. */
export function seriesOf(rows: readonly HistoryRow[], names: readonly SeriesName[], options: SeriesOptions): readonly HistorySeries[] {
  const steps = stepsOf(rows, options)
  const lines = new Map<string, { readonly name: SeriesName; readonly labels: Record<string, string>; readonly points: [Instant, number][] }>()
  const add = (name: SeriesName, labels: Record<string, string>, at: Instant, value: number) => {
    const key = `${name} ${JSON.stringify(labels)}`
    const line = lines.get(key) ?? { name, labels, points: [] }
    lines.set(key, line)
    line.points.push([at, value])
  }
  for (const { at, provider, counts } of steps) {
    const labels = options.byProvider ? { provider } : {}
    for (const name of names) for (const [more, value] of valuesOf(name, counts)) add(name, { ...labels, ...more }, at, value)
  }
  return [...lines.values()]
}

function stepsOf(rows: readonly HistoryRow[], { stepMs, byProvider }: SeriesOptions): readonly Step[] {
  const steps = new Map<string, Step>()
  for (const { hour, provider, counts } of rows) {
    const at = Math.floor(hour / stepMs) * stepMs
    const own = byProvider ? provider : ''
    const key = `${at} ${own}`
    const step = steps.get(key) ?? { at, provider: own, counts: {}, stateHour: -1 }
    steps.set(key, step)
    for (const [name, value] of Object.entries(counts)) {
      if (!name.startsWith('status:')) step.counts[name] = (step.counts[name] ?? 0) + value
    }
    if (Object.keys(counts).some((name) => name.startsWith('status:'))) takeStates(step, hour, counts)
  }
  return [...steps.values()].sort((left, right) => left.at - right.at)
}

/** A state is not added up over time: the last hour of a step stands for it, all its providers together. */
function takeStates(step: Step, hour: Instant, counts: Readonly<Record<string, number>>): void {
  if (hour < step.stateHour) return
  if (hour > step.stateHour) for (const name of Object.keys(step.counts)) if (name.startsWith('status:')) delete step.counts[name]
  step.stateHour = hour
  for (const [name, value] of Object.entries(counts)) if (name.startsWith('status:')) step.counts[name] = (step.counts[name] ?? 0) + value
}

function valuesOf(name: SeriesName, counts: Readonly<Record<string, number>>): readonly (readonly [Record<string, string>, number])[] {
  if (name === 'connections_by_status')
    return Object.entries(counts).flatMap(([key, value]) => (key.startsWith('status:') ? [[{ status: key.slice('status:'.length) }, value] as const] : []))
  if (name === 'lead_seconds')
    return [...LEAD_SECONDS.map(String), 'over'].flatMap((end) => {
      const value = counts[`lead:${end}`]
      return value === undefined ? [] : [[{ le: end === 'over' ? '+Inf' : end }, value] as const]
    })
  if (isQuantile(name)) {
    const { prefix, ends, share } = QUANTILES[name]
    const value = quantile(ends, (bucket) => counts[prefix + bucket] ?? 0, share)
    return value === null ? [] : [[{}, Math.round(value)]]
  }
  const value = counts[name]
  return value === undefined ? [] : [[{}, value]]
}

function isQuantile(name: SeriesName): name is keyof typeof QUANTILES {
  return name in QUANTILES
}
