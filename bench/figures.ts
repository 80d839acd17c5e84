/** One measured figure beside its floor. Rates are per second. */
export interface Ratio {
  readonly name: string
  readonly floor: number
  readonly measured: number
  readonly ratio: number
  /** Processor time of the measuring process per unit of work, in microseconds: steadier than rates on a shared machine. */
  readonly cpu: { readonly floor: number; readonly measured: number; readonly measuredLoop: number } | null
  /** How late the event loop came to its turns, in milliseconds, 99th percentile. */
  readonly loopDelayP99?: number
  /** A missed target is reported, not hidden. */
  readonly target: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** A rate and what it cost. */
export interface Rate {
  readonly perSecond: number
  readonly cpuMicros: number
  /** Of it, what the thread of the event loop used: it can give at most a second each second. */
  readonly loopMicros: number
}

/** Times `count` units of work done by `work`. */
export async function rateOf(count: number, work: () => Promise<void>): Promise<Rate> {
  const cpu = process.cpuUsage()
  const loop = process.threadCpuUsage()
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1_000
  const used = process.cpuUsage(cpu)
  const ofLoop = process.threadCpuUsage(loop)
  return { perSecond: count / seconds, cpuMicros: (used.user + used.system) / count, loopMicros: (ofLoop.user + ofLoop.system) / count }
}
