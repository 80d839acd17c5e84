import { type Static, Type } from 'typebox'
import {
  AGENT_ACCESS,
  type Agent,
  type AgentAccess,
  type AgentPolicy,
  type ConnectionSelector,
  ENROLMENT_DOORS,
  type EnrolmentDoor,
} from '../../core/agent/agent.ts'
import { RECOVERY_MODES, type RecoveryMode, type RecoverySettings } from '../../core/agent/recovery-settings.ts'
import type { IntegrationId, OrganizationId } from '../../core/ids.ts'
import { DAY, SECOND } from '../../core/time.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { ConnectionIdSchema, closed, ID_OR_SLUG, LINE, nullable, Owner, Time } from '../schema.ts'
import type { Services } from '../services.ts'

const SELECTORS_MAX = 100
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

const Access = Type.Unsafe<AgentAccess>({
  type: 'string',
  enum: [...AGENT_ACCESS],
  description: '`token`: reads access tokens. `proxy`: sends requests and never sees one.',
})
const Door = Type.Unsafe<EnrolmentDoor>({ type: 'string', enum: [...ENROLMENT_DOORS] })
const Selector = Type.Object(
  {
    connection: Type.Optional(ConnectionIdSchema),
    owner: Type.Optional(Owner),
    integration: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: ID_OR_SLUG, description: 'Id or slug.' })),
    tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: LINE })),
  },
  { additionalProperties: false, description: 'All that is said must hold. `{}` selects every connection of the organization.' },
)
const Selectors = Type.Array(Selector, { maxItems: SELECTORS_MAX })

export const PolicyBody = closed({
  access: Type.Optional(Type.Array(Access, { uniqueItems: true, maxItems: 2 })),
  connections: Type.Optional(Type.Array(Selector, { maxItems: SELECTORS_MAX, description: 'Any of them selects a connection. Empty: none.' })),
  methods: Type.Optional(
    nullable(
      Type.Array(Type.Unsafe<string>({ type: 'string', enum: METHODS }), {
        uniqueItems: true,
        maxItems: METHODS.length,
        description: 'What the proxy lets through; null: every method.',
      }),
    ),
  ),
  approval: Type.Optional(Type.Array(Selector, { maxItems: SELECTORS_MAX, description: 'A use of one of these waits for a person.' })),
  approval_seconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 2_592_000, description: 'How long an approval of a use holds; a day by default.' })),
  bearer: Type.Optional(Type.Boolean({ description: 'Gives access tokens that are not bound to the key where they are asked for. Costs trust.' })),
  auto_accept: Type.Optional(
    Type.Array(Door, {
      uniqueItems: true,
      maxItems: 3,
      description: 'Doors whose installations need no acceptance by the owner; `code` and `device` by default.',
    }),
  ),
})

export const RecoveryBody = closed({
  mode: Type.Optional(Type.Unsafe<RecoveryMode>({ type: 'string', enum: [...RECOVERY_MODES] })),
  limit: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000, description: 'Counted recoveries in a window; for `standard`.' })),
  window_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
  max_offline_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 365, description: 'After a longer silence a person is asked.' })),
  on_clone: Type.Optional(Type.Unsafe<RecoverySettings['onClone']>({ type: 'string', enum: ['lock', 'refuse_and_alert'] })),
})

const PolicyView = Type.Object({
  access: Type.Array(Type.String()),
  connections: Selectors,
  methods: nullable(Type.Array(Type.String())),
  approval: Selectors,
  approval_seconds: Type.Integer(),
  bearer: Type.Boolean(),
  auto_accept: Type.Array(Type.String()),
})

export const AgentView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: nullable(Type.String()),
  owner: Type.String({ description: 'The user who answers for it.' }),
  status: Type.String({ description: '`pending`, `verified` (its key is proven and its owner accepted it), `suspended` or `revoked`.' }),
  proven_at: nullable(Time),
  accepted_at: nullable(Time),
  accepted_by: nullable(Type.Object({ kind: Type.String(), id: nullable(Type.String()) }, { description: 'Who accepted it; `system` where its policy did.' })),
  policy: PolicyView,
  recovery: RecoveryBody,
  reviewed_at: nullable(Time),
  reviewed_by: nullable(Type.String()),
  created_at: Time,
  updated_at: Time,
  version: Type.Integer(),
})

export function agentView(agent: Agent) {
  const { policy } = agent
  return {
    id: agent.id,
    name: agent.name,
    description: agent.description,
    owner: agent.owner,
    status: agent.status,
    proven_at: isoOrNull(agent.provenAt),
    accepted_at: isoOrNull(agent.acceptedAt),
    accepted_by: agent.acceptedBy,
    policy: {
      access: policy.access,
      connections: policy.connections,
      methods: policy.methods,
      approval: policy.approval,
      approval_seconds: Math.round(policy.approvalMs / SECOND),
      bearer: policy.bearer,
      auto_accept: policy.autoAccept,
    },
    recovery: recoveryView(agent.recovery),
    reviewed_at: isoOrNull(agent.reviewedAt),
    reviewed_by: agent.reviewedBy,
    created_at: iso(agent.createdAt),
    updated_at: iso(agent.updatedAt),
    version: agent.version,
  }
}

function recoveryView({ mode, limit, windowMs, maxOfflineMs, onClone }: Partial<RecoverySettings>) {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(limit === undefined ? {} : { limit }),
    ...(windowMs === undefined ? {} : { window_days: Math.round(windowMs / DAY) }),
    ...(maxOfflineMs === undefined ? {} : { max_offline_days: Math.round(maxOfflineMs / DAY) }),
    ...(onClone === undefined ? {} : { on_clone: onClone }),
  }
}

export function recoveryOf(body: Static<typeof RecoveryBody>): Partial<RecoverySettings> {
  const { mode, limit, window_days: windowDays, max_offline_days: offlineDays, on_clone: onClone } = body
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(limit === undefined ? {} : { limit }),
    ...(windowDays === undefined ? {} : { windowMs: windowDays * DAY }),
    ...(offlineDays === undefined ? {} : { maxOfflineMs: offlineDays * DAY }),
    ...(onClone === undefined ? {} : { onClone }),
  }
}

/** What the body says; integrations by their ids. @throws Fault `not_found` for an integration that is none */
export async function policyOf(
  body: Static<typeof PolicyBody>,
  organization: OrganizationId,
  integrations: Pick<Services['integrations'], 'get'>,
): Promise<Partial<AgentPolicy>> {
  const { access, connections, methods, approval, approval_seconds: seconds, bearer, auto_accept: autoAccept } = body
  const idOf = async (reference: string): Promise<IntegrationId> => (await integrations.get(organization, reference)).id
  const selectors = (from: Static<typeof Selectors>): Promise<ConnectionSelector[]> =>
    Promise.all(from.map(async ({ integration, ...rest }) => (integration === undefined ? rest : { ...rest, integration: await idOf(integration) })))
  return {
    ...(access === undefined ? {} : { access }),
    ...(connections === undefined ? {} : { connections: await selectors(connections) }),
    ...(methods === undefined ? {} : { methods }),
    ...(approval === undefined ? {} : { approval: await selectors(approval) }),
    ...(seconds === undefined ? {} : { approvalMs: seconds * SECOND }),
    ...(bearer === undefined ? {} : { bearer }),
    ...(autoAccept === undefined ? {} : { autoAccept }),
  }
}
