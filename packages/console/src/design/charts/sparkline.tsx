import type { ReactNode } from 'react'
import styles from './chart.module.css'
import { linear } from './scale.ts'

interface SparklineProps {
  /** Oldest first; null is a gap. */
  readonly values: readonly (number | null)[]
  /** What it shows, in words: it stands beside a number that says the same. */
  readonly label: string
  readonly color?: string
  /** The value at the upper edge; the largest one without it. */
  readonly top?: number
}

const WIDTH = 100
const HEIGHT = 28

/** A small line without axes. Always beside the number that it illustrates. */
export function Sparkline({ values, label, color = 'var(--chart-1)', top }: SparklineProps): ReactNode {
  const largest = top ?? Math.max(0.0001, ...values.map((value) => value ?? 0))
  const x = linear([0, Math.max(1, values.length - 1)], [1, WIDTH - 1])
  const y = linear([0, largest], [HEIGHT - 2, 3])
  const runs = runsOf(values)
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className={styles['spark']} role="img" aria-label={label}>
      <line x1={0} x2={WIDTH} y1={HEIGHT - 2} y2={HEIGHT - 2} className={styles['grid']} vectorEffect="non-scaling-stroke" />
      {runs.map((run) => {
        const points = run.map(([at, value]) => `${x(at).toFixed(1)},${y(Math.min(value, largest)).toFixed(1)}`)
        const [first, last] = [run[0]?.[0] ?? 0, run[run.length - 1]?.[0] ?? 0]
        return (
          <g key={first}>
            <path d={`M${x(first)},${HEIGHT - 2}L${points.join('L')}L${x(last)},${HEIGHT - 2}Z`} fill={color} className={styles['area']} />
            <path d={`M${points.join('L')}${run.length === 1 ? 'h1' : ''}`} stroke={color} className={styles['line']} />
          </g>
        )
      })}
    </svg>
  )
}

/** Neighbours without a gap between them. */
function runsOf(values: readonly (number | null)[]): [at: number, value: number][][] {
  const runs: [number, number][][] = []
  let run: [number, number][] = []
  for (const [at, value] of values.entries()) {
    if (value === null) {
      if (run.length > 0) runs.push(run)
      run = []
    } else run.push([at, value])
  }
  return run.length > 0 ? [...runs, run] : runs
}
