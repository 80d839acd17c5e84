import { type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Facts, Page } from '../../design/card.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { CopyAsCurl, CopyBox, Id } from '../../design/copy.tsx'
import { CONNECTION_STATES } from '../../design/state.tsx'
import { Answered, Note } from '../../design/states.tsx'
import { type Tab, Tabs } from '../../design/tabs.tsx'
import { tell } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { usePageParams, usePageSearch } from '../../router/page-search.ts'
import { Time } from '../../time/time.tsx'
import { countWords, numberWords } from '../../time/words.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { useGo } from '../parts/go.ts'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { DeathsHeld } from './deaths-held.tsx'
import type { IntegrationDetails } from './integration.ts'
import { IntegrationEdit } from './integration-edit.tsx'
import { IntegrationState } from './integration-state.tsx'
import { ProviderFacts } from './provider-facts.tsx'
import { needsBrowser } from './provider-words.ts'
import { Push } from './push.tsx'
import { TryIt } from './try-it.tsx'

interface IntegrationSearch {
  readonly tab?: string | undefined
}

/** One integration: what it is, whether it works, its settings, and what is known of its provider. */
export function IntegrationPage(): ReactNode {
  const { id = '' } = usePageParams()
  const [{ tab = 'state' }, change] = usePageSearch<IntegrationSearch>()
  const query = useApi('GET /api/v1/integrations/{id}', { path: { id } })
  const { data } = query
  return (
    <Page
      title={data?.name ?? 'Integration'}
      heading={
        data === undefined ? (
          'Integration'
        ) : (
          <span className={parts['actions']}>
            {data.name} <IntegrationState integration={data} />
          </span>
        )
      }
      actions={<CopyAsCurl path={`/api/v1/integrations/${id}`} />}
    >
      <Answered query={query}>
        {(integration) => <Tabs label="Parts of the integration" value={tab} tabs={tabsOf(integration)} onChange={(value) => change({ tab: value })} />}
      </Answered>
    </Page>
  )
}

function tabsOf(integration: IntegrationDetails): readonly Tab[] {
  return [
    { value: 'state', text: 'State', content: () => <State integration={integration} /> },
    { value: 'settings', text: 'Settings', content: () => <IntegrationEdit key={integration.id} integration={integration} /> },
    ...(integration.push_url === null ? [] : [{ value: 'push', text: 'Pushes', content: () => <Push integration={integration} /> }]),
    { value: 'provider', text: 'About the provider', content: () => <About provider={integration.provider} /> },
    { value: 'danger', text: 'Delete', content: () => <Remove integration={integration} /> },
  ]
}

function About({ provider }: { readonly provider: string }): ReactNode {
  const query = useApi('GET /api/v1/providers/{id}', { path: { id: provider } })
  return <Answered query={query}>{(record) => <ProviderFacts provider={record} />}</Answered>
}

function State({ integration }: { readonly integration: IntegrationDetails }): ReactNode {
  const provider = useApi('GET /api/v1/providers/{id}', { path: { id: integration.provider } })
  const facets = useApi('GET /api/v1/connections/facets', { query: { integration: integration.slug } })
  const browser = provider.data === undefined || needsBrowser(provider.data.grant)
  const { blocked } = integration
  return (
    <div className={parts['stack']}>
      {blocked === null ? null : (
        <Note
          tone="bad"
          title={blocked.title}
          action={
            <To to={`/providers/${integration.id}`} search={{ tab: 'settings' }}>
              Correct the client
            </To>
          }
        >
          <p>
            {blocked.operator_text} Since <Time at={blocked.at} />. No connection is lost: all go on by themselves once new client credentials are saved.
          </p>
          {blocked.evidence.provider_text === null ? null : <p>The provider said: {blocked.evidence.provider_text}</p>}
        </Note>
      )}
      {integration.deaths_held === null ? null : <DeathsHeld integration={integration} held={integration.deaths_held} />}
      <div className={parts['two']}>
        <Card title="Connections" note={facets.data?.total === undefined ? undefined : countWords(facets.data.total, 'connection')}>
          <div className={parts['form']}>
            <Facts
              rows={(facets.data?.status ?? []).map(({ value, count }) => [
                CONNECTION_STATES[value]?.text ?? value,
                <To key={value} to="/connections" search={{ integration: integration.slug, status: value }}>
                  {numberWords(count)}
                </To>,
              ])}
            />
            {browser ? (
              <TryIt integration={integration} />
            ) : (
              <p className={parts['soft']}>Its connections are made with POST connections; the documentation of the API shows how.</p>
            )}
          </div>
        </Card>
        <Client integration={integration} browser={browser} />
      </div>
      <Weather provider={integration.provider} />
      <Quotas quotas={integration.quotas} />
    </div>
  )
}

