import type { Agent } from '../../core/agent/agent.ts'
import type { AgentFilter, AgentStanding, Agents } from '../../core/agent/agents.ts'
import { AGENT_SETTINGS_DEFAULTS, type AgentSettings, areSame } from '../../core/agent/recovery-settings.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { AgentId, OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { AGENT, AGENT_OWNER, AGENT_OWNER_TABLES, agentValues, INSERT_AGENT, toAgent, toAgentStanding, UPDATE_AGENT } from './agent-rows.ts'
import { append } from './event-rows.ts'
import { changed, type Database, type Dialect, type Program, row, rows, run, type SqlValue } from './program.ts'
import { json } from './rows.ts'

function* nameTaken({ organization, name, id, status }: Agent): Program<boolean> {
  if (status === 'revoked') return false
  const found = yield* row(
    "select a.id from agent a where a.organization_id = ? and a.name = ? and a.status <> 'revoked' and a.id <> ?",
    organization,
    name,
    id,
  )
  return found !== undefined
}

function* insert(agent: Agent, event: NewEvent): Program<'inserted' | 'name_taken'> {
  if (yield* nameTaken(agent)) return 'name_taken'
  yield* run(INSERT_AGENT, ...agentValues(agent))
  yield* append(event)
  return 'inserted'
}

function* get(organization: OrganizationId, id: AgentId): Program<AgentStanding | undefined> {
  const found = yield* row(`select ${AGENT}, ${AGENT_OWNER} from agent a ${AGENT_OWNER_TABLES} where a.id = ? and a.organization_id = ?`, id, organization)
  return found === undefined ? undefined : toAgentStanding(found)
}

function* list(organization: OrganizationId, { owner, status, limit, after }: AgentFilter): Program<readonly Agent[]> {
  const conditions = ['a.organization_id = ?']
  const params: SqlValue[] = [organization]
  const where = (condition: string, value: string | null | undefined) => {
    if (value === undefined || value === null) return
    conditions.push(condition)
    params.push(value)
  }
  where('a.owner_id = ?', owner)
  where('a.status = ?', status)
  where('a.id < ?', after)
  const found = yield* rows(`select ${AGENT} from agent a where ${conditions.join(' and ')} order by a.id desc limit ?`, ...params, limit)
  return found.map(toAgent)
}

function* update(agent: Agent, event: NewEvent): Program<'updated' | 'changed' | 'name_taken'> {
  if (yield* nameTaken(agent)) return 'name_taken'
  if (!(yield* swapAgent(agent))) return 'changed'
  yield* append(event)
  return 'updated'
}

/** Compare and swap on the version; all nodes hear of it. */
export function* swapAgent(agent: Agent): Program<boolean> {
  if ((yield* run(UPDATE_AGENT, ...agentValues(agent).slice(2), agent.id, agent.organization, agent.version - 1)) === 0) return false
  yield* changed({ kind: 'agent', agent: agent.id })
  return true
}

/** Whoever changes them by what they are takes this lock first: the breaker, which many presentations may trip at once, and operators. */
export function* lockAgentSettings(dialect: Dialect, organization: OrganizationId): Program<AgentSettings> {
  yield* row(`select o.id from organization o where o.id = ? ${dialect.forUpdate('o')}`, organization)
  return yield* agentSettings(organization)
}

/** Also inside the transaction that would mint: a change counts at once. */
export function* agentSettings(organization: OrganizationId): Program<AgentSettings> {
  const found = yield* row('select settings from agent_settings where organization_id = ?', organization)
  return found === undefined ? AGENT_SETTINGS_DEFAULTS : { ...AGENT_SETTINGS_DEFAULTS, ...json<Partial<AgentSettings>>(found, 'settings') }
}

export function* saveAgentSettings(organization: OrganizationId, settings: AgentSettings, at: Instant): Program<void> {
  yield* run(
    `insert into agent_settings (organization_id, settings, updated_at) values (?, ?, ?)
     on conflict (organization_id) do update set settings = excluded.settings, updated_at = excluded.updated_at`,
    organization,
    JSON.stringify(settings),
    at,
  )
}

interface SettingsSwap {
  readonly settings: AgentSettings
  readonly held: AgentSettings | undefined
}

function* save(dialect: Dialect, organization: OrganizationId, { settings, held }: SettingsSwap, at: Instant, event: NewEvent): Program<'saved' | 'moved'> {
  const stored = yield* lockAgentSettings(dialect, organization)
  if (held !== undefined && !areSame(stored, held)) return 'moved'
  yield* saveAgentSettings(organization, settings, at)
  yield* append(event)
  return 'saved'
}

export function agentsStore(database: Database): Agents {
  return {
    insert: (agent, event) => database.write(() => insert(agent, event)),
    get: (organization, id) => database.read(() => get(organization, id)),
    list: (organization, filter) => database.read(() => list(organization, filter)),
    update: (agent, event) => database.write(() => update(agent, event)),
    settings: (organization) => database.read(() => agentSettings(organization)),
    saveSettings: (organization, settings, at, event, held) => database.write(() => save(database.dialect, organization, { settings, held }, at, event)),
  }
}
