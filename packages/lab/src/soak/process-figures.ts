import { readdirSync, readFileSync } from 'node:fs'

const MIB = 1024 * 1024

/** What the kernel says of one process at one moment. */
export interface ProcessFigures {
  readonly atMs: number
  readonly rssMib: number
  readonly files: number
}

export function processFigures(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
  return { atMs: performance.now(), rssMib: (kib * 1024) / MIB, files: readdirSync(`/proc/${pid}/fd`).length }
}

/** Least squares: how many megabytes the resident memory grows by in a minute. */
export function growthPerMinute(samples: readonly ProcessFigures[]): number {
  const meanX = mean(samples.map(({ atMs }) => atMs))
  const meanY = mean(samples.map((sample) => sample.rssMib))
  let over = 0
  let under = 0
  for (const sample of samples) {
    over += (sample.atMs - meanX) * (sample.rssMib - meanY)
    under += (sample.atMs - meanX) ** 2
  }
  return under === 0 ? 0 : (over / under) * 60_000
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

/** One figure of a Prometheus page. */
export function metric(page: string, name: string): number {
  const line = page.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  if (line === undefined) throw new Error(`the metrics have no ${name}`)
  return Number(line.slice(name.length + 1))
}
