import { lazy, type ReactNode, Suspense } from 'react'
import { Chart } from '../../design/charts/chart.tsx'
import { Empty } from '../../design/states.tsx'
import { usePreferences } from '../../preferences/preferences.ts'
import { absoluteWords } from '../../time/words.ts'
import type { History } from '../program-operations.ts'
import styles from './metrics.module.css'
import { type PlotKind, plotData, summaryOf, valueWords } from './plots.ts'
import type { Span } from './span.ts'

/** The library that draws is loaded with the first plot. */
const Canvas = lazy(() => import('./canvas.tsx').then((module) => ({ default: module.Canvas })))

/** A plot: title, sentence, picture or table. */
export function Plot({
  kind,
  history,
  provider,
  span,
}: {
  readonly kind: PlotKind
  readonly history: History
  readonly provider: string | undefined
  readonly span: Span
}): ReactNode {
  const { zone } = usePreferences()
  const data = plotData(kind, history, provider)
  const rows = data.times.map((time, at) => [absoluteWords(time * 1_000, zone, false), ...data.lines.map(({ values }) => shown(values[at] ?? null, kind))])
  return (
    <Chart
      title={kind.title}
      summary={data.times.length === 0 ? kind.explained : summaryOf(kind, data)}
      table={{ columns: ['Time', ...data.lines.map(({ name }) => name)], rows }}
      legend={data.times.length === 0 ? [] : data.lines.map(({ name, color }) => ({ text: name, color: `var(${color})` }))}
    >
      {data.times.length === 0 ? (
        <Empty title="Nothing was counted in this time" />
      ) : (
        <Suspense fallback={<div className={styles['canvas']} />}>
          <Canvas
            data={data}
            look={kind.look}
            unit={kind.unit}
            from={Date.parse(span.from) / 1_000}
            to={Date.parse(span.to) / 1_000}
            label={`${kind.title}. ${summaryOf(kind, data)}`}
          />
        </Suspense>
      )}
    </Chart>
  )
}

const shown = (value: number | null, { unit }: PlotKind): string => (value === null ? '' : valueWords(value, unit))
