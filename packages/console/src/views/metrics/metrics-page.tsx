import type { ReactNode } from 'react'
import type { Answer } from '../../api/operations.ts'
import { useApi } from '../../api/queries.ts'
import { Card, Page } from '../../design/card.tsx'
import { CopyAsCurl, CopyBox } from '../../design/copy.tsx'
import { Segments, SelectField } from '../../design/field.tsx'
import { Answered } from '../../design/states.tsx'
import { To } from '../../router/link.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { useNow } from '../../time/use-now.ts'
import parts from '../parts/parts.module.css'
import type { History } from '../program-operations.ts'
import { Funnel } from './funnel.tsx'
import { LeadTime } from './lead-time.tsx'
import styles from './metrics.module.css'
import { Plot } from './plot.tsx'
import { askedOf, leadsTo, PLOTS, type PlotKind, successShare } from './plots.ts'
import type { Span } from './span.ts'

interface MetricsSearch {
  readonly range?: string | undefined
  readonly provider?: string | undefined
}

const HOUR_MS = 3_600_000
const RANGES = [
  { value: 'day', text: '24 hours', ms: 24 * HOUR_MS },
  { value: 'week', text: '7 days', ms: 168 * HOUR_MS },
  { value: 'month', text: '30 days', ms: 720 * HOUR_MS },
] as const
const EVERY_MS = 60_000
const TARGET = 0.99
const FAILED = { path: '/events', search: { q: 'type:connection.refresh_failed' } }

/** The figures behind the promises, each with its sentence and its table. */
export function MetricsPage(): ReactNode {
  const [{ range = 'day', provider }, change] = usePageSearch<MetricsSearch>()
  const now = useNow(HOUR_MS)
  const span = spanOf(range, now)
  const integrations = useApi('GET /api/v1/integrations', { query: { limit: 200 } })
  const providers = [...new Set((integrations.data?.items ?? []).map((each) => each.provider))].sort()
  return (
    <Page
      title="Metrics"
      lead="Counted by the hour."
      actions={
        <>
          <SelectField
            label="Provider"
            quiet
            value={provider ?? ''}
            choices={[{ value: '', text: 'Every provider' }, ...providers.map((name) => ({ value: name, text: name }))]}
            onChange={(value) => change({ provider: value === '' ? undefined : value })}
          />
          <Segments label="Time" value={range} choices={RANGES.map(({ value, text }) => ({ value, text }))} onChange={(value) => change({ range: value })} />
        </>
      }
    >
      <Target span={span} provider={provider} />
      <h2 className="unseen">Plots</h2>
      <div className={styles['grid']}>
        {PLOTS.map((kind) => (
          <OnePlot key={kind.id} kind={kind} span={span} provider={provider} />
        ))}
        <LeadTime span={span} provider={provider} />
        <Funnel span={span} />
      </div>
      <Card title="Prometheus and OpenTelemetry">
        <div className={parts['form']}>
          <p>
            Scrape each node itself, inside your network; through a proxy nobody sees its metrics. A dashboard for Grafana and alert rules for Prometheus are in
            the folder <code>deploy</code> of the sources.
          </p>
          <CopyBox text="http://<node>:4400/metrics" label="the address" />
        </div>
      </Card>
    </Page>
  )
}

/** On full hours, so that the same question is asked for an hour. */
function spanOf(range: string, now: number): Span {
  const to = Math.ceil((now + 1) / HOUR_MS) * HOUR_MS
  return { from: new Date(to - (RANGES.find(({ value }) => value === range)?.ms ?? 24 * HOUR_MS)).toISOString(), to: new Date(to).toISOString() }
}

const ofProvider = (series: string, span: Span, provider: string | undefined) => ({ series, ...span, ...(provider === undefined ? {} : { by: 'provider' }) })

/** One number first: does it do what it promises? */
function Target({ span, provider }: { readonly span: Span; readonly provider: string | undefined }): ReactNode {
  const query = useApi(
    'GET /api/v1/metrics/history',
    { query: ofProvider('refreshes_ok,refreshes_transient,refreshes_unknown', span, provider) },
    { every: EVERY_MS },
  )
  return (
    <Answered query={query} rows={1}>
      {(history) => {
        const share = successShare(provider === undefined ? history : only(history, provider))
        return (
          <p className={styles['promise']}>
            {share === null ? (
              'No refresh was due in this time.'
            ) : (
              <>
                <strong>{(share * 100).toFixed(share === 1 ? 0 : 2)} %</strong> of refreshes went well; the target is {TARGET * 100} %.{' '}
                {share >= TARGET ? (
                  'It is met.'
                ) : (
                  <To to="/events" search={leadsTo(FAILED, provider)}>
                    See those that failed.
                  </To>
                )}
              </>
            )}
          </p>
        )
      }}
    </Answered>
  )
}

const only = (history: History, provider: string): History => ({ ...history, series: history.series.filter(({ labels }) => labels['provider'] === provider) })

function OnePlot({ kind, span, provider }: { readonly kind: PlotKind; readonly span: Span; readonly provider: string | undefined }): ReactNode {
  const asked = ofProvider(askedOf(kind), span, provider)
  const query = useApi('GET /api/v1/metrics/history', { query: asked }, { every: EVERY_MS })
  return (
    <section className={styles['plot']} aria-label={kind.title}>
      <Answered query={query} rows={5}>
        {(history: Answer<'GET /api/v1/metrics/history'>) => <Plot kind={kind} history={history} provider={provider} span={span} />}
      </Answered>
      <div className={parts['actions']}>
        {kind.to === undefined ? null : (
          <To to={kind.to.path} search={leadsTo(kind.to, provider)}>
            {kind.to.text}
          </To>
        )}
        <CopyAsCurl path={`/api/v1/metrics/history?${new URLSearchParams(asked as Record<string, string>)}`} />
      </div>
    </section>
  )
}
