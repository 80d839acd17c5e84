import type { Connection } from '@evergrant/sdk/wire'
import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useSyncExternalStore } from 'react'
import { useApi } from '../api/queries.ts'
import { Button, buttonClass } from '../design/button.tsx'
import { Page } from '../design/card.tsx'
import { Answered } from '../design/states.tsx'
import { prefer } from '../preferences/preferences.ts'
import { To } from '../router/link.tsx'
import { session } from '../session/client.ts'
import { Step } from './step.tsx'
import { BreakStep, ConnectStep, IntegrationStep, ReconnectStep, RefreshStep } from './steps.tsx'
import styles from './wizard.module.css'

/** The practice integration, and the connection of whoever takes the tour. */
const PRACTICE = 'practice'
const POLL_MS = 3_000

/**
 * Two minutes: a practice account is connected, renewed, broken and mended. Where somebody is follows from what is there, so that it can be left and
 * taken up again anywhere.
 */
export function WelcomePage(): ReactNode {
  const { user } = useSyncExternalStore(session().subscribe, session().getState)
  const owner = user?.owner ?? ''
  const overview = useApi('GET /api/v1/console/overview', {}, { every: POLL_MS })
  const integrations = useApi('GET /api/v1/integrations', {}, { every: POLL_MS })
  const mine = useApi('GET /api/v1/connections', { query: { integration: PRACTICE, owner, limit: 5 } }, { every: POLL_MS, enabled: owner !== '' })
  const navigate = useNavigate()
  const leave = (): void => {
    prefer({ welcomeDone: true })
    void navigate({ to: '/' as never })
  }
  return (
    <Page
      title="See it work"
      lead="Two minutes, with a practice provider that runs beside this server. You can leave and come back at any step."
      actions={
        <Button look="quiet" onClick={leave}>
          Skip the tour
        </Button>
      }
    >
      <Answered query={integrations} rows={6}>
        {({ items }) => (
          // Which step is next is known when all is: nobody is asked to connect what they have connected.
          <Answered query={mine} rows={6}>
            {(own) => (
              <Answered query={overview} rows={6}>
                {({ setup }) => (
                  <Tour
                    hasIntegration={items.some(({ slug }) => slug === PRACTICE)}
                    connection={own.items.find(({ status }) => status !== 'disconnected')}
                    setup={setup}
                    owner={owner}
                    onEnd={leave}
                  />
                )}
              </Answered>
            )}
          </Answered>
        )}
      </Answered>
    </Page>
  )
}

interface TourProps {
  readonly hasIntegration: boolean
  readonly connection: Connection | undefined
  readonly setup: { readonly has_reconnect: boolean }
  readonly owner: string
  readonly onEnd: () => void
}

function Tour({ hasIntegration, connection, setup, owner, onEnd }: TourProps): ReactNode {
  const isBroken = connection?.status === 'needs_reauth'
  const refreshed = connection !== undefined && connection.generation > 1
  const mended = setup.has_reconnect && connection !== undefined && !isBroken
  const done = [true, hasIntegration, connection !== undefined, refreshed, isBroken || mended, mended]
  const current = done.indexOf(false)
  const at = current < 0 ? done.length : current
  return (
    <ol className={styles['steps']}>
      <Step number={1} title="You are the owner" done current={false}>
        <p>Your account was made with the link that the server printed.</p>
      </Step>
      <Step number={2} title="A provider to practise with" done={hasIntegration} current={at === 1}>
        <IntegrationStep />
      </Step>
      <Step number={3} title="Connect an account" done={connection !== undefined} current={at === 2}>
        <ConnectStep owner={owner} />
      </Step>
      <Step number={4} title="Watch it being renewed" done={refreshed} current={at === 3}>
        {connection === undefined ? null : <RefreshStep connection={connection} />}
      </Step>
      <Step number={5} title="Break it" done={isBroken || mended} current={at === 4}>
        {connection === undefined ? null : <BreakStep connection={connection} owner={owner} />}
      </Step>
      <Step number={6} title="Mend it" done={mended} current={at === 5}>
        {connection === undefined ? null : <ReconnectStep connection={connection} />}
      </Step>
      {current < 0 ? (
        <li className={styles['end']}>
          <h2>That is all of it</h2>
          <p>The connection kept its id through everything. Your programs would have noticed one clear answer, and nothing after the repair.</p>
          <p className={styles['row']}>
            <To to={`/connections/${connection?.id ?? ''}`} className={buttonClass()}>
              See its timeline
            </To>
            <Button look="primary" onClick={onEnd}>
              Go to the overview
            </Button>
          </p>
        </li>
      ) : null}
    </ol>
  )
}
