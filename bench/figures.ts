/** One measured figure beside its floor. Rates are per second. */
export interface Ratio {
  readonly name: string
  readonly floor: number
  readonly measured: number
  readonly ratio: number
  /** From DESIGN's table; a missed target is reported, not hidden. */
  readonly target: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
