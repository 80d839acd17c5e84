import type { Connection } from '@evergrant/sdk/wire'
import type { ReactNode } from 'react'
import { useApi, useList } from '../api/queries.ts'
import { Card, Page } from '../design/card.tsx'
import { CopyAsCurl, CopyButton, Id } from '../design/copy.tsx'
import { Pager } from '../design/pager.tsx'
import { ConnectionState } from '../design/state.tsx'
import { Answered, Empty, Loading, ProblemNote } from '../design/states.tsx'
import { Tabs } from '../design/tabs.tsx'
import { Timeline } from '../design/timeline.tsx'
import { To } from '../router/link.tsx'
import { usePageParams, usePageSearch } from '../router/page-search.ts'
import { Actions } from './actions.tsx'
import { nameOf } from './connection-words.ts'
import styles from './connections.module.css'
import { CredentialFacts } from './credential-facts.tsx'
import { DangerZone } from './danger-zone.tsx'
import { lifeWords } from './life-words.ts'
import { ReconnectNote } from './reconnect-note.tsx'
import { Uses } from './uses.tsx'
import { WhyCard } from './why-card.tsx'

/** One connection: what became of it, why it is as it is, and what can be done. */
export function ConnectionPage(): ReactNode {
  const { id = '' } = usePageParams()
  const query = useApi('GET /api/v1/connections/{id}', { path: { id } })
  if (query.data === undefined)
    return (
      <Page title="Connection">
        <Answered query={query} rows={10}>
          {() => null}
        </Answered>
      </Page>
    )
  return (
    <Answered query={query}>
      {(connection) => (
        <Page title="Connection" tabTitle={nameOf(connection)} heading={<Heading connection={connection} />} actions={<Actions connection={connection} />}>
          <ReconnectNote connection={connection} />
          <div className={styles['columns']}>
            <Details connection={connection} />
            <div className={styles['side']}>
              <WhyCard id={connection.id} />
              <CredentialFacts connection={connection} />
            </div>
          </div>
        </Page>
      )}
    </Answered>
  )
}

function Heading({ connection }: { readonly connection: Connection }): ReactNode {
  const { id, status, owner, integration } = connection
  return (
    <>
      <span className={styles['head']}>
        <span>{nameOf(connection)}</span>
        <ConnectionState status={status} />
      </span>
      <span className={styles['sub']}>
        <Id id={id} />
        <To to="/connections" search={{ integration }}>
          {integration}
        </To>
        <span>
          owner{' '}
          <To to="/connections" search={{ owner }}>
            {owner}
          </To>
        </span>
      </span>
    </>
  )
}

function Details({ connection }: { readonly connection: Connection }): ReactNode {
  const [{ tab = 'timeline' }, change] = usePageSearch<{ tab?: string }>()
  const { id } = connection
  return (
    <section>
      <Tabs
        label="About this connection"
        value={tab}
        onChange={(next) => change({ tab: next })}
        tabs={[
          { value: 'timeline', text: 'Timeline', content: () => <Life id={id} /> },
          { value: 'uses', text: 'Uses', content: () => <Uses id={id} /> },
          { value: 'raw', text: 'Raw state', content: () => <Raw connection={connection} /> },
          { value: 'danger', text: 'Danger', content: () => <DangerZone connection={connection} /> },
        ]}
      />
    </section>
  )
}

function Life({ id }: { readonly id: string }): ReactNode {
  const list = useList('GET /api/v1/connections/{id}/timeline', { path: { id }, query: { limit: 40 } })
  const { items, error } = list
  if (items === undefined) return error === null ? <Loading /> : <ProblemNote error={error} onRetry={() => void list.refetch()} />
  return (
    <Card title="What happened" note="newest first" flush>
      {items.length === 0 ? (
        <Empty title="Nothing happened yet" />
      ) : (
        <div className={styles['padded']}>
          <Timeline label="Timeline" items={items.map((entry, at) => ({ id: entry.event?.id ?? `${entry.at} ${at}`, at: entry.at, ...lifeWords(entry) }))} />
        </div>
      )}
      <Pager shown={items.length} what="entry" many="entries" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
    </Card>
  )
}

function Raw({ connection }: { readonly connection: Connection }): ReactNode {
  const text = JSON.stringify(connection, null, 2)
  return (
    <div className={styles['rows']}>
      <p className={styles['head']}>
        <CopyButton text={text} words="Copy JSON" />
        <CopyAsCurl path={`/api/v1/connections/${connection.id}`} />
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section tabIndex={0} aria-label="The connection as JSON" className={styles['json']}>
        <pre>{text}</pre>
      </section>
    </div>
  )
}
