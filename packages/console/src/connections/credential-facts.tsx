import type { Connection } from '@evergrant/sdk/wire'
import type { ReactNode } from 'react'
import { Card, Facts } from '../design/card.tsx'
import { Time } from '../time/time.tsx'

/** The credential without the secret: lifetimes, scopes, generation. */
export function CredentialFacts({ connection }: { readonly connection: Connection }): ReactNode {
  const {
    scopes,
    expires_at,
    ends_at,
    refreshable,
    generation,
    due_at,
    next_attempt_at,
    consented_at,
    last_refreshed_at,
    last_read_at,
    last_check,
    created_at,
    account,
    tags,
    status,
    reconnect_modes: modes,
  } = connection
  return (
    <Card title="Credential" note="never the secret itself">
      <Facts
        rows={[
          ['Access token', <Time key="a" at={expires_at} as="both" none="does not say when it ends" past="over" />],
          ['Grant ends', <Time key="b" at={ends_at} as="both" none="not by itself" />],
          ['Renewable', refreshable ? 'yes' : 'no: the provider gave no refresh token'],
          ['Generation', generation],
          ['Next refresh', <Time key="c" at={next_attempt_at ?? due_at} as="both" none="none planned" past="due" />],
          ['Last success', <Time key="d" at={last_refreshed_at} as="both" />],
          ['Last read', <Time key="e" at={last_read_at} as="both" />],
          last_check === null
            ? null
            : [
                'Last test',
                <span key="f">
                  {last_check.result} <Time at={last_check.at} />
                </span>,
              ],
          ['Account id', account.id === null ? null : <code key="g">{account.id}</code>],
          ['Scopes', scopes === null ? 'not said by the provider' : <code key="h">{scopes.join(' ')}</code>],
          tags.length === 0 ? null : ['Tags', tags.join(', ')],
          ['Consented', <Time key="i" at={consented_at} as="both" none="not known" />],
          status === 'disconnected' ? null : ['Reconnected', reconnectWords(modes)],
          ['Created', <Time key="j" at={created_at} as="both" />],
        ]}
      />
    </Card>
  )
}

function reconnectWords(modes: Connection['reconnect_modes']): string {
  if (modes.length === 0) return 'with new credentials'
  return modes.includes('link') ? 'by its owner, from a link or your application' : 'by its owner, from your application alone'
}
