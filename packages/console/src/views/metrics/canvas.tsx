import { type ReactNode, useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { usePreferences } from '../../preferences/preferences.ts'
import styles from './metrics.module.css'
import { type PlotData, type PlotKind, stacked, valueWords } from './plots.ts'

interface CanvasProps {
  readonly data: PlotData
  readonly look: PlotKind['look']
  readonly unit: PlotKind['unit']
  /** Both ends of the time, in seconds: what was counted in one hour of it stands where that hour is. */
  readonly from: number
  readonly to: number
  readonly label: string
}

const HEIGHT = 180
const FAINT = 0.75
/** Under the picture: one line of times. */
const X_AXIS = 30

/** The picture of a plot. It reads the same colours as everything else, and draws anew when the theme or the width changes. */
export function Canvas({ data, look, unit, from, to, label }: CanvasProps): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const { theme, zone } = usePreferences()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme has new colours, which the stylesheet says
  useEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const plot = draw(element, { data, look, unit, from, to }, zone)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    const again = (): void => plot.redraw()
    watch.observe(element)
    dark.addEventListener('change', again)
    return () => {
      watch.disconnect()
      dark.removeEventListener('change', again)
      plot.destroy()
    }
  }, [data, look, unit, from, to, zone, theme])
  return <div ref={place} role="img" aria-label={label} className={styles['canvas']} />
}

function draw(element: HTMLElement, { data, look, unit, from, to }: Omit<CanvasProps, 'label'>, zone: 'local' | 'utc'): UPlot {
  // The canvas takes no variables: a hidden element says what colour one is now.
  const probe = document.createElement('span')
  element.append(probe)
  const color = (token: string): string => {
    probe.style.color = `var(${token})`
    return getComputedStyle(probe).color
  }
  const shown = look === 'stack' ? stacked(data) : data
  const lines = look === 'stack' ? [...shown.lines].reverse() : shown.lines
  const axis = {
    stroke: () => color('--soft'),
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { stroke: () => color('--line'), width: 1 },
    font: '11px system-ui',
  }
  const xAxis = { ...axis, size: X_AXIS, values: (_plot: UPlot, ticks: number[]) => ticks.map((tick) => tickWords(tick, to - from, zone)) }
  const fill = look === 'stack' ? FAINT : 0
  return new UPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, sync: { key: 'metrics' }, points: { show: false } },
      ...(zone === 'utc' ? { tzDate: (seconds: number) => UPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC') } : {}),
      scales: { x: { time: true, range: [from, to] }, y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [xAxis, { ...axis, size: 56, values: (_plot, ticks) => ticks.map((tick) => valueWords(tick, unit)) }],
      series: [
        {},
        ...lines.map((line) => ({
          label: line.name,
          stroke: () => color(line.color),
          width: 1.5,
          points: { show: data.times.length < 3 },
          ...(fill === 0 ? {} : { fill: () => color(line.color) }),
        })),
      ],
    },
    [[...shown.times], ...lines.map(({ values }) => [...values])],
    element,
  )
}

const DAY_SECONDS = 86_400

/** `18:00` within a day or two, `21 Nov` beyond. */
function tickWords(seconds: number, span: number, zone: 'local' | 'utc'): string {
  const of = zone === 'utc' ? { timeZone: 'UTC' } : {}
  const options: Intl.DateTimeFormatOptions =
    span <= 2 * DAY_SECONDS ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...of } : { day: 'numeric', month: 'short', ...of }
  return new Intl.DateTimeFormat('en-GB', options).format(new Date(seconds * 1_000))
}
