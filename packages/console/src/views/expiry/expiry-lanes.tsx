import { type PointerEvent, type ReactNode, useRef, useState } from 'react'
import { Chart } from '../../design/charts/chart.tsx'
import { useWidth } from '../../design/charts/use-width.ts'
import { usePreferences } from '../../preferences/preferences.ts'
import { absoluteWords, countWords, numberWords } from '../../time/words.ts'
import styles from './expiry.module.css'
import { type Bar, brushed, type Lane, type Span, ticksOf } from './expiry-plan.ts'

interface ExpiryLanesProps {
  readonly lanes: readonly Lane[]
  readonly span: Span
  readonly summary: string
  readonly onBrush: (span: Span) => void
  readonly onPick: (lane: string, kind: 'human' | 'automatic') => void
}

const WIDTH = 1_000
const LANE = 44
const TALL = 36
/** Room for the words of a tick. */
const TICK = 84

/** A lane for each provider. Dragging over it zooms; every number leads to its list. */
export function ExpiryLanes({ lanes, span, summary, onBrush, onPick }: ExpiryLanesProps): ReactNode {
  const { zone } = usePreferences()
  const rows = lanes.flatMap((lane) => lane.bars.map(({ bucket }) => [lane.name, absoluteWords(bucket.from, zone, false), bucket.human, bucket.automatic]))
  return (
    <div className={styles['lanes']}>
      <Chart
        title="Ends by provider"
        summary={summary}
        table={{ columns: ['Provider', 'From', 'Need a person', 'Renewed by themselves'], rows }}
        legend={[
          { text: 'Needs a person', color: 'var(--chart-4)' },
          { text: 'Renewed by itself', color: 'var(--chart-1)' },
        ]}
      >
        <Brush span={span} onBrush={onBrush}>
          {lanes.map((lane) => (
            <OneLane key={lane.name} lane={lane} onPick={onPick} />
          ))}
        </Brush>
        <Axis span={span} />
      </Chart>
    </div>
  )
}

/** What is dragged over with a pointer. Buttons do the same for everybody else. */
function Brush({ span, onBrush, children }: { readonly span: Span; readonly onBrush: (span: Span) => void; readonly children: ReactNode }): ReactNode {
  const area = useRef<HTMLDivElement>(null)
  const [drag, setDrag] = useState<{ readonly first: number; readonly last: number } | null>(null)
  const share = (event: PointerEvent): number => {
    const plot = area.current?.querySelector('svg')?.getBoundingClientRect()
    return plot === undefined || plot.width === 0 ? 0 : (event.clientX - plot.left) / plot.width
  }
  const end = (): void => {
    const next = drag === null ? null : brushed(span, drag.first, drag.last)
    setDrag(null)
    if (next !== null) onBrush(next)
  }
  return (
    <div
      ref={area}
      className={styles['brush']}
      onPointerDown={(event) => {
        if (event.button === 0 && event.pointerType === 'mouse' && event.target instanceof SVGElement) setDrag({ first: share(event), last: share(event) })
      }}
      onPointerMove={(event) => {
        if (drag !== null) setDrag({ ...drag, last: share(event) })
      }}
      onPointerUp={end}
      onPointerLeave={() => setDrag(null)}
    >
      {children}
      <div className={styles['chosen']} aria-hidden>
        {drag === null ? null : (
          <svg viewBox="0 0 100 1" preserveAspectRatio="none" role="presentation">
            <title>What is chosen</title>
            <rect x={Math.min(drag.first, drag.last) * 100} width={Math.abs(drag.last - drag.first) * 100} y={0} height={1} />
          </svg>
        )}
      </div>
    </div>
  )
}

function OneLane({ lane, onPick }: { readonly lane: Lane; readonly onPick: ExpiryLanesProps['onPick'] }): ReactNode {
  return (
    <div className={styles['lane']}>
      <div className={styles['name']}>
        <p>{lane.name}</p>
        <p className={styles['counts']}>
          {lane.human === 0 ? null : (
            <button type="button" className={styles['human']} onClick={() => onPick(lane.name, 'human')}>
              {countWords(lane.human, 'needs', 'need')} a person
            </button>
          )}
          {lane.automatic === 0 ? null : (
            <button type="button" className={styles['automatic']} onClick={() => onPick(lane.name, 'automatic')}>
              {numberWords(lane.automatic)} by themselves
            </button>
          )}
        </p>
      </div>
      <svg
        viewBox={`0 0 ${WIDTH} ${LANE}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${lane.name}: ${lane.human} need a person, ${lane.automatic} are renewed by themselves`}
      >
        <rect x={0} y={0} width={WIDTH} height={LANE} className={styles['paper']} />
        <line x1={0} x2={WIDTH} y1={LANE - 1} y2={LANE - 1} className={styles['ground']} />
        {lane.bars.map((bar) => (
          <LaneBar key={bar.bucket.from} bar={bar} />
        ))}
      </svg>
    </div>
  )
}

function LaneBar({ bar }: { readonly bar: Bar }): ReactNode {
  const { zone } = usePreferences()
  const { bucket } = bar
  const width = Math.max(2, bar.width * WIDTH - 2)
  const [human, automatic] = [bar.human * TALL, bar.automatic * TALL]
  const shrink = Math.min(1, TALL / Math.max(1, human + automatic))
  return (
    <g>
      <title>{`${absoluteWords(bucket.from, zone, false)} to ${absoluteWords(bucket.to, zone, false)}: ${bucket.human} need a person, ${bucket.automatic} are renewed by themselves`}</title>
      <rect x={bar.x * WIDTH} width={width} y={LANE - 1 - automatic * shrink} height={automatic * shrink} fill="var(--chart-1)" />
      <rect x={bar.x * WIDTH} width={width} y={LANE - 1 - (automatic + human) * shrink} height={human * shrink} fill="var(--chart-4)" />
    </g>
  )
}

/** Those that have room for their words, none of them beyond an end of the axis. */
function placedTicks(span: Span, width: number): readonly { readonly at: number; readonly x: number }[] {
  const all = ticksOf(span)
  const every = Math.max(1, Math.ceil((all.length * TICK) / width))
  const placed: { at: number; x: number }[] = []
  for (const { at, share } of all.filter((_, index) => index % every === 0)) {
    const x = Math.min(width - TICK / 2, Math.max(TICK / 2, share * width))
    if (x - (placed.at(-1)?.x ?? -TICK) >= TICK) placed.push({ at, x })
  }
  return placed
}

function Axis({ span }: { readonly span: Span }): ReactNode {
  const { zone } = usePreferences()
  const [place, width] = useWidth(WIDTH)
  const ticks = placedTicks(span, width)
  const short = span.to - span.from <= 3 * 86_400_000
  return (
    <div className={styles['axis']} aria-hidden>
      <svg ref={place} viewBox={`0 0 ${width} 18`} height={18} role="presentation">
        {ticks.map(({ at, x }) => {
          const words = absoluteWords(at, zone, false)
          return (
            <text key={at} x={x} y={13} textAnchor="middle">
              {short ? words.slice(5) : words.slice(0, 10)}
            </text>
          )
        })}
      </svg>
    </div>
  )
}
