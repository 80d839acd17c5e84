import type { Agent } from '../../core/agent/agent.ts'
import type { AgentFilter, AgentStanding, Agents } from '../../core/agent/agents.ts'
import type { Installation } from '../../core/agent/installation.ts'
import type { InstallationStanding } from '../../core/agent/installations.ts'
import { AGENT_SETTINGS_DEFAULTS, type AgentSettings, areSame } from '../../core/agent/recovery-settings.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { AgentId, OrganizationId } from '../../core/ids.ts'
import { ownerOf } from '../../core/user/user.ts'
import type { Tables } from './tables.ts'

/** An agent and who answers for it, now. */
function agentStanding(tables: Tables, id: AgentId): AgentStanding | undefined {
  const agent = tables.agents.get(id)
  if (agent === undefined) return undefined
  const owner = tables.people.get(agent.owner)
  const role = tables.memberships.get(`${agent.organization} ${agent.owner}`)?.role ?? null
  const ownerRole = owner === undefined || owner.disabledAt !== null ? null : role
  return { agent, ownerActive: ownerRole !== null, ownerRole, ownerName: owner === undefined ? agent.owner : ownerOf(owner) }
}

export function installationStanding(tables: Tables, installation: Installation): InstallationStanding {
  const standing = agentStanding(tables, installation.agent)
  if (standing === undefined) throw new Error(`${installation.agent} is not stored`)
  return { ...standing, installation }
}

export function agentSettings(tables: Tables, organization: OrganizationId): AgentSettings {
  return tables.agentSettings.get(organization) ?? AGENT_SETTINGS_DEFAULTS
}

function nameTaken(tables: Tables, { organization, name, id, status }: Agent): boolean {
  if (status === 'revoked') return false
  return [...tables.agents.values()].some(
    (other) => other.organization === organization && other.name === name && other.status !== 'revoked' && other.id !== id,
  )
}

/** Compare and swap on the version. */
export function swapAgent(tables: Tables, agent: Agent): boolean {
  const stored = tables.agents.get(agent.id)
  if (stored?.organization !== agent.organization || stored.version !== agent.version - 1) return false
  tables.agents.set(agent.id, agent)
  tables.changed({ kind: 'agent', agent: agent.id })
  return true
}

function insert(tables: Tables, agent: Agent, event: NewEvent): 'inserted' | 'name_taken' {
  if (!tables.organizations.has(agent.organization)) throw new Error(`${agent.organization} is not stored`)
  if (nameTaken(tables, agent)) return 'name_taken'
  tables.agents.set(agent.id, agent)
  tables.append(event)
  return 'inserted'
}

function list(tables: Tables, organization: OrganizationId, { owner, status, limit, after }: AgentFilter): readonly Agent[] {
  return [...tables.agents.values()]
    .filter(
      (agent) =>
        agent.organization === organization &&
        (owner === undefined || agent.owner === owner) &&
        (status === undefined || agent.status === status) &&
        (after === null || agent.id < after),
    )
    .sort((left, right) => (left.id < right.id ? 1 : -1))
    .slice(0, limit)
}

export function agentsPart(tables: Tables): Agents {
  return {
    insert: async (agent, event) => insert(tables, agent, event),
    get: async (organization, id) => {
      const standing = agentStanding(tables, id)
      return standing?.agent.organization === organization ? standing : undefined
    },
    list: async (organization, filter) => list(tables, organization, filter),
    update: async (agent, event) => {
      if (nameTaken(tables, agent)) return 'name_taken'
      if (!swapAgent(tables, agent)) return 'changed'
      tables.append(event)
      return 'updated'
    },
    settings: async (organization) => agentSettings(tables, organization),
    saveSettings: async (organization, settings, _at, event, held) => {
      if (held !== undefined && !areSame(agentSettings(tables, organization), held)) return 'moved'
      tables.agentSettings.set(organization, settings)
      tables.append(event)
      return 'saved'
    },
  }
}
