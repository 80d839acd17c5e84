import { textsOf } from '../router/page-search.ts'
import type { Search, ViewRoute } from './view-route.ts'

const only =
  (...keys: readonly string[]) =>
  (search: Search): Search =>
    textsOf(search, keys)

/**
 * The pages behind the other entries of the navigation. A page is added by a line here: its path, and the module that is loaded when somebody goes there.
 */
export const VIEWS: readonly ViewRoute[] = [
  {
    path: '/expiry',
    section: '/expiry',
    search: only('range', 'from', 'to', 'lane', 'kind'),
    load: () => import('./expiry/expiry-page.tsx').then((module) => module.ExpiryPage),
  },
  { path: '/events', section: '/events', search: only('q', 'event'), load: () => import('./events/events-page.tsx').then((module) => module.EventsPage) },
  {
    path: '/providers',
    section: '/providers',
    search: only('provider'),
    load: () => import('./providers/providers-page.tsx').then((module) => module.ProvidersPage),
  },
  {
    path: '/providers/new',
    section: '/providers',
    search: only('provider', 'find'),
    load: () => import('./providers/catalogue.tsx').then((module) => module.NewProviderPage),
  },
  {
    path: '/providers/$id',
    section: '/providers',
    search: only('tab'),
    load: () => import('./providers/integration-page.tsx').then((module) => module.IntegrationPage),
  },
  {
    path: '/agents',
    section: '/agents',
    search: only('tab', 'status', 'healed_since', 'installation'),
    load: () => import('./agents/agents-page.tsx').then((module) => module.AgentsPage),
  },
  { path: '/agents/$id', section: '/agents', search: only('tab'), load: () => import('./agents/agent-page.tsx').then((module) => module.AgentPage) },
  {
    path: '/agents/installations/$id',
    section: '/agents',
    load: () => import('./agents/installation-page.tsx').then((module) => module.InstallationPage),
  },
  { path: '/keys', section: '/keys', search: only('tab'), load: () => import('./keys/keys-page.tsx').then((module) => module.KeysPage) },
  {
    path: '/metrics',
    section: '/metrics',
    search: only('range', 'provider'),
    load: () => import('./metrics/metrics-page.tsx').then((module) => module.MetricsPage),
  },
  {
    path: '/alerts',
    section: '/alerts',
    search: only('tab', 'state', 'webhook'),
    load: () => import('./alerts/alerts-page.tsx').then((module) => module.AlertsPage),
  },
  {
    path: '/alerts/webhooks/$id',
    section: '/alerts',
    search: only('tab', 'state'),
    load: () => import('./alerts/webhook-page.tsx').then((module) => module.WebhookPage),
  },
  {
    path: '/settings',
    section: '/settings',
    search: only('tab', 'user'),
    load: () => import('./settings/settings-page.tsx').then((module) => module.SettingsPage),
  },
]
