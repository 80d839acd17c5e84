import type { History, HistorySeries } from '../program-operations.ts'

interface Line {
  readonly name: string
  /** A token: `--chart-1`. */
  readonly color: string
  /** By time, `null` where nothing was counted. */
  readonly values: readonly (number | null)[]
}

/** What a plot draws: times in seconds (as uPlot has them), and a value of each line for each. */
export interface PlotData {
  readonly times: readonly number[]
  readonly lines: readonly Line[]
}

export interface PlotKind {
  readonly id: string
  readonly title: string
  readonly explained: string
  /** In the order that they are drawn. */
  readonly series: readonly { readonly name: string; readonly text: string; readonly color: string }[]
  readonly unit: '' | 'ms' | 's'
  readonly look: 'line' | 'stack'
  /** Split by this label instead of by the name of the series. */
  readonly by?: string
  /** The share of one line among two, by their texts, said in the sentence. */
  readonly share?: { readonly of: string; readonly against: string; readonly text: string }
  /** Where the numbers lead. */
  readonly to?: { readonly path: string; readonly search: Readonly<Record<string, string>>; readonly text: string }
}

const c = (number: number): string => `--chart-${number}`

/** The plots, in the order of what is asked first. */
export const PLOTS: readonly PlotKind[] = [
  {
    id: 'refreshes',
    title: 'Refreshes by outcome',
    explained: 'How renewals ended.',
    look: 'stack',
    unit: '',
    series: [
      { name: 'refreshes_ok', text: 'renewed', color: c(2) },
      { name: 'refreshes_transient', text: 'tried again later', color: c(3) },
      { name: 'refreshes_unknown', text: 'answer lost', color: c(5) },
      { name: 'refreshes_dead', text: 'grant over', color: c(4) },
    ],
    to: { path: '/events', search: { q: 'type:connection.refresh_failed type:connection.needs_reauth' }, text: 'Those that failed' },
  },
  {
    id: 'latency',
    title: 'Time of a refresh',
    explained: 'From the request to the durable answer.',
    look: 'line',
    unit: 'ms',
    series: [
      { name: 'refresh_ms_p50', text: 'half of them', color: c(1) },
      { name: 'refresh_ms_p95', text: '95 of 100', color: c(3) },
      { name: 'refresh_ms_p99', text: '99 of 100', color: c(4) },
    ],
  },
  {
    id: 'states',
    title: 'Connections by state',
    explained: 'How all connections are.',
    look: 'stack',
    unit: '',
    by: 'status',
    series: [
      { name: 'active', text: 'active', color: c(2) },
      { name: 'degraded', text: 'waiting', color: c(3) },
      { name: 'blocked', text: 'blocked', color: c(5) },
      { name: 'needs_reauth', text: 'need their owner', color: c(4) },
      { name: 'paused', text: 'paused', color: c(6) },
    ],
    to: { path: '/connections', search: {}, text: 'The connections' },
  },
  {
    id: 'reads',
    title: 'Token reads',
    explained: 'How often applications and agents asked for a token.',
    look: 'line',
    unit: '',
    series: [{ name: 'reads', text: 'reads', color: c(1) }],
  },
  {
    id: 'throttled',
    title: 'Throttling and resting providers',
    explained: 'Answers that asked us to slow down, and seconds in which a provider was given a rest.',
    look: 'line',
    unit: '',
    series: [
      { name: 'throttled', text: 'asked to slow down', color: c(3) },
      { name: 'breaker_open_seconds', text: 'seconds of rest', color: c(4) },
    ],
  },
  {
    id: 'connect',
    title: 'Connect flows',
    explained: 'How many people who began to connect came to an end.',
    look: 'line',
    unit: '',
    series: [
      { name: 'connect_started', text: 'started', color: c(1) },
      { name: 'connect_completed', text: 'completed', color: c(2) },
      { name: 'connect_failed', text: 'failed', color: c(4) },
    ],
    share: { of: 'completed', against: 'failed', text: 'of those that ended were completed' },
    to: { path: '/events', search: { q: 'type:connect.*' }, text: 'The flows' },
  },
  {
    id: 'repair',
    title: 'Time to reconnect',
    explained: 'From the moment a connection needs its owner to the moment it works again.',
    look: 'line',
    unit: 's',
    series: [{ name: 'reconnect_seconds_p50', text: 'half of them within', color: c(1) }],
  },
  {
    id: 'sessions',
    title: 'Replays, reuse and healing',
    explained: 'Credentials given again because an answer was lost, those that came back too late, and machines that healed themselves.',
    look: 'line',
    unit: '',
    series: [
      { name: 'reissues', text: 'given again', color: c(1) },
      { name: 'healed', text: 'healed', color: c(2) },
      { name: 'reuse_detected', text: 'reuse', color: c(4) },
    ],
    to: { path: '/events', search: { q: 'type:session.reuse_detected type:session.reissued type:recovery.succeeded' }, text: 'What happened' },
  },
  {
    id: 'deliveries',
    title: 'Webhook deliveries',
    explained: 'What receivers took, and what they did not.',
    look: 'stack',
    unit: '',
    series: [
      { name: 'deliveries_ok', text: 'taken', color: c(2) },
      { name: 'deliveries_failed', text: 'not taken', color: c(4) },
    ],
    to: { path: '/alerts', search: { tab: 'webhooks' }, text: 'The webhooks' },
  },
]

