// Every message, badge and button at once, to be looked at: by axe, and by people.
import { type ReactElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import type { ConnectionReport } from '../../browser/index.ts'
import type { ReconnectView } from '../incident.ts'
import { tell } from '../incidents.ts'
import { ConnectionBadge, ConnectionStatusBanner, ReconnectButton } from '../index.ts'
import { KIT } from '../kit.ts'
import { de } from '../labels/de.ts'
import { en } from '../labels/en.ts'
import { ja } from '../labels/ja.ts'
import type { Labels, MessageCode } from '../labels.ts'
import { Notice } from '../notice.tsx'
import type { Actions } from '../setting.ts'
import { broken, connection, createWorld, Within } from './world.tsx'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const from = (ms: number): string => new Date(Date.now() + ms).toISOString()

const reports: ConnectionReport[] = [
  broken({ id: 'con_1' }),
  broken({ id: 'con_2', provider: 'Strava', code: 'connection_expired', expires_at: from(-DAY_MS) }),
  connection({ id: 'con_3', provider: 'Slack', account: 'acme.slack.com', status: 'expiring', expires_at: from(20 * HOUR_MS) }),
  connection({ id: 'con_4', provider: 'Notion', status: 'refreshing', code: 'provider_rate_limited', action: 'wait', retry_at: from(5 * 60_000) }),
  connection({ id: 'con_5', provider: 'HubSpot', status: 'refreshing', code: 'provider_unavailable', action: 'wait' }),
  connection({ id: 'con_6', provider: 'Amazon Ads', status: 'unavailable', code: 'client_rejected', action: 'contact_admin' }),
  connection({ id: 'con_7', provider: 'Microsoft', code: 'admin_approval_required', action: 'contact_admin', reconnect_url: 'https://connect.test/r/7' }),
  connection({ id: 'con_8', provider: 'GitHub', status: 'disconnected' }),
  connection({ id: 'con_9', provider: 'Figma' }),
]
const actions: Actions = {
  sign_in: '/sign-in',
  disconnect: () => undefined,
  connect_other: () => undefined,
  support: 'mailto:help@example.com',
  status_page: 'https://status.example.com',
  review_activity: '/activity',
  how_to_allow: '/help/windows',
  how_to_fix: '/help/clock',
}
const reconnect: ReconnectView = { state: 'waiting', url: null, reconnect: () => undefined, cancel: () => undefined, incident: null }
const LANGUAGES: Record<string, Labels> = { en, de, ja }

function Gallery({ labels }: { readonly labels: Labels }): ReactElement {
  const codes = Object.keys(labels.messages) as MessageCode[]
  const told = { labels, now: Date.now(), places: { App: 'Acme', B: 'bob@example.com', n: 14, T: 'in 20 seconds', requestId: 'req_1' } }
  return (
    <main>
      <h1>Acme</h1>
      <h2>Banner</h2>
      <ConnectionStatusBanner max={20} />
      <h2>Badges</h2>
      <ul className="badges">
        {reports.map(({ id, provider }) => (
          <li key={id}>
            {provider} <ConnectionBadge connectionId={id} />
          </li>
        ))}
      </ul>
      <h2>Button</h2>
      <ReconnectButton connectionId="con_1" />
      <h2>Messages</h2>
      {codes.map((code, index) => (
        <Notice
          key={code}
          kit={KIT}
          incident={tell(code, told, { tone: (['danger', 'warning', 'info', 'success'] as const)[index % 4] ?? 'info', connection: connection() })}
          reconnect={reconnect}
          onDismiss={() => undefined}
        />
      ))}
    </main>
  )
}

function show(container: HTMLElement, language: string): void {
  const world = createWorld({ connections: reports })
  const labels = LANGUAGES[language] ?? en
  createRoot(container).render(
    <StrictMode>
      <Within world={world} labels={labels} actions={actions}>
        <Gallery labels={labels} />
      </Within>
    </StrictMode>,
  )
}

const root = document.getElementById('root')
if (root !== null) show(root, document.documentElement.lang)