function Client({ integration, browser }: { readonly integration: IntegrationDetails; readonly browser: boolean }): ReactNode {
  return (
    <Card title="Client">
      <div className={parts['form']}>
        {browser ? (
          <>
            <p>The provider must have exactly this redirect address:</p>
            <CopyBox text={integration.settings.redirect_uri ?? integration.callback_url} label="the redirect address" />
          </>
        ) : null}
        <Facts
          rows={[
            ['Client id', integration.client_id === '' ? null : <code key="id">{integration.client_id}</code>],
            ['Client secret', integration.has_client_secret ? 'stored, sealed' : (integration.client_secret_missing?.detail ?? null)],
            ['Scopes', integration.scopes.length === 0 ? null : integration.scopes.join(' ')],
            ['Id', <Id key="id" id={integration.id} />],
            ['Changed', <Time key="at" at={integration.updated_at} />],
          ]}
        />
      </div>
    </Card>
  )
}

function Weather({ provider }: { readonly provider: string }): ReactNode {
  const overview = useApi('GET /api/v1/console/overview')
  const weather = overview.data?.weather.find((each) => each.provider === provider)
  if (weather?.breaker !== 'open') return null
  return (
    <Note tone="warn" title={`${weather.name} is given a rest`}>
      <p>
        Its token endpoint failed too often. The rest began <Time at={weather.open_since} none="just now" />; one careful request decides when it goes on, and
        tokens that still hold are served meanwhile.
      </p>
    </Note>
  )
}

function Quotas({ quotas }: { readonly quotas: IntegrationDetails['quotas'] }): ReactNode {
  if (quotas.length === 0) return null
  return (
    <Card title="Quotas of its API" note="As its answers told." flush>
      <Rows
        label="Quotas"
        items={quotas}
        keyOf={({ name, connection }) => `${name} ${connection}`}
        columns={[
          { name: 'Quota', cell: ({ name }) => name },
          { name: 'Whose', cell: ({ connection }) => (connection === null ? 'everybody' : <To to={`/connections/${connection}`}>{connection}</To>) },
          { name: 'Left', number: true, cell: ({ remaining, limit }) => `${numberWords(remaining)}${limit === null ? '' : ` of ${numberWords(limit)}`}` },
          { name: 'Full again', cell: ({ resets_at: at }) => <Time at={at} /> },
        ]}
      />
    </Card>
  )
}

function Remove({ integration }: { readonly integration: IntegrationDetails }): ReactNode {
  const [asking, setAsking] = useState(false)
  const go = useGo()
  const remove = useDeed('DELETE /api/v1/integrations/{id}', {
    refreshes: ['GET /api/v1/integrations', 'GET /api/v1/console/overview'],
    onDone: () => {
      tell(`${integration.name} was deleted.`)
      go('/providers')
    },
  })
  return (
    <Card title="Delete this integration">
      <div className={parts['form']}>
        <p>Possible once none of its connections is connected any more. Its events stay.</p>
        <DeedProblem error={remove.error} />
        <div>
          <Button look="danger" onClick={() => setAsking(true)}>
            Delete {integration.name}
          </Button>
        </div>
      </div>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={`Delete ${integration.name}?`}
        action="Delete the integration"
        danger
        typed={integration.slug}
        busy={remove.isPending}
        onConfirm={() => {
          setAsking(false)
          remove.mutate({ path: { id: integration.id } })
        }}
      >
        <p>Its client id, secret and settings are gone for good.</p>
      </Confirm>
    </Card>
  )
}
