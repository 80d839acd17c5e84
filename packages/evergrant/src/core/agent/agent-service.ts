import type { EventType } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { type AgentId, newId, type UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { type Clock, type Entropy, SECOND } from '../time.ts'
import type { Users } from '../user/users.ts'
import { type Agent, type AgentPolicy, type AgentStatus, NEW_POLICY, NEW_POLICY_RECORD, type PolicyRecord } from './agent.ts'
import { type AgentCaller, agentEvent, agentNotFound, requireGiving, requireOwn, requireOwnConnections, requireUndoing, stoppedAlso } from './agent-caller.ts'
import { keepsAll } from './agent-policy.ts'
import { settled } from './agent-status.ts'
import type { AgentStanding, Agents } from './agents.ts'
import type { Installations } from './installations.ts'
import type { RecoverySettings } from './recovery-settings.ts'

interface AgentPorts {
  readonly agents: Agents
  readonly installations: Pick<Installations, 'revoke'>
  readonly users: Pick<Users, 'get' | 'membershipsOf'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
}

interface NewAgent {
  readonly name: string
  readonly description: string | null
  /** The caller, where it is a person. */
  readonly owner: UserId | null
  readonly policy: Partial<AgentPolicy>
  readonly recovery: Partial<RecoverySettings>
}

/** What is not named stays. */
interface AgentChange {
  readonly name?: string
  readonly description?: string | null
  readonly owner?: UserId
  readonly recovery?: Partial<RecoverySettings>
  /** Refuse the change unless this is the stored version. */
  readonly version?: number
}

const TRIES = 10

/** Programs, as those who answer for them see them. docs/decisions/0041. */
export class AgentService {
  readonly #ports: AgentPorts

  constructor(ports: AgentPorts) {
    this.#ports = ports
  }

  /** @throws Fault `already_exists` for a name that another live agent has, `invalid_request`, `role_missing` */
  async create(caller: AgentCaller, wanted: NewAgent): Promise<AgentStanding> {
    const { agents, clock, entropy } = this.#ports
    const owner = wanted.owner ?? caller.user
    if (owner === null)
      throw new Fault('invalid_request', { field: '/owner', detail: 'Name the person who answers for this agent: `owner`, the id of a user.' })
    if (caller.own !== null && owner !== caller.own.user)
      throw new Fault('role_missing', { field: '/owner', detail: 'Your role makes agents of your own: leave `owner` out.' })
    await this.#requireOwner(caller, owner)
    const policy: AgentPolicy = { ...NEW_POLICY, ...wanted.policy }
    requireOwnConnections(caller, policy)
    // Where neither access nor connections are named, the default access reaches nothing yet, so nothing is given.
    if (wanted.policy.access !== undefined || policy.connections.length > 0) requireGiving(caller, policy.access, '/policy/access')
    const at = clock.wall()
    const agent: Agent = {
      id: newId('agt', entropy),
      organization: caller.organization,
      owner,
      name: wanted.name,
      description: wanted.description,
      status: 'pending',
      provenAt: null,
      acceptedAt: null,
      acceptedBy: null,
      policy,
      policyRecord: recordOf(caller, policy, NEW_POLICY_RECORD),
      suspendedBy: null,
      recovery: wanted.recovery,
      reviewedAt: null,
      reviewedBy: null,
      createdAt: at,
      updatedAt: at,
      version: 1,
    }
    if ((await agents.insert(agent, this.#event('agent.created', caller, agent, { name: agent.name, owner }))) === 'name_taken') throw nameTaken(agent.name)
    return this.get(caller, agent.id)
  }

  /** @throws Fault `not_found` */
  async get(caller: AgentCaller, id: AgentId): Promise<AgentStanding> {
    const found = await this.#ports.agents.get(caller.organization, id)
    if (found === undefined) throw agentNotFound(id)
    requireOwn(caller, found.agent)
    return found
  }

  /** Newest first. */
  list(
    caller: AgentCaller,
    filter: { readonly owner?: UserId; readonly status?: AgentStatus; readonly limit: number; readonly after: AgentId | null },
  ): Promise<readonly Agent[]> {
    const { own, organization } = caller
    if (own !== null && filter.owner !== undefined && filter.owner !== own.user) return Promise.resolve([])
    return this.#ports.agents.list(organization, own === null ? filter : { ...filter, owner: own.user })
  }

  /** @throws Fault `not_found`, `conflict`, `already_exists`, `role_missing` */
  async update(caller: AgentCaller, id: AgentId, change: AgentChange): Promise<AgentStanding> {
    const { owner, name, description, recovery, version } = change
    if (owner !== undefined) await this.#requireNewOwner(caller, owner)
    return this.#change(caller, id, 'agent.updated', (agent) => {
      if (version !== undefined && version !== agent.version)
        throw new Fault('conflict', { field: '/version', detail: `The agent has version ${agent.version} by now. Read it again.` })
      if (owner !== undefined && owner !== agent.owner) requireGiving(caller, agent.policy.access, '/owner')
      return {
        ...agent,
        name: name ?? agent.name,
        description: description === undefined ? agent.description : description,
        recovery: recovery ?? agent.recovery,
        // Whom one person accepted, the next one has not.
        ...(owner === undefined || owner === agent.owner
          ? {}
          : { owner, acceptedAt: null, acceptedBy: null, policyRecord: { ...agent.policyRecord, tokenBy: tokenGiver(caller, agent.policy) } }),
      }
    })
  }

  /** The whole policy. @throws Fault */
  async setPolicy(caller: AgentCaller, id: AgentId, policy: AgentPolicy): Promise<AgentStanding> {
    requireOwnConnections(caller, policy)
    requireGiving(caller, policy.access, '/access')
    const data = { access: [...policy.access], selectors: policy.connections.length }
    return this.#change(
      caller,
      id,
      'agent.policy_changed',
      (agent) => {
        requireKeepingApproval(caller, agent, policy)
        return { ...agent, policy, policyRecord: recordOf(caller, policy, agent.policyRecord) }
      },
      data,
    )
  }

  /** From now on somebody answers for what it does: its owner, or a person who may administer all agents. @throws Fault */
  async accept(caller: AgentCaller, id: AgentId): Promise<AgentStanding> {
    const { agent } = await this.get(caller, id)
    if (agent.acceptedAt !== null) return this.get(caller, id)
    if (caller.user !== agent.owner) requireGiving(caller, agent.policy.access, 'id')
    const at = this.#ports.clock.wall()
    return this.#change(caller, id, 'agent.accepted', (now) => ({ ...now, acceptedAt: at, acceptedBy: caller.actor }))
  }

  /** Nothing of it works until it is resumed; nothing is lost. @throws Fault */
  suspend(caller: AgentCaller, id: AgentId): Promise<AgentStanding> {
    return this.#change(caller, id, 'agent.suspended', (agent) => ({ ...agent, status: 'suspended', suspendedBy: stoppedAlso(agent.suspendedBy, caller) }))
  }

  /** @throws Fault `conflict` when it is not suspended; `role_missing` where somebody of the whole organization did that */
  resume(caller: AgentCaller, id: AgentId): Promise<AgentStanding> {
    return this.#change(caller, id, 'agent.resumed', (agent) => {
      if (agent.status !== 'suspended') throw new Fault('conflict', { detail: `The agent is ${agent.status}, not suspended.` })
      requireUndoing(caller, agent.suspendedBy, 'resume it')
      return { ...agent, status: 'pending', suspendedBy: null }
    })
  }

  /** Somebody looked at its rights and keeps them. @throws Fault */
  async review(caller: AgentCaller, id: AgentId): Promise<AgentStanding> {
    await this.get(caller, id)
    if (caller.user === null) throw new Fault('forbidden', { detail: 'A review is made by a person: send an access token of a session, not an API key.' })
    const reviewed = { reviewedAt: this.#ports.clock.wall(), reviewedBy: caller.user }
    return this.#change(caller, id, 'agent.reviewed', (agent) => ({ ...agent, ...reviewed }))
  }

  /** For good, with all its installations. Repeating it changes nothing. @throws Fault `not_found` */
  async revoke(caller: AgentCaller, id: AgentId): Promise<AgentStanding> {
    const { agent } = await this.get(caller, id)
    const ended = agent.status === 'revoked' ? undefined : await this.#change(caller, id, 'agent.revoked', (now) => ({ ...now, status: 'revoked' }))
    // The agent's own status has refused them since; this writes it down at each, and is repeated when it was broken off.
    const event = this.#event('installation.retired', caller, agent, { reason: 'agent revoked' })
    const revocation = { class: 'offboarding', reason: 'The agent was revoked.', by: byOf(caller), ticket: false, status: 'retired', lock: null } as const
    await this.#ports.installations.revoke(caller.organization, { agent: id }, revocation, this.#ports.clock.wall(), event)
    return ended ?? this.get(caller, id)
  }

  async #change(caller: AgentCaller, id: AgentId, type: EventType, next: (agent: Agent) => Agent, data: JsonObject = {}): Promise<AgentStanding> {
    const { agents, clock } = this.#ports
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const { agent } = await this.get(caller, id)
      if (agent.status === 'revoked') throw new Fault('agent_revoked', { detail: 'A revoked agent does not change any more. Make a new one.' })
      const wanted = settled(next(agent), clock.wall())
      const outcome = await agents.update(wanted, this.#event(type, caller, agent, data))
      if (outcome === 'updated') return this.get(caller, id)
      if (outcome === 'name_taken') throw nameTaken(wanted.name)
    }
    throw new Fault('conflict', { detail: 'The agent kept changing while it was updated. Try again.' })
  }

  async #requireNewOwner(caller: AgentCaller, owner: UserId): Promise<void> {
    if (caller.own !== null && owner !== caller.own.user)
      throw new Fault('role_missing', { field: '/owner', detail: 'Your role does not give an agent to somebody else.' })
    await this.#requireOwner(caller, owner)
  }

  async #requireOwner({ organization }: AgentCaller, owner: UserId): Promise<void> {
    const { users } = this.#ports
    const [user, memberships] = await Promise.all([users.get(owner), users.membershipsOf(owner)])
    const member = memberships.some((membership) => membership.organization === organization)
    if (user !== undefined && user.disabledAt === null && member) return
    throw new Fault('invalid_request', { field: '/owner', detail: `${owner} is no active member of this organization. GET users lists them.` })
  }

  #event(type: EventType, { organization, actor }: AgentCaller, { id }: Agent, data: JsonObject = {}) {
    return agentEvent(this.#ports, { type, organization, actor, subject: id, data })
  }
}

