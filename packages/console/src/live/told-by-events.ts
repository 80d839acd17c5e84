import type { Name } from '../api/operations.ts'
import type { StreamMessage } from './stream-reader.ts'

const WEBHOOKS: readonly Name[] = ['GET /api/v1/webhooks', 'GET /api/v1/webhooks/{id}', 'GET /api/v1/webhooks/{id}/deliveries', 'GET /api/v1/deliveries/{id}']
const PROGRAMS: readonly Name[] = [
  'GET /api/v1/agents',
  'GET /api/v1/agents/{id}',
  'GET /api/v1/agents/{id}/trust',
  'GET /api/v1/installations',
  'GET /api/v1/installations/{id}',
  'GET /api/v1/installations/{id}/timeline',
  'GET /api/v1/installations/{id}/why',
  'GET /api/v1/approvals',
]
const INTEGRATIONS: readonly Name[] = ['GET /api/v1/integrations', 'GET /api/v1/integrations/{id}', 'GET /api/v1/integrations/{id}/push']

/** What shows it, by the kind of the message. */
const BY_KIND: Readonly<Record<string, readonly Name[]>> = {
  alert: ['GET /api/v1/alerts'],
  delivery: WEBHOOKS,
  agent: PROGRAMS,
}

/** What shows it, by the first word of an event's type: whatever somebody changes is in the record, and so nobody has to reload to see it. */
const BY_TYPE: Readonly<Record<string, readonly Name[]>> = {
  alert: ['GET /api/v1/alerts'],
  alert_rules: ['GET /api/v1/alert-rules'],
  channel: ['GET /api/v1/channels', 'GET /api/v1/alert-rules'],
  webhook: [...WEBHOOKS, 'GET /api/v1/channels'],
  api_key: ['GET /api/v1/api-keys'],
  signing_key: ['GET /api/v1/signing-keys'],
  user: ['GET /api/v1/users', 'GET /api/v1/users/{id}', 'GET /api/v1/users/invitations', 'GET /api/v1/users/profile', 'GET /api/v1/organizations'],
  organization: ['GET /api/v1/organizations', 'GET /api/v1/organizations/current', 'GET /api/v1/settings'],
  integration: INTEGRATIONS,
  push: ['GET /api/v1/integrations/{id}/push'],
  agent: [...PROGRAMS, 'GET /api/v1/agent-settings'],
  enrolment: ['GET /api/v1/agents/{id}/enrolment-codes'],
  installation: [...PROGRAMS, 'GET /api/v1/agents/{id}/enrolment-codes'],
  recovery: [...PROGRAMS, 'GET /api/v1/agent-settings'],
  approval: PROGRAMS,
  incident: ['GET /api/v1/agents/{id}/incidents', 'GET /api/v1/agents/{id}/trust'],
}

/** The operations whose answers are older than this message. */
export function shownBy({ event, data }: StreamMessage): readonly Name[] {
  if (event !== 'event') return BY_KIND[event] ?? []
  const { type } = JSON.parse(data) as { readonly type: string }
  return BY_TYPE[type.slice(0, type.indexOf('.'))] ?? []
}
