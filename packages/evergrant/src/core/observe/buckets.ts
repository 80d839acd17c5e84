/** Upper ends of the buckets that durations and leads are counted in; beyond the last one is `over`. */
export const REFRESH_MS = [10, 25, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200] as const
/** Seconds of life that a token had left. 0: none at all. */
export const LEAD_SECONDS = [0, 60, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400] as const
/** Seconds from the end of a grant to its repair. */
export const RECONNECT_SECONDS = [60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800, 2_592_000] as const

/** The name of the bucket that a value falls into. */
export function placeIn(ends: readonly number[], value: number): string {
  const end = ends.find((candidate) => value <= candidate)
  return end === undefined ? 'over' : String(end)
}

/**
 * The value below which `share` of the counted ones lie, drawn straight within its bucket; null when nothing was counted. What is beyond the
 * last end counts as that end.
 */
export function quantile(ends: readonly number[], countOf: (bucket: string) => number, share: number): number | null {
  const counts = [...ends.map((end) => countOf(String(end))), countOf('over')]
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let left = share * total
  for (const [index, count] of counts.entries()) {
    const end = ends[index]
    if (end === undefined) break
    const start = index === 0 ? Math.min(0, end) : (ends[index - 1] ?? 0)
    if (left <= count) return count === 0 ? end : start + (left / count) * (end - start)
    left -= count
  }
  return ends.at(-1) ?? null
}
