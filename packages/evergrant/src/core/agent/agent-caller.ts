import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { type AgentId, type ConnectionId, newId, type OrganizationId, type UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Clock, Entropy } from '../time.ts'
import type { Agent, AgentAccess, AgentPolicy } from './agent.ts'
import type { Stopper } from './stopper.ts'

/** Who administers agents in a request. */
export interface AgentCaller {
  readonly organization: OrganizationId
  readonly actor: Actor
  /** The person; null: a backend or the command line. */
  readonly user: UserId | null
  /** Not null: only this person's own agents, and only with connections of this owner. */
  readonly own: { readonly user: UserId; readonly connectionOwner: string } | null
  /** Ways to use a connection that the caller may give to a program. */
  readonly gives: readonly AgentAccess[]
}

export function agentNotFound(id: AgentId): Fault {
  return new Fault('not_found', { field: 'id', detail: `There is no agent ${id} in this organization. GET agents lists them.` })
}

/** Somebody else's agent is answered exactly as one that never was. @throws Fault `not_found` */
export function requireOwn({ own }: AgentCaller, agent: Agent): void {
  if (own !== null && agent.owner !== own.user) throw agentNotFound(agent.id)
}

/**
 * Nobody gives a program what they lack themselves: else whoever may not read tokens would make an agent that does. @throws Fault `role_missing`
 */
export function requireGiving({ gives }: AgentCaller, access: readonly AgentAccess[], field: string): void {
  const lacking = access.find((way) => !gives.includes(way))
  if (lacking === undefined) return
  const right = lacking === 'token' ? 'tokens:read' : 'proxy'
  throw new Fault('role_missing', {
    field,
    detail: `This lets a program use connections by \`${lacking}\`, and you do not have the right \`${right}\` yourself. Ask an administrator, or leave it out.`,
  })
}

/** Enrolling a machine gives its operator all that the agent may do: only its owner may, or a caller who could give all of that. @throws Fault `role_missing` */
export function requireEnrolling(caller: AgentCaller, agent: Agent): void {
  if (caller.user !== null && caller.user === agent.owner) return
  requireGiving(caller, agent.policy.access, 'id')
}

/** A person who reaches only their own connections can give a program no others. @throws Fault `role_missing` */
export function requireOwnConnections({ own }: AgentCaller, { connections }: Pick<AgentPolicy, 'connections'>): void {
  if (own === null) return
  const index = connections.findIndex(({ owner }) => owner !== own.connectionOwner)
  if (index === -1) return
  throw new Fault('role_missing', {
    field: `/policy/connections/${index}/owner`,
    detail: `Your role gives a program only connections of your own: set \`owner\` to \`${own.connectionOwner}\` in each of them.`,
  })
}

export function stopperOf({ actor, own }: AgentCaller): Stopper {
  return { actor, whole: own === null }
}

/** Stopping again changes nothing of who may undo it: a stop by somebody who looks after the whole organization stays theirs. */
export function stoppedAlso(before: Stopper | null, caller: AgentCaller): Stopper {
  return before?.whole === true ? before : stopperOf(caller)
}

/** `what`: what the caller would undo, as in "resume it". @throws Fault `role_missing` */
export function requireUndoing({ own }: AgentCaller, stopper: Stopper | null, what: string): void {
  if (own === null || stopper?.whole !== true) return
  throw new Fault('role_missing', {
    field: 'id',
    detail: `Somebody who looks after the whole organization stopped this, and your role reaches only what is your own. Ask an administrator to ${what}.`,
  })
}

/** What events about agents have alike. */
interface AgentEvents {
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
}

export function agentEvent(
  { clock, entropy }: AgentEvents,
  of: {
    readonly type: EventType
    readonly organization: OrganizationId
    readonly actor: Actor
    readonly subject: string
    readonly data?: JsonObject
    readonly connection?: ConnectionId | null
  },
): NewEvent {
  const { type, organization, actor, subject, data = {}, connection = null } = of
  return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor, connection, subject, data }
}
