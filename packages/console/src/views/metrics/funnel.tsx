import type { ReactNode } from 'react'
import { useApi } from '../../api/queries.ts'
import { Bars } from '../../design/charts/bars.tsx'
import { Answered } from '../../design/states.tsx'
import { To } from '../../router/link.tsx'
import { numberWords } from '../../time/words.ts'
import styles from './metrics.module.css'
import { NoFigures } from './no-figures.tsx'
import type { Span } from './span.ts'

const STEPS = [
  { name: 'reconnect_notified', text: 'Told' },
  { name: 'reconnect_opened', text: 'Opened the page' },
  { name: 'reconnect_authorised', text: 'Agreed' },
  { name: 'reconnect_verified', text: 'Works again' },
] as const

/** How far owners come who are asked to reconnect. */
export function Funnel({ span }: { readonly span: Span }): ReactNode {
  const query = useApi('GET /api/v1/metrics/history', { query: { series: STEPS.map(({ name }) => name).join(','), ...span } })
  return (
    <section className={styles['plot']} aria-label="From the request to the repair">
      <Answered query={query} rows={5}>
        {({ series }) => {
          const count = (name: string): number =>
            series.filter((each) => each.name === name).reduce((sum, { points }) => sum + points.reduce((all, [, value]) => all + value, 0), 0)
          const [told, works] = [count('reconnect_notified'), count('reconnect_verified')]
          if (told + works === 0) return <NoFigures title="From the request to the repair">Nobody was asked to reconnect in this time.</NoFigures>
          return (
            <Bars
              title="From the request to the repair"
              summary={`${numberWords(told)} were told, ${numberWords(works)} connections work again.`}
              unit="Step"
              series={[{ name: 'owners', color: 'var(--chart-1)' }]}
              bars={STEPS.map(({ name, text }) => ({ key: name, text, values: [count(name)] }))}
            />
          )
        }}
      </Answered>
      <p>
        <To to="/connections" search={{ status: 'needs_reauth' }}>
          Those that wait for their owner
        </To>
      </p>
    </section>
  )
}
