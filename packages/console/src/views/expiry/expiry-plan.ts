const HOUR = 3_600_000
const DAY = 24 * HOUR

/** How far ahead one looks. */
export const RANGES = [
  { value: 'day', text: '24 hours', ms: DAY },
  { value: 'week', text: '7 days', ms: 7 * DAY },
  { value: 'month', text: '30 days', ms: 30 * DAY },
  { value: 'quarter', text: '90 days', ms: 90 * DAY },
] as const
export type RangeName = (typeof RANGES)[number]['value']

export interface Span {
  readonly from: number
  readonly to: number
}

export interface Bucket {
  readonly from: string
  readonly to: string
  readonly lane: string
  readonly human: number
  readonly automatic: number
}

/** One bar of a lane, in the units of the drawing: x and width from 0 to 1, height from 0 to 1 of its lane. */
export interface Bar {
  readonly bucket: Bucket
  readonly x: number
  readonly width: number
  readonly human: number
  readonly automatic: number
}

export interface Lane {
  readonly name: string
  readonly human: number
  readonly automatic: number
  readonly bars: readonly Bar[]
}

/** The span of a range from now, on a full hour, so that the same question is asked for an hour. */
export function spanOf(range: RangeName, now: number): Span {
  const from = Math.floor(now / HOUR) * HOUR
  return { from, to: from + (RANGES.find(({ value }) => value === range)?.ms ?? 30 * DAY) }
}

/** Half as much around the middle, no less than two hours; or twice as much, no more than 400 days, and never into what is over. */
export function zoomed({ from, to }: Span, how: 'in' | 'out' | 'earlier' | 'later', now: number): Span {
  const length = to - from
  const start = Math.floor(now / HOUR) * HOUR
  if (how === 'earlier' || how === 'later') {
    const step = Math.round(length / 2 / HOUR) * HOUR * (how === 'later' ? 1 : -1)
    const moved = Math.max(start, from + step)
    return { from: moved, to: moved + length }
  }
  const next = Math.min(400 * DAY, Math.max(2 * HOUR, Math.round((how === 'in' ? length / 2 : length * 2) / HOUR) * HOUR))
  const begin = Math.max(start, Math.round((from + (length - next) / 2) / HOUR) * HOUR)
  return { from: begin, to: begin + next }
}

/** What was dragged over, as a span on full hours; null where it was a click. Shares are 0 to 1 of the drawing. */
export function brushed({ from, to }: Span, first: number, last: number): Span | null {
  const [left, right] = [Math.max(0, Math.min(first, last)), Math.min(1, Math.max(first, last))]
  if (right - left < 0.01) return null
  const begin = Math.floor((from + (to - from) * left) / HOUR) * HOUR
  const end = Math.ceil((from + (to - from) * right) / HOUR) * HOUR
  return { from: begin, to: Math.max(end, begin + 2 * HOUR) }
}

/** Lanes with the most human work first. Heights are shares of the tallest bar of all lanes, so that lanes can be compared. */
export function lanesOf(buckets: readonly Bucket[], span: Span): readonly Lane[] {
  const length = span.to - span.from
  const tallest = Math.max(1, ...buckets.map(({ human, automatic }) => human + automatic))
  const lanes = new Map<string, Bar[]>()
  for (const bucket of buckets) {
    const from = Math.max(span.from, Date.parse(bucket.from))
    const to = Math.min(span.to, Date.parse(bucket.to))
    if (to <= from) continue
    const bar = {
      bucket,
      x: (from - span.from) / length,
      width: (to - from) / length,
      human: height(bucket.human, tallest),
      automatic: height(bucket.automatic, tallest),
    }
    lanes.set(bucket.lane, [...(lanes.get(bucket.lane) ?? []), bar])
  }
  const sum = (bars: readonly Bar[], of: 'human' | 'automatic'): number => bars.reduce((total, { bucket }) => total + bucket[of], 0)
  return [...lanes]
    .map(([name, bars]) => ({ name, human: sum(bars, 'human'), automatic: sum(bars, 'automatic'), bars }))
    .sort((left, right) => right.human - left.human || right.automatic - left.automatic || left.name.localeCompare(right.name))
}

/** One connection among thousands is still seen. */
const height = (count: number, tallest: number): number => (count === 0 ? 0 : Math.max(0.08, Math.sqrt(count / tallest)))

/** Where lines stand on the axis, on full hours, days or weeks: about six. */
export function ticksOf({ from, to }: Span): readonly { readonly at: number; readonly share: number }[] {
  const step = [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY].find((each) => (to - from) / each <= 7) ?? 90 * DAY
  const ticks: { at: number; share: number }[] = []
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push({ at, share: (at - from) / (to - from) })
  return ticks
}
