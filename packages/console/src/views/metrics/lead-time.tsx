import type { ReactNode } from 'react'
import { useApi } from '../../api/queries.ts'
import { Bars } from '../../design/charts/bars.tsx'
import { Answered } from '../../design/states.tsx'
import { durationWords, numberWords } from '../../time/words.ts'
import type { History } from '../program-operations.ts'
import styles from './metrics.module.css'
import { NoFigures } from './no-figures.tsx'
import type { Span } from './span.ts'

/** How long a token still had when its successor was there: how near the edge one runs. */
export function LeadTime({ span, provider }: { readonly span: Span; readonly provider: string | undefined }): ReactNode {
  const query = useApi('GET /api/v1/metrics/history', { query: { series: 'lead_seconds', ...span, ...(provider === undefined ? {} : { by: 'provider' }) } })
  return (
    <section className={styles['plot']} aria-label="Time left at a renewal">
      <Answered query={query} rows={5}>
        {(history) => {
          const bars = leadBars(history, provider)
          const total = bars.reduce((sum, { values }) => sum + (values[0] ?? 0), 0)
          const late = bars.find(({ key }) => key === '0')?.values[0] ?? 0
          if (total === 0) return <NoFigures title="Time left at a renewal">Nothing was renewed in this time.</NoFigures>
          return (
            <Bars
              title="Time left at a renewal"
              summary={`${numberWords(total)} renewals; ${late === 0 ? 'none' : numberWords(late)} came after the token had ended.`}
              unit="Left"
              series={[{ name: 'renewals', color: 'var(--chart-1)' }]}
              bars={bars}
            />
          )
        }}
      </Answered>
    </section>
  )
}

/** Sums over the time, by how much was left. `0` is what came too late. */
export function leadBars({ series }: History, provider?: string) {
  const sums = new Map<string, number>()
  for (const { labels, points } of series) {
    if (provider !== undefined && labels['provider'] !== provider) continue
    const end = labels['le'] ?? '+Inf'
    sums.set(end, (sums.get(end) ?? 0) + points.reduce((sum, [, value]) => sum + value, 0))
  }
  const order = (end: string): number => (end === '+Inf' ? Number.POSITIVE_INFINITY : Number(end))
  return [...sums]
    .sort(([left], [right]) => order(left) - order(right))
    .map(([end, count]) => ({
      key: end,
      text: end === '+Inf' ? 'more' : Number(end) <= 0 ? 'too late' : `≤ ${durationWords(Number(end) * 1_000)}`,
      values: [count],
    }))
}