/** What is chosen here holds there, too. Only events of connections know a provider. */
export function leadsTo({ path, search }: { readonly path: string; readonly search: Readonly<Record<string, string>> }, provider: string | undefined) {
  const { q } = search
  if (provider === undefined) return search
  if (path === '/connections') return { ...search, provider }
  return path === '/events' && q?.startsWith('type:connection.') === true ? { ...search, q: `${q} provider:${provider}` } : search
}

/** Series to ask the server for. */
export const askedOf = ({ series, by }: PlotKind): string => (by === undefined ? series.map(({ name }) => name).join(',') : 'connections_by_status')

/** The answer of the server, as lines over one row of times. Where nothing was counted a stack has 0 and a line a gap. */
export function plotData(kind: PlotKind, history: History, provider?: string): PlotData {
  const wanted = history.series.filter(({ labels }) => provider === undefined || labels['provider'] === provider)
  const times = [...new Set(wanted.flatMap(({ points }) => points.map(([at]) => Date.parse(at) / 1_000)))].sort((left, right) => left - right)
  const lines = kind.series.map(({ name, text, color }) => {
    const found = wanted.filter((series) => (kind.by === undefined ? series.name === name : series.labels[kind.by] === name))
    return { name: text, color, values: valuesAt(times, found, kind.look === 'stack' ? 0 : null) }
  })
  return { times, lines }
}

function valuesAt(times: readonly number[], series: readonly HistorySeries[], none: 0 | null): readonly (number | null)[] {
  const byTime = new Map<number, number>()
  for (const { points } of series) for (const [at, value] of points) byTime.set(Date.parse(at) / 1_000, (byTime.get(Date.parse(at) / 1_000) ?? 0) + value)
  return times.map((time) => byTime.get(time) ?? none)
}

/** Each line on top of those before it, for a stacked picture; the last is drawn first. */
export function stacked({ times, lines }: PlotData): PlotData {
  const sums = times.map(() => 0)
  return {
    times,
    lines: lines.map((line) => ({
      ...line,
      values: line.values.map((value, at) => {
        sums[at] = (sums[at] ?? 0) + (value ?? 0)
        return sums[at]
      }),
    })),
  }
}

/** `1,204`, `12 ms`, `3 min`. */
export function valueWords(value: number, unit: PlotKind['unit']): string {
  const number = new Intl.NumberFormat('en', { maximumFractionDigits: value < 10 ? 2 : 0 }).format(value)
  if (unit === 'ms') return value >= 1_000 ? `${(value / 1_000).toFixed(1)} s` : `${number} ms`
  if (unit === 's') return value >= 7_200 ? `${(value / 3_600).toFixed(1)} h` : value >= 120 ? `${Math.round(value / 60)} min` : `${number} s`
  return number
}

/** What the picture shows, in a sentence: sums of counts, the latest of states, the worst of times. */
export function summaryOf(kind: PlotKind, { times, lines }: PlotData): string {
  if (times.length === 0) return `${kind.explained} Nothing was counted in this time.`
  const said = lines.flatMap(({ name, values }) => {
    const known = values.filter((value) => value !== null)
    if (known.length === 0) return []
    const figure = kind.unit !== '' ? Math.max(...known) : kind.by === undefined ? known.reduce((sum, value) => sum + value, 0) : (known.at(-1) ?? 0)
    return [`${valueWords(figure, kind.unit)} ${name}`]
  })
  const share = kind.share === undefined ? null : shareOf(kind.share, lines)
  return `${kind.explained} ${kind.unit === '' ? (kind.by === undefined ? 'In all' : 'Last') : 'At worst'}: ${said.join(', ')}.${share === null ? '' : ` ${share}`}`
}

/** Of what ended: what is still under way is neither. Null: nothing ended. */
function shareOf({ of, against, text }: NonNullable<PlotKind['share']>, lines: PlotData['lines']): string | null {
  const sum = (wanted: string) =>
    lines.filter(({ name }) => name === wanted).reduce((all, { values }) => all + values.reduce<number>((one, value) => one + (value ?? 0), 0), 0)
  const [good, bad] = [sum(of), sum(against)]
  return good + bad === 0 ? null : `${((100 * good) / (good + bad)).toFixed(1)} % ${text}.`
}

/** The share of refreshes that went well, without ends of grants: those are no failure of ours. Null: there were none. */
export function successShare(history: History): number | null {
  const sum = (name: string): number =>
    history.series.filter((series) => series.name === name).reduce((total, { points }) => total + points.reduce((all, [, value]) => all + value, 0), 0)
  const [ok, failed] = [sum('refreshes_ok'), sum('refreshes_transient') + sum('refreshes_unknown')]
  return ok + failed === 0 ? null : ok / (ok + failed)
}
