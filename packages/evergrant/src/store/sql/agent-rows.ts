import type { Agent, AgentPolicy, AgentStatus, PolicyRecord } from '../../core/agent/agent.ts'
import type { AgentStanding } from '../../core/agent/agents.ts'
import type { RecoverySettings } from '../../core/agent/recovery-settings.ts'
import type { Stopper } from '../../core/agent/stopper.ts'
import type { Actor } from '../../core/audit/event.ts'
import type { AgentId, OrganizationId, UserId } from '../../core/ids.ts'
import type { Role } from '../../core/user/user.ts'
import type { Row, SqlValue } from './program.ts'
import { integer, integerOrNull, json, jsonOrNull, text, textOrNull, toJson } from './rows.ts'

const COLUMNS = [
  'id',
  'organization_id',
  'owner_id',
  'name',
  'description',
  'status',
  'proven_at',
  'accepted_at',
  'accepted_by',
  'policy',
  'policy_record',
  'suspended_by',
  'recovery',
  'reviewed_at',
  'reviewed_by',
  'created_at',
  'updated_at',
  'version',
] as const

/** The columns of `agent a`, under names that no other table has. */
export const AGENT = COLUMNS.map((column) => `a.${column} as a_${column}`).join(', ')
export const INSERT_AGENT = `insert into agent (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`
/** What never changes stays out of it: a database that sees a key written looks for all rows that refer to it. */
export const UPDATE_AGENT = `update agent set ${COLUMNS.slice(2)
  .map((column) => `${column} = ?`)
  .join(', ')} where id = ? and organization_id = ? and version = ?`

/** Who answers for `agent a`, and what they are now; beside {@link AGENT}, for {@link toAgentStanding}. */
export const AGENT_OWNER = `case when ap.id is null or ap.disabled_at is not null then null else am.role end as a_owner_role, ap.external_id as a_owner_external_id`
export const AGENT_OWNER_TABLES =
  'left join person ap on ap.id = a.owner_id left join membership am on am.organization_id = a.organization_id and am.user_id = a.owner_id'

export function agentValues(agent: Agent): readonly SqlValue[] {
  return [
    agent.id,
    agent.organization,
    agent.owner,
    agent.name,
    agent.description,
    agent.status,
    agent.provenAt,
    agent.acceptedAt,
    toJson(agent.acceptedBy),
    JSON.stringify(agent.policy),
    JSON.stringify(agent.policyRecord),
    toJson(agent.suspendedBy),
    JSON.stringify(agent.recovery),
    agent.reviewedAt,
    agent.reviewedBy,
    agent.createdAt,
    agent.updatedAt,
    agent.version,
  ]
}

export function toAgent(row: Row): Agent {
  return {
    id: text(row, 'a_id') as AgentId,
    organization: text(row, 'a_organization_id') as OrganizationId,
    owner: text(row, 'a_owner_id') as UserId,
    name: text(row, 'a_name'),
    description: textOrNull(row, 'a_description'),
    status: text(row, 'a_status') as AgentStatus,
    provenAt: integerOrNull(row, 'a_proven_at'),
    acceptedAt: integerOrNull(row, 'a_accepted_at'),
    acceptedBy: jsonOrNull<Actor>(row, 'a_accepted_by'),
    policy: json<AgentPolicy>(row, 'a_policy'),
    policyRecord: json<PolicyRecord>(row, 'a_policy_record'),
    suspendedBy: jsonOrNull<Stopper>(row, 'a_suspended_by'),
    recovery: json<Partial<RecoverySettings>>(row, 'a_recovery'),
    reviewedAt: integerOrNull(row, 'a_reviewed_at'),
    reviewedBy: textOrNull(row, 'a_reviewed_by') as UserId | null,
    createdAt: integer(row, 'a_created_at'),
    updatedAt: integer(row, 'a_updated_at'),
    version: integer(row, 'a_version'),
  }
}

export function toAgentStanding(row: Row): AgentStanding {
  const agent = toAgent(row)
  const ownerRole = textOrNull(row, 'a_owner_role') as Role | null
  return { agent, ownerActive: ownerRole !== null, ownerRole, ownerName: textOrNull(row, 'a_owner_external_id') ?? agent.owner }
}
