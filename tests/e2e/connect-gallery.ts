import type { Brand } from '../../packages/evergrant/src/core/connect/brand.ts'
import type { ConnectView } from '../../packages/evergrant/src/core/connect/connect-view.ts'
import type { FaultCode } from '../../packages/evergrant/src/core/fault/fault.ts'
import { choicePage } from '../../packages/evergrant/src/http/connect/choice-page.ts'
import { landingPage } from '../../packages/evergrant/src/http/connect/landing-page.ts'
import { endedLinkPage, outcomePage, problemPage, repairedPage } from '../../packages/evergrant/src/http/connect/outcome-pages.ts'
import type { Look, Page } from '../../packages/evergrant/src/http/connect/page-frame.ts'
import { approvalPage, disconnectedPage, disconnectPage, laterPage } from '../../packages/evergrant/src/http/connect/repair-pages.ts'

const DAY = 86_400_000
const AT = Date.UTC(2026, 10, 21, 12)

/** A dark mark on nothing: in dark mode it needs a ground. */
const LOGO =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAADwAAAAYCAYAAACmwZ5SAAAAUUlEQVR42u3YsQ0AEBBAUZtYzCSWp9GLEAn3fqJ2rztSkmJVc2mzEwr7BXoF+gU8FHgH+xz6BPYp9C3wyXu25gIGBgYGBrZp2aWBvYf9eEijDkhX+7a+IekvAAAAAElFTkSuQmCC'

export const PLAIN: Brand = { logo: null, accent: null, supportEmail: null, supportUrl: null, privacyUrl: null, statusText: null }
export const BRANDED: Brand = {
  logo: LOGO,
  accent: '#7a1f5c',
  supportEmail: 'support@acme-reports.example',
  supportUrl: 'https://acme-reports.example/help',
  privacyUrl: 'https://acme-reports.example/privacy',
  statusText: 'Notes is slow today. We are on it; nothing is lost.',
}

const VIEW: ConnectView = {
  application: 'Acme Reports',
  brand: PLAIN,
  choosable: false,
  integration: 'notes',
  expiresAt: AT + 7 * DAY,
  provider: 'Example Notes',
  providerId: 'practice',
  owner: 'user-4711-of-a-very-long-customer-name',
  state: 'open',
  reconnect: false,
  signingIn: false,
  account: null,
  signedInAs: null,
  scopes: ['openid', 'email', 'offline_access', 'notes:read'],
  scopeMeanings: { 'notes:read': 'Read your notes' },
  missingScopes: [],
  asked: [],
  fault: null,
  offersSibling: false,
  offersNew: false,
  adminUrl: null,
  endsAnother: null,
  expired: false,
  startable: true,
  cancelUrl: 'https://app.example.com/connected?error=connect_cancelled',
  doneUrl: null,
}
const RECONNECT: Partial<ConnectView> = { reconnect: true, account: 'ada.lovelace@analytical-engines.example' }
const TEXT = { pattern: '.*', askedOf: 'connection', default: null } as const
const ASKED = [
  { ...TEXT, name: 'shop', label: 'Your shop', example: 'my-shop', choices: null, value: null },
  { ...TEXT, name: 'region', label: 'Your region', example: 'eu', choices: { eu: { label: 'Europe' }, us: { label: 'United States' } }, value: 'eu' },
] as unknown as ConnectView['asked']

/** Every failure that a browser may be shown for a session of its own. */
const FAILURES: readonly FaultCode[] = [
  'account_mismatch',
  'admin_approval_required',
  'client_rejected',
  'connect_cancelled',
  'connect_failed',
  'connect_session_expired',
  'connect_state_mismatch',
  'internal',
  'outcome_unknown',
  'overloaded',
  'provider_rate_limited',
  'provider_unavailable',
]
/** For a browser that proved nothing. */
const REFUSALS: readonly FaultCode[] = [
  'not_found',
  'forbidden',
  'connect_browser_mismatch',
  'connect_owner_mismatch',
  'connection_disconnected',
  'rate_limited',
]
/** Why a repair link was made. */
const STOPS: readonly FaultCode[] = [
  'connection_expired',
  'connection_revoked',
  'refresh_outcome_lost',
  'rotated_after_backup',
  'grant_kept_elsewhere',
  'scope_missing',
]

