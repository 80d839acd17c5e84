import type { ReactNode } from 'react'
import type { Overview } from '../api/console-operations.ts'
import { useApi } from '../api/queries.ts'
import { buttonClass } from '../design/button.tsx'
import { Card, Page } from '../design/card.tsx'
import { CopyAsCurl } from '../design/copy.tsx'
import { Answered, Note } from '../design/states.tsx'
import { usePreferences } from '../preferences/preferences.ts'
import { To } from '../router/link.tsx'
import { Attention } from './attention.tsx'
import { Changes } from './changes.tsx'
import { Counters } from './counters.tsx'
import { Expiring } from './expiring.tsx'
import styles from './overview.module.css'
import { WeatherTable } from './weather.tsx'
import { worstOf } from './worst-alert.ts'

/** What is broken, for whom, why, and what will break this week. */
export function OverviewPage(): ReactNode {
  const query = useApi('GET /api/v1/console/overview')
  const { welcomeDone } = usePreferences()
  return (
    <Page title="Overview" heading={query.data?.sentence ?? 'Overview'} actions={<CopyAsCurl path="/api/v1/console/overview" />}>
      <Answered query={query} rows={10}>
        {(overview) => (
          <>
            {welcomeDone || hasBegun(overview) ? null : <Welcome overview={overview} />}
            <OpenAlerts overview={overview} />
            <Counters counts={overview.counts} />
            <div className={styles['columns']}>
              <div className={styles['side']}>
                <Attention causes={overview.attention} total={overview.counts.total} />
                <Changes changes={overview.changes} />
              </div>
              <div className={styles['side']}>
                <Expiring expiring={overview.expiring} />
                <Programs agents={overview.agents} at={overview.server_time} />
              </div>
            </div>
            <WeatherTable weather={overview.weather} />
          </>
        )}
      </Answered>
    </Page>
  )
}

const DAY_MS = 86_400_000

const hasBegun = ({ setup }: Overview): boolean => setup.has_connection && setup.has_refresh && setup.has_reconnect

function Welcome({ overview: { setup } }: { readonly overview: Overview }): ReactNode {
  const done = [setup.has_integration, setup.has_connection, setup.has_refresh, setup.has_reconnect].filter(Boolean).length
  return (
    <Note
      title={done === 0 ? 'See it work in two minutes' : `The first steps: ${done} of 4 done`}
      action={
        <To to="/welcome" className={buttonClass({ look: 'primary', small: true })}>
          {done === 0 ? 'Begin' : 'Go on'}
        </To>
      }
    >
      <p>Connect a practice account, watch it being renewed, break it, and mend it. No account anywhere is needed.</p>
    </Note>
  )
}

function OpenAlerts({ overview: { alerts } }: { readonly overview: Overview }): ReactNode {
  const worst = worstOf(alerts)
  if (worst === undefined) return null
  return (
    <Note
      tone={worst.severity === 'critical' ? 'bad' : 'warn'}
      title={worst.title}
      action={
        <To to="/alerts" className={buttonClass({ small: true })}>
          {alerts.length === 1 ? 'Show the alert' : `Show ${alerts.length} alerts`}
        </To>
      }
    >
      <p>{worst.text}</p>
    </Note>
  )
}

function Programs({ agents, at }: { readonly agents: Overview['agents']; readonly at: string }): ReactNode {
  const since = new Date(Date.parse(at) - DAY_MS).toISOString()
  if (agents.agents === 0) return null
  const rows = [
    ['Agents', agents.agents, undefined],
    ['Installations', agents.installations, { tab: 'installations' }],
    ['Locked', agents.locked, { tab: 'installations', status: 'locked' }],
    ['Healed in 24 h', agents.healed_24h, { tab: 'installations', healed_since: since }],
  ] as const
  return (
    <Card title="Agents">
      <ul className={styles['pairs']}>
        {rows.map(([text, count, search]) => (
          <li key={text}>
            <To to="/agents" search={search}>
              <span>{text}</span>
              <strong>{count}</strong>
            </To>
          </li>
        ))}
      </ul>
    </Card>
  )
}
