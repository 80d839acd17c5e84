import { Plus, X } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/operations.ts'
import { useApi, useList } from '../../api/queries.ts'
import { Button, buttonClass } from '../../design/button.tsx'
import { Card, Page } from '../../design/card.tsx'
import { Sparkline } from '../../design/charts/sparkline.tsx'
import { CopyAsCurl } from '../../design/copy.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge } from '../../design/state.tsx'
import { Empty, Loading, NoResults, ProblemNote } from '../../design/states.tsx'
import { To } from '../../router/link.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { type Column, DataTable } from '../../table/data-table.tsx'
import { countWords } from '../../time/words.ts'
import parts from '../parts/parts.module.css'
import { IntegrationState } from './integration-state.tsx'
import styles from './providers.module.css'

type Integration = Answer<'GET /api/v1/integrations'>['items'][number]

/** The providers that this organization is set up at. */
export function ProvidersPage(): ReactNode {
  const [{ provider }, change] = usePageSearch<{ readonly provider?: string | undefined }>()
  const list = useList('GET /api/v1/integrations', { query: { limit: 100 } })
  const shown = (list.items ?? []).filter((each) => provider === undefined || each.provider === provider)
  const overview = useApi('GET /api/v1/console/overview')
  const facets = useApi('GET /api/v1/connections/facets')
  const add = (
    <To to="/providers/new" className={buttonClass({ look: 'primary' })}>
      <Plus size={15} aria-hidden /> Add a provider
    </To>
  )
  return (
    <Page
      title="Providers"
      lead="Each integration is a provider and your client at it: addresses, scopes, secret and how it is renewed."
      actions={
        <>
          <CopyAsCurl path="/api/v1/integrations" />
          {add}
        </>
      }
    >
      <Card title="Integrations" flush>
        {provider === undefined ? null : (
          <div className={parts['bar']}>
            <Button small icon={<X size={13} aria-hidden />} onClick={() => change({ provider: undefined })}>
              provider: {provider}
            </Button>
          </div>
        )}
        {list.items === undefined ? (
          list.error ? (
            <ProblemNote error={list.error} onRetry={() => void list.refetch()} />
          ) : (
            <Loading />
          )
        ) : list.items.length === 0 ? (
          <Empty title="No provider yet" action={add}>
            <p>Choose one of the catalogue, copy the redirect address to it, paste your client id and secret: two minutes.</p>
          </Empty>
        ) : shown.length === 0 && !list.hasNextPage ? (
          <NoResults onClear={() => change({ provider: undefined })} />
        ) : (
          <>
            <DataTable
              label="Integrations"
              columns={columnsFor(overview.data?.weather ?? [], facets.data?.integration ?? [])}
              rows={shown}
              rowId={({ id }) => id}
              rowName={({ name }) => name}
            />
            <Pager shown={shown.length} what="integration" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
          </>
        )}
      </Card>
    </Page>
  )
}

type Weather = Answer<'GET /api/v1/console/overview'>['weather'][number]
type Facet = Answer<'GET /api/v1/connections/facets'>['integration'][number]

function columnsFor(weather: readonly Weather[], facets: readonly Facet[]): readonly Column<Integration>[] {
  const count = ({ id, slug }: Integration): number => facets.find(({ value }) => value === slug || value === id)?.count ?? 0
  return [
    { id: 'name', header: 'Integration', main: true, cell: (row) => <To to={`/providers/${row.id}`}>{row.name}</To> },
    { id: 'provider', header: 'Provider', width: '16%', cell: ({ provider }) => provider },
    { id: 'state', header: 'State', width: '12rem', cell: (row) => <IntegrationState integration={row} /> },
    {
      id: 'connections',
      header: 'Connections',
      width: '8rem',
      align: 'end',
      cell: (row) => (
        <To to="/connections" search={{ integration: row.slug }}>
          {countWords(count(row), '', '').trim()}
        </To>
      ),
    },
    { id: 'weather', header: 'Last 24 hours', width: '16rem', cell: ({ provider }) => <Day weather={weather.find((each) => each.provider === provider)} /> },
  ]
}

function Day({ weather }: { readonly weather: Weather | undefined }): ReactNode {
  if (weather === undefined || weather.requests === 0) return <span className={styles['soft']}>no requests</span>
  const failed = `${countWords(weather.requests, 'request')}, ${weather.failures} failed`
  return (
    <div className={styles['day']}>
      <div className={styles['line']}>
        <Sparkline values={weather.spark} label={`Share of requests that went well, by the hour: ${failed}`} top={1} />
      </div>
      {weather.breaker === 'open' ? (
        <Badge tone="warn">Resting</Badge>
      ) : (
        <To to="/events" search={{ q: `type:connection.refresh_failed provider:${weather.provider}` }}>
          {failed}
        </To>
      )}
    </div>
  )
}
