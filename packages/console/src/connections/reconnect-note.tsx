import type { Connection } from '@evergrant/sdk/wire'
import type { ReactNode } from 'react'
import { CopyAsCurl } from '../design/copy.tsx'
import { Note } from '../design/states.tsx'

type Reconnected = Pick<Connection, 'id' | 'owner' | 'account' | 'provider' | 'status' | 'reconnect_modes'>

/** Where a connection needs its owner and no link can be sent to them: why not, and what brings it back. */
export function ReconnectNote({ connection }: { readonly connection: Reconnected }): ReactNode {
  const { id, owner, account, provider, status, reconnect_modes: modes } = connection
  if (status !== 'needs_reauth' || modes.includes('link')) return null
  if (modes.length === 0)
    return (
      <Note tone="warn" title="It comes back with new credentials" action={<CopyAsCurl method="PUT" path={`/api/v1/connections/${id}/credentials`} />}>
        <p>Nobody is asked in a browser here. Your application, or you, send the new ones; the connection keeps its id.</p>
      </Note>
    )
  return (
    <Note
      tone="warn"
      title="Its owner reconnects it from your application"
      action={
        <CopyAsCurl method="POST" path={`/api/v1/connections/${id}/reconnect`} body={{ mode: 'verified', return_url: 'https://app.example.com/connected' }} />
      }
    >
      <p>
        {account.id === null
          ? 'Its account at the provider is not known'
          : `The provider (${provider}) names the account in the browser's address alone, where whoever holds a link could write another one`}
        , so there is no link to send. Ask {owner} to open your application and to reconnect there: it knows who is signed in, opens the page for them with the
        request that is copied here, and the connection keeps its id.
      </p>
    </Note>
  )
}