const ADMIN_URL =
  'https://login.example.com/organizations/v2.0/adminconsent?client_id=00001111-aaaa-2222-bbbb-3333cccc4444&redirect_uri=https%3A%2F%2Fconnect.example.com%2Fconnect%2Fcallback%2Foffice'

const asideFor = (code: FaultCode) =>
  ({ kind: code === 'connection_revoked' ? 'disconnect' : code === 'scope_missing' ? 'later' : 'remind', url: '/connect/x' }) as const

/** Every page by name. */
export function gallery(look: Look): ReadonlyMap<string, Page> {
  const details = { requestId: '565b3515c393-5', action: '/connect/done/x', session: 'cs_1' }
  const view = (more: Partial<ConnectView> = {}): ConnectView => ({ ...VIEW, brand: look.brand ?? PLAIN, ...more })
  const landing = { action: '/connect/x' }
  const said = { providerCode: 'server_error', providerText: 'The server had a bad day.' }
  const fault = (code: FaultCode) => ({ code, ...(code === 'account_mismatch' ? { providerCode: null, providerText: 'grace@cobol.example' } : said) })
  return new Map<string, Page>([
    ['connect', landingPage(view(), look, landing)],
    ['connect-asks', landingPage(view({ asked: ASKED, endsAnother: 'perhaps' }), look, landing)],
    ['connect-wrong', landingPage(view({ asked: ASKED }), look, { ...landing, problem: { variable: 'shop', form: { shop: 'no shop!' } } })],
    ['connect-chosen', landingPage(view({ choosable: true }), look, { ...landing, chooseUrl: '/connect/x' })],
    ['choose', choicePage({ ...view(), options: [...'abc'].map((slug) => ({ slug, name: `Example ${slug.toUpperCase()}` })) }, look, '/connect/x')],
    ['reconnect', landingPage(view(RECONNECT), look, landing)],
    ...STOPS.map((code): [string, Page] => [
      `repair-${code}`,
      landingPage(view({ ...RECONNECT, cancelUrl: null }), look, { ...landing, stopped: { code, at: AT }, aside: asideFor(code) }),
    ]),
    ['disconnect', disconnectPage(view(RECONNECT), look, { action: '/connect/x', back: '/connect/x' })],
    ['disconnected', disconnectedPage(view(RECONNECT), look)],
    ['later', laterPage(view(RECONNECT), look, { back: '/connect/x', until: AT + 7 * DAY })],
    ['approved', approvalPage({ ...view(), approved: true }, look)],
    ['not-approved', approvalPage({ ...view(), approved: false }, look)],
    ['failed-admin-link', outcomePage(view({ fault: fault('admin_approval_required'), adminUrl: ADMIN_URL }), look, details)],
    ['failed-as-new', outcomePage(view({ ...RECONNECT, fault: fault('account_mismatch'), offersNew: true }), look, details)],
    ['done', outcomePage(view({ state: 'completed', account: 'ada@example.com' }), look, details)],
    ['done-again', outcomePage(view({ ...RECONNECT, state: 'completed', missingScopes: ['notes:write'], doneUrl: 'https://app.example.com' }), look, details)],
    ['repaired', repairedPage(view(RECONNECT), look)],
    ['waiting', outcomePage(view({ state: 'exchanging' }), look, details)],
    ['sibling', outcomePage(view({ ...RECONNECT, offersSibling: true, signedInAs: 'grace@cobol.example' }), look, details)],
    ...FAILURES.map((code): [string, Page] => [`failed-${code}`, outcomePage(view({ ...RECONNECT, fault: fault(code) }), look, details)]),
    ['failed-choosable', outcomePage(view({ choosable: true, fault: fault('connect_cancelled') }), look, details)],
    ['used', endedLinkPage(view(), 'connect_session_used', look, details.requestId)],
    ['expired', endedLinkPage(view(), 'connect_session_expired', look, details.requestId)],
    ...REFUSALS.map((code): [string, Page] => [`refused-${code}`, problemPage(code, details.requestId, undefined, { ...look, brand: null })]),
  ])
}
