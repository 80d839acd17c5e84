import type { ReactNode } from 'react'
import { useApi } from '../../api/queries.ts'
import { Card, Facts, Page } from '../../design/card.tsx'
import { CopyAsCurl, Id } from '../../design/copy.tsx'
import { Badge, type Tone } from '../../design/state.tsx'
import { Answered, Empty, Note } from '../../design/states.tsx'
import { Timeline, type TimelineItem } from '../../design/timeline.tsx'
import { To } from '../../router/link.tsx'
import { usePageParams } from '../../router/page-search.ts'
import { Time } from '../../time/time.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import type { InstallationDetails, RecoveryWhy, TimelineEntry } from '../program-operations.ts'
import { InstallationState } from './agent-words.tsx'
import { Healing } from './healing.tsx'
import { InstallationDeeds } from './installation-deeds.tsx'

/** One enrolled copy: its key, its generations, how much healing is left, and what can be done to it. */
export function InstallationPage(): ReactNode {
  const { id = '' } = usePageParams()
  const query = useApi('GET /api/v1/installations/{id}', { path: { id } })
  const { data } = query
  return (
    <Page
      title={data?.name ?? 'Installation'}
      heading={
        data === undefined ? (
          'Installation'
        ) : (
          <span className={parts['actions']}>
            {data.name} <InstallationState status={data.status} />
          </span>
        )
      }
      lead={
        data === undefined ? undefined : (
          <>
            A copy of the agent <To to={`/agents/${data.agent}`}>{data.agent_name}</To>
          </>
        )
      }
      actions={
        <>
          <CopyAsCurl path={`/api/v1/installations/${id}`} />
          {data === undefined ? null : <InstallationDeeds installation={data} />}
        </>
      }
    >
      <Answered query={query}>{(installation) => <Known installation={installation} />}</Answered>
    </Page>
  )
}

function Known({ installation }: { readonly installation: InstallationDetails }): ReactNode {
  const { lock, rekey_until: rekey } = installation
  return (
    <div className={parts['stack']}>
      {lock === null ? null : (
        <Note tone="bad" title="Locked">
          <p>
            {lock.message} <Time at={lock.at} />. Unlock it only when you know why: it then goes on with a new key, and not without.
          </p>
        </Note>
      )}
      {rekey === null ? null : (
        <Note tone="warn" title="Unlocked, waiting for a new key">
          <p>
            The machine brings it by itself until <Time at={rekey} as="both" />.
          </p>
        </Note>
      )}
      <div className={parts['two']}>
        <Generations id={installation.id} />
        <div className={parts['stack']}>
          <Healing installation={installation} />
          <Machine installation={installation} />
        </div>
      </div>
      <WhyCard id={installation.id} />
    </div>
  )
}

function Machine({ installation }: { readonly installation: InstallationDetails }): ReactNode {
  const { token } = installation
  return (
    <Card title="Machine and key">
      <Facts
        rows={[
          ['Machine', [installation.host, installation.platform].filter(Boolean).join(', ') || 'unknown'],
          ['Last seen', <Time key="seen" at={installation.last_seen_at} as="both" />],
          ['From', installation.address],
          ['Key', <Id key="key" id={installation.key_thumbprint} />],
          ['Key lives in', installation.custody],
          ['Key made', <Time key="made" at={installation.key_created_at} />],
          ['Came in by', installation.enrolled_via],
          ['Generation', String(installation.generation)],
          ['Token', `${token.state}, ${token.metadata.source.replaceAll('_', ' ')}`],
          ['Token ends', <Time key="ends" at={token.expires_at} as="both" />],
          ['Next refresh', <Time key="next" at={installation.next_refresh_at} none="none is to come" />],
          ['Ends for good', <Time key="end" at={installation.expires_at} none="never by itself" />],
          ['Id', <Id key="id" id={installation.id} />],
        ]}
      />
    </Card>
  )
}

