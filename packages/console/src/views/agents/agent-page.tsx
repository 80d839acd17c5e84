import { type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Facts, Page } from '../../design/card.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { CopyAsCurl, Id } from '../../design/copy.tsx'
import { Answered, Empty, Note } from '../../design/states.tsx'
import { type Tab, Tabs } from '../../design/tabs.tsx'
import { tell } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { usePageParams, usePageSearch } from '../../router/page-search.ts'
import { Time } from '../../time/time.tsx'
import { countWords, numberWords } from '../../time/words.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { type Agent, AgentState } from './agent-words.tsx'
import { Enrol } from './enrol.tsx'
import { InstallationsTable } from './installations-table.tsx'
import { PolicyEditor } from './policy-editor.tsx'
import { PolicyWords } from './policy-words.tsx'
import { TrustPanel } from './trust-panel.tsx'

const AGENT_READS = ['GET /api/v1/agents/{id}', 'GET /api/v1/agents', 'GET /api/v1/agents/{id}/trust', 'GET /api/v1/installations'] as const

/** One agent: how far it may be trusted and why, where it runs, what it may do. */
export function AgentPage(): ReactNode {
  const { id = '' } = usePageParams()
  const [{ tab = 'trust' }, change] = usePageSearch<{ readonly tab?: string | undefined }>()
  const query = useApi('GET /api/v1/agents/{id}', { path: { id } })
  const { data } = query
  return (
    <Page
      title={data?.name ?? 'Agent'}
      heading={
        data === undefined ? (
          'Agent'
        ) : (
          <span className={parts['actions']}>
            {data.name} <AgentState status={data.status} />
          </span>
        )
      }
      lead={data?.description ?? undefined}
      actions={
        <>
          <CopyAsCurl path={`/api/v1/agents/${id}`} />
          {data === undefined ? null : <Deeds agent={data} />}
        </>
      }
    >
      <Answered query={query}>
        {(agent) => <Tabs label="Parts of the agent" value={tab} tabs={tabsOf(agent)} onChange={(value) => change({ tab: value })} />}
      </Answered>
    </Page>
  )
}

function tabsOf(agent: Agent): readonly Tab[] {
  return [
    { value: 'trust', text: 'Trust', content: () => <About agent={agent} /> },
    {
      value: 'installations',
      text: 'Installations',
      content: () => (
        <Card title="Installations" flush>
          <InstallationsTable agent={agent.id} />
        </Card>
      ),
    },
    { value: 'policy', text: 'Policy', content: () => <PolicyEditor key={agent.id} agent={agent} /> },
    { value: 'enrol', text: 'Enrol a machine', content: () => <Enrol agent={agent} /> },
    { value: 'uses', text: 'Uses', content: () => <Uses id={agent.id} /> },
    { value: 'danger', text: 'Revoke', content: () => <Revoke agent={agent} /> },
  ]
}

function About({ agent }: { readonly agent: Agent }): ReactNode {
  return (
    <div className={parts['stack']}>
      {agent.owner_active ? null : (
        <Note tone="bad" title="Its owner is gone">
          <p>Whoever answers for it is disabled or no member any more, so it does nothing. Give it another owner with PATCH agents.</p>
        </Note>
      )}
      <div className={parts['two']}>
        <TrustPanel agent={agent.id} />
        <Card title="Identity">
          <Facts
            rows={[
              ['May', <PolicyWords key="may" policy={agent.policy} />],
              ['Owner', <code key="owner">{agent.owner}</code>],
              ['Key proven', <Time key="proven" at={agent.proven_at} />],
              ['Accepted', <Time key="accepted" at={agent.accepted_at} none="not yet" />],
              ['Rights reviewed', <Time key="reviewed" at={agent.reviewed_at} />],
              ['Made', <Time key="created" at={agent.created_at} />],
              ['Id', <Id key="id" id={agent.id} />],
            ]}
          />
          <p>
            <To to="/events" search={{ q: `agent:${agent.id}` }}>
              Everything it did
            </To>
          </p>
        </Card>
      </div>
    </div>
  )
}

