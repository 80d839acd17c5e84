import type { KeyboardEvent, ReactNode } from 'react'
import { numberWords } from '../../time/words.ts'
import styles from './chart.module.css'
import { Chart } from './chart.tsx'
import { linear, roundTop } from './scale.ts'
import { useWidth } from './use-width.ts'

interface BarSeries {
  readonly name: string
  /** A token: `var(--chart-1)`. */
  readonly color: string
}

interface Bar {
  readonly key: string
  /** Below the bar, and in the table. */
  readonly text: string
  /** A value for each series, stacked in that order. */
  readonly values: readonly number[]
}

interface BarsProps {
  readonly title: string
  readonly summary: string
  readonly series: readonly BarSeries[]
  readonly bars: readonly Bar[]
  /** What the first column of the table is: `Day`. */
  readonly unit: string
  readonly height?: number
  /** Every number leads to its list. */
  readonly onPick?: (bar: Bar) => void
}

const USUAL_WIDTH = 800
/** A label needs so much room. */
const LABEL = 62
const FOOT = 20
const LEFT = 44

/** Stacked bars. Each is a button when `onPick` is given. */
export function Bars({ title, summary, series, bars, unit, height = 160, onPick }: BarsProps): ReactNode {
  const top = roundTop(Math.max(0, ...bars.map((bar) => sum(bar.values))))
  const y = linear([0, top], [height - FOOT, 6])
  const [place, width] = useWidth(USUAL_WIDTH)
  const step = (width - LEFT) / Math.max(1, bars.length)
  const every = Math.max(1, Math.ceil((bars.length * LABEL) / Math.max(LABEL, width - LEFT)))
  return (
    <Chart
      title={title}
      summary={summary}
      legend={series.length > 1 ? series.map(({ name, color }) => ({ text: name, color })) : []}
      table={{ columns: [unit, ...series.map(({ name }) => name)], rows: bars.map((bar) => [bar.text, ...bar.values]) }}
    >
      <svg
        ref={place}
        viewBox={`0 0 ${width} ${height}`}
        height={height}
        className={styles['bars']}
        role={onPick === undefined ? 'img' : 'group'}
        aria-label={`${title}. ${summary}`}
      >
        {[0, top / 2, top].map((tick) => (
          <g key={tick} aria-hidden>
            <line x1={LEFT} x2={width} y1={y(tick)} y2={y(tick)} className={styles['grid']} />
            <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end" className={styles['axis']}>
              {numberWords(tick)}
            </text>
          </g>
        ))}
        {bars.map((bar, at) => (
          <OneBar key={bar.key} bar={bar} series={series} x={LEFT + at * step} width={step} y={y} onPick={onPick} />
        ))}
        {bars.map((bar, at) =>
          at % every === 0 ? (
            <text key={bar.key} x={LEFT + (at + 0.5) * step} y={height - 4} textAnchor="middle" className={styles['axis']} aria-hidden>
              {bar.text}
            </text>
          ) : null,
        )}
      </svg>
    </Chart>
  )
}

interface OneBarProps {
  readonly bar: Bar
  readonly series: readonly BarSeries[]
  readonly x: number
  readonly width: number
  readonly y: (value: number) => number
  readonly onPick: ((bar: Bar) => void) | undefined
}

function OneBar({ bar, series, x, width, y, onPick }: OneBarProps): ReactNode {
  const said = `${bar.text}: ${series.map(({ name }, at) => `${numberWords(bar.values[at] ?? 0)} ${name}`).join(', ')}`
  const gap = Math.min(4, width * 0.2)
  const parts = series.map(({ name, color }, at) => {
    const below = sum(bar.values.slice(0, at))
    const value = bar.values[at] ?? 0
    const height = Math.max(value > 0 ? 1.5 : 0, y(below) - y(below + value))
    return <rect key={name} x={x + gap / 2} width={Math.max(1, width - gap)} y={y(below) - height} height={height} rx={1.5} fill={color} />
  })
  if (onPick === undefined || sum(bar.values) === 0)
    return (
      <g>
        <title>{said}</title>
        {parts}
      </g>
    )
  const press = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    onPick(bar)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button cannot stand inside an SVG
    <g role="button" tabIndex={0} aria-label={said} className={styles['bar']} onClick={() => onPick(bar)} onKeyDown={press}>
      <title>{said}</title>
      <rect x={x} width={width} y={0} height={y(0)} fill="transparent" />
      {parts}
    </g>
  )
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