function tokenGiver({ actor }: AgentCaller, { access }: AgentPolicy): PolicyRecord['tokenBy'] {
  return access.includes('token') ? actor : null
}

function recordOf(caller: AgentCaller, policy: AgentPolicy, before: PolicyRecord): PolicyRecord {
  return { tokenBy: tokenGiver(caller, policy), approval: caller.own === null ? policy.approval : before.approval }
}

/** A caller who reaches only their own agents may ask for more approvals, never for fewer or for longer ones. @throws Fault `role_missing` */
function requireKeepingApproval({ own }: AgentCaller, { policy: before, policyRecord: { approval } }: Agent, policy: AgentPolicy): void {
  if (own === null || approval.length === 0) return
  const kept = 'Somebody who looks after the whole organization wants approvals for this agent, and your role reaches only what is your own.'
  if (!keepsAll(approval, policy.approval)) throw new Fault('role_missing', { field: '/approval', detail: `${kept} Send their selectors again beside yours.` })
  if (policy.approvalMs > before.approvalMs)
    throw new Fault('role_missing', { field: '/approval_seconds', detail: `${kept} Leave \`approval_seconds\` at ${before.approvalMs / SECOND} or less.` })
}

function byOf({ actor }: AgentCaller): string {
  return actor.id ?? actor.kind
}

function nameTaken(name: string): Fault {
  return new Fault('already_exists', { field: '/name', detail: `There is an agent ${name} already. Choose another name, or revoke that one.` })
}