/** What fits the state of the agent. */
function Deeds({ agent }: { readonly agent: Agent }): ReactNode {
  const input = { path: { id: agent.id } }
  const done = (text: string) => ({ refreshes: AGENT_READS, onDone: () => tell(text) })
  const accept = useDeed('POST /api/v1/agents/{id}/accept', done('Accepted.'))
  const suspend = useDeed('POST /api/v1/agents/{id}/suspend', done('Suspended. Nothing of it works until it is resumed.'))
  const resume = useDeed('POST /api/v1/agents/{id}/resume', done('Resumed.'))
  const review = useDeed('POST /api/v1/agents/{id}/review', done('Its rights are confirmed.'))
  const rotate = useDeed('POST /api/v1/agents/{id}/rotate', {
    refreshes: AGENT_READS,
    onDone: ({ rotated }) => tell(`${countWords(rotated, 'installation was', 'installations were')} rotated. Each goes on by itself.`),
  })
  const { status } = agent
  const deeds = [
    status === 'pending' && agent.accepted_at === null ? { text: 'Accept', deed: accept } : null,
    status === 'verified' ? { text: 'Rights are still right', deed: review } : null,
    status === 'verified' ? { text: 'Rotate all', deed: rotate } : null,
    status === 'verified' || status === 'pending' ? { text: 'Suspend', deed: suspend } : null,
    status === 'suspended' ? { text: 'Resume', deed: resume } : null,
  ].filter((each) => each !== null)
  return (
    <>
      {deeds.map(({ text, deed }) => (
        <Button key={text} busy={deed.isPending} onClick={() => deed.mutate(input)}>
          {text}
        </Button>
      ))}
      <DeedProblem error={deeds.find(({ deed }) => deed.error !== null)?.deed.error} />
    </>
  )
}

function Uses({ id }: { readonly id: string }): ReactNode {
  const query = useApi('GET /api/v1/agents/{id}/uses', { path: { id }, query: { days: 7 } })
  return (
    <Card title="Connections it used" note="Last seven days." flush>
      <Answered query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="It used no connection in this time" />
          ) : (
            <Rows
              label="Connections that the agent used"
              items={items}
              keyOf={({ connection, access }) => `${connection} ${access}`}
              columns={[
                { name: 'Connection', cell: ({ connection }) => <To to={`/connections/${connection}`}>{connection}</To> },
                { name: 'How', cell: ({ access }) => (access === 'token' ? 'read its token' : 'sent requests through the proxy') },
                { name: 'Times', number: true, cell: ({ count }) => numberWords(count) },
              ]}
            />
          )
        }
      </Answered>
    </Card>
  )
}

function Revoke({ agent }: { readonly agent: Agent }): ReactNode {
  const [asking, setAsking] = useState(false)
  const revoke = useDeed('DELETE /api/v1/agents/{id}', {
    refreshes: AGENT_READS,
    onDone: () => {
      setAsking(false)
      tell(`${agent.name} is revoked.`)
    },
  })
  if (agent.status === 'revoked')
    return (
      <Note>
        <p>This agent is revoked. Its record stays.</p>
      </Note>
    )
  return (
    <Card title="Revoke the agent">
      <div className={parts['form']}>
        <p>All its installations end at once and for good. To stop it for a while, suspend it.</p>
        <div>
          <Button
            look="danger"
            onClick={() => {
              revoke.reset()
              setAsking(true)
            }}
          >
            Revoke {agent.name}
          </Button>
        </div>
      </div>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={`Revoke ${agent.name}?`}
        action="Revoke the agent"
        danger
        typed={agent.name}
        busy={revoke.isPending}
        onConfirm={() => revoke.mutate({ path: { id: agent.id } })}
      >
        <p>Nothing takes this back: each machine has to be enrolled again, with another agent.</p>
        <DeedProblem error={revoke.error} />
      </Confirm>
    </Card>
  )
}
