import type { ClaimCondition, WorkloadIssuer, WorkloadIssuers } from '../../core/agent/workload-issuers.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { AgentId, OrganizationId, WorkloadIssuerId } from '../../core/ids.ts'
import { append } from './event-rows.ts'
import { type Database, type Program, type Row, rows, run } from './program.ts'
import { integer, json, text } from './rows.ts'

const COLUMNS = 'id, organization_id, agent_id, name, issuer, audience, conditions, installation_life_ms, created_at'

function toIssuer(found: Row): WorkloadIssuer {
  return {
    id: text(found, 'id') as WorkloadIssuerId,
    organization: text(found, 'organization_id') as OrganizationId,
    agent: text(found, 'agent_id') as AgentId,
    name: text(found, 'name'),
    issuer: text(found, 'issuer'),
    audience: text(found, 'audience'),
    conditions: json<readonly ClaimCondition[]>(found, 'conditions'),
    installationLifeMs: integer(found, 'installation_life_ms'),
    createdAt: integer(found, 'created_at'),
  }
}

function* insert(issuer: WorkloadIssuer, event: NewEvent): Program<void> {
  yield* run(
    `insert into workload_issuer (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    issuer.id,
    issuer.organization,
    issuer.agent,
    issuer.name,
    issuer.issuer,
    issuer.audience,
    JSON.stringify(issuer.conditions),
    issuer.installationLifeMs,
    issuer.createdAt,
  )
  yield* append(event)
}

function* ofAgent(organization: OrganizationId, agent: AgentId): Program<readonly WorkloadIssuer[]> {
  const found = yield* rows(`select ${COLUMNS} from workload_issuer where agent_id = ? and organization_id = ? order by id limit 100`, agent, organization)
  return found.map(toIssuer)
}

function* named(issuer: string): Program<readonly WorkloadIssuer[]> {
  return (yield* rows(`select ${COLUMNS} from workload_issuer where issuer = ? order by id limit 1000`, issuer)).map(toIssuer)
}

function* remove(organization: OrganizationId, agent: AgentId, id: WorkloadIssuerId, event: NewEvent): Program<'removed' | 'gone'> {
  if ((yield* run('delete from workload_issuer where id = ? and agent_id = ? and organization_id = ?', id, agent, organization)) === 0) return 'gone'
  yield* append(event)
  return 'removed'
}

export function workloadIssuersStore(database: Database): WorkloadIssuers {
  return {
    insert: (issuer, event) => database.write(() => insert(issuer, event)),
    ofAgent: (organization, agent) => database.read(() => ofAgent(organization, agent)),
    named: (issuer) => database.read(() => named(issuer)),
    remove: (organization, agent, id, event) => database.write(() => remove(organization, agent, id, event)),
  }
}
