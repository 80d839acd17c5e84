import type { Connection } from '@evergrant/sdk/wire'
import { useQueryClient } from '@tanstack/react-query'
import { ExternalLink, RefreshCw, Unplug } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { call } from '../api/call.ts'
import type { Name } from '../api/operations.ts'
import { useDeed } from '../api/queries.ts'
import { Button, buttonClass } from '../design/button.tsx'
import { ConnectionState } from '../design/state.tsx'
import { Note } from '../design/states.tsx'
import { tellProblem } from '../design/toasts.tsx'
import { To } from '../router/link.tsx'
import { serverUrl } from '../session/client.ts'
import { Time } from '../time/time.tsx'
import styles from './wizard.module.css'

const TOUCHED: readonly Name[] = ['GET /api/v1/connections', 'GET /api/v1/console/overview']

/** In development the server makes the integration itself; elsewhere a real provider is set up. */
export function IntegrationStep(): ReactNode {
  return (
    <>
      <p>
        The practice provider comes with <code>npm start</code>. This server runs without it, so set up one that you use: its page has the redirect address to
        copy and a test.
      </p>
      <p className={styles['row']}>
        <To to="/providers" className={buttonClass({ look: 'primary' })}>
          Choose a provider
        </To>
      </p>
    </>
  )
}

/** A tab opened by a press is never blocked; its address is set when the server has answered. False: it did not, and the person was told. */
async function openLater(make: () => Promise<{ readonly url: string }>): Promise<boolean> {
  const tab = window.open('', '_blank')
  try {
    const { url } = await make()
    if (tab === null) location.assign(url)
    else tab.location.href = url
    return true
  } catch (error) {
    tab?.close()
    tellProblem(error)
    return false
  }
}

export function ConnectStep({ owner }: { readonly owner: string }): ReactNode {
  const [waiting, setWaiting] = useState(false)
  const connect = (): void => {
    setWaiting(true)
    void openLater(() => call('POST /api/v1/connect/sessions', { body: { integration: 'practice', owner, mode: 'signed_in' } })).then(setWaiting)
  }
  return (
    <>
      <p>A page opens as your users would see it: it says what is asked for, hands over to the provider, and comes back. Choose any account there.</p>
      <p className={styles['row']}>
        <Button look="primary" icon={<ExternalLink size={14} aria-hidden />} onClick={connect}>
          Connect a practice account
        </Button>
        {waiting ? <span role="status">Waiting for the connection…</span> : null}
      </p>
    </>
  )
}

export function RefreshStep({ connection }: { readonly connection: Connection }): ReactNode {
  const { mutate, isPending } = useDeed('POST /api/v1/connections/{id}/refresh', { refreshes: TOUCHED })
  return (
    <>
      <p>
        The token of the practice provider lives a minute: this one ends <Time at={connection.expires_at} />. Evergrant renews it before that. Wait and watch,
        or do it now.
      </p>
      <p className={styles['row']}>
        <Button
          look="primary"
          icon={<RefreshCw size={14} aria-hidden />}
          busy={isPending}
          onClick={() => mutate({ path: { id: connection.id } }, { onError: tellProblem })}
        >
          Refresh now
        </Button>
        <ConnectionState status={connection.status} />
      </p>
    </>
  )
}

/** As its owner would: the grant is taken back at the provider, and Evergrant finds out with the next refresh. */
export function BreakStep({ connection, owner }: { readonly connection: Connection; readonly owner: string }): ReactNode {
  const [busy, setBusy] = useState(false)
  const client = useQueryClient()
  const breakIt = async (): Promise<void> => {
    setBusy(true)
    try {
      const response = await fetch(`${serverUrl()}/try/break`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ owner }),
      })
      if (!response.ok) throw new Error('The practice provider did not take the grant back. It runs only with npm start.')
      // It is meant to fail: that is how the end of a grant is noticed.
      await call('POST /api/v1/connections/{id}/refresh', { path: { id: connection.id } }).catch(() => undefined)
      await client.invalidateQueries()
    } catch (error) {
      tellProblem(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <p>Its owner takes the permission back, at the provider, without telling anybody here.</p>
      <p className={styles['row']}>
        <Button look="danger" icon={<Unplug size={14} aria-hidden />} busy={busy} onClick={() => void breakIt()}>
          Take the grant back
        </Button>
      </p>
    </>
  )
}

export function ReconnectStep({ connection }: { readonly connection: Connection }): ReactNode {
  const reconnect = (): void => void openLater(() => call('POST /api/v1/connections/{id}/reconnect', { path: { id: connection.id }, body: { mode: 'link' } }))
  return (
    <>
      {connection.fault === null ? null : (
        <Note tone="bad" title={connection.fault.title}>
          <p>{connection.fault.operator_text}</p>
        </Note>
      )}
      <p>No program can mend this: its owner has to. Open the link that you would send them, and choose the same account.</p>
      <p className={styles['row']}>
        <Button look="primary" icon={<ExternalLink size={14} aria-hidden />} onClick={reconnect}>
          Open the reconnect link
        </Button>
        <To to={`/connections/${connection.id}`} className={buttonClass()}>
          See why it broke
        </To>
      </p>
    </>
  )
}