const WHAT: Readonly<Record<string, { readonly text: string; readonly tone: Tone }>> = {
  enrolment: { text: 'Enrolled', tone: 'good' },
  token_rotation: { text: 'Renewed', tone: 'good' },
  token_reissue: { text: 'Given again: the answer was lost on its way', tone: 'warn' },
  token_recovery: { text: 'Recovered', tone: 'good' },
  roll_forward: { text: 'Caught up with a restored database', tone: 'warn' },
  re_key: { text: 'Came back with a new key', tone: 'info' },
}

function itemOf({ id, at, kind, what, sentence, data }: TimelineEntry): TimelineItem {
  const key = `${kind}${id}`
  if (kind === 'token_issued') {
    const known = WHAT[what] ?? { text: what, tone: 'quiet' as const }
    return { id: key, at, title: known.text, detail: sentence, tone: known.tone }
  }
  if (kind === 'token_revoked') return { id: key, at, title: `Revoked: ${what.replaceAll('_', ' ')}`, detail: sentence, tone: 'bad' }
  if (kind === 'recovery')
    return { id: key, at, title: `Recovery ${what}`, detail: sentence, tone: what === 'denied' ? 'bad' : what === 'pending' ? 'warn' : 'good' }
  const actor = data['actor'] as { readonly kind?: string; readonly id?: string | null } | undefined
  return { id: key, at, title: what, detail: actor?.id ?? actor?.kind }
}

const MOST = 100

function Generations({ id }: { readonly id: string }): ReactNode {
  const query = useApi('GET /api/v1/installations/{id}/timeline', { path: { id }, query: { limit: MOST } })
  return (
    <Card title="Generations and events" note="Newest first.">
      <Answered query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing happened yet" />
          ) : (
            <>
              <Timeline label="What happened to the installation" items={items.map(itemOf)} />
              {items.length < MOST ? null : <p className={parts['soft']}>There may be more before these: the latest {MOST} are shown.</p>}
            </>
          )
        }
      </Answered>
    </Card>
  )
}

const VERDICTS: Readonly<Record<string, Tone>> = { granted: 'good', asks: 'warn', refused: 'bad' }

function WhyCard({ id }: { readonly id: string }): ReactNode {
  const query = useApi('GET /api/v1/installations/{id}/why', { path: { id } })
  return (
    <Card title="Why a recovery was granted or refused">
      <Answered query={query} rows={3}>
        {(why) => <Why why={why} />}
      </Answered>
    </Card>
  )
}

function Why({ why: { next, attempts } }: { readonly why: RecoveryWhy }): ReactNode {
  return (
    <div className={parts['form']}>
      <div className={parts['actions']}>
        <strong>{next.needed ? 'The next one would be' : 'None is needed now. One would be'}</strong>
        <Badge tone={VERDICTS[next.verdict] ?? 'quiet'}>{next.verdict}</Badge>
        <span className={parts['soft']}>rule {next.rule}</span>
      </div>
      <p>
        {next.sentence}
        {next.retry_at === null ? null : (
          <>
            {' '}
            Again <Time at={next.retry_at} />.
          </>
        )}
      </p>
      {attempts.length === 0 ? (
        <p className={parts['soft']}>It never asked for one.</p>
      ) : (
        <Rows
          label="Recoveries"
          items={attempts}
          keyOf={(attempt) => attempt.id}
          columns={[
            { name: 'When', cell: ({ at }) => <Time at={at} /> },
            {
              name: 'Outcome',
              cell: ({ outcome, code }) => (
                <>
                  <Badge tone={outcome === 'succeeded' ? 'good' : outcome === 'denied' ? 'bad' : 'warn'}>{outcome}</Badge> {code}
                </>
              ),
            },
            { name: 'Reason', cell: ({ reason }) => reason },
            { name: 'Counts', cell: ({ counted }) => (counted ? 'against the limit' : 'against nothing') },
            { name: 'From', cell: ({ address }) => address ?? 'unknown' },
          ]}
        />
      )}
    </div>
  )
}
