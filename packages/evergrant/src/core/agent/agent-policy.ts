import type { ConnectionId, IntegrationId } from '../ids.ts'
import { RIGHTS } from '../user/roles.ts'
import type { AgentAccess, AgentPolicy, ConnectionSelector } from './agent.ts'
import type { AgentStanding } from './agents.ts'

/** What of a connection a policy looks at. */
export interface SelectableConnection {
  readonly id: ConnectionId
  readonly owner: string
  readonly integration: IntegrationId
  readonly tags: readonly string[]
}

/** `look`: to see that it is there and how it is. */
export type WantedUse = { readonly access: 'look' | 'token' } | { readonly access: 'proxy'; readonly method: string }

type PolicyRuling =
  | { readonly kind: 'allowed'; readonly approval: boolean }
  /** Answered exactly as a connection that never was. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'refused'; readonly detail: string }

/** True when everything that a selector names fits the connection. */
function fits({ connection, owner, integration, tag }: ConnectionSelector, of: SelectableConnection): boolean {
  if (connection !== undefined && connection !== of.id) return false
  if (owner !== undefined && owner !== of.owner) return false
  if (integration !== undefined && integration !== of.integration) return false
  return tag === undefined || of.tags.includes(tag)
}

export function selects(selectors: readonly ConnectionSelector[], connection: SelectableConnection): boolean {
  return selectors.some((selector) => fits(selector, connection))
}

/**
 * The connections that an agent sees: those of its policy, and of these only what its owner reaches now. Who became a `member` shares their own alone; who
 * only looks on gives no program the use of anything.
 */
export function reachOf({ agent, ownerRole, ownerName }: AgentStanding): readonly ConnectionSelector[] {
  const { connections } = agent.policy
  if (ownerRole === null || ownerRole === 'viewer') return []
  if (ownerRole !== 'member') return connections
  return connections.filter(({ owner }) => owner === undefined || owner === ownerName).map((selector) => ({ ...selector, owner: ownerName }))
}

/** The policy, less what its owner gave and no longer has (docs/decisions/0041). */
export function accessOf({ agent, ownerRole }: AgentStanding): readonly AgentAccess[] {
  const { policy, policyRecord, owner } = agent
  if (policyRecord.tokenBy === null || policyRecord.tokenBy.id !== owner) return policy.access
  const rights = ownerRole === null ? [] : RIGHTS[ownerRole].scopes
  return rights.includes('admin') || rights.includes('tokens:read') ? policy.access : policy.access.filter((way) => way !== 'token')
}

/** Whether the agent may use this connection in this way. Whether it may do anything at all is decided before. */
export function rulePolicy(standing: AgentStanding, connection: SelectableConnection, wanted: WantedUse): PolicyRuling {
  if (!selects(reachOf(standing), connection)) return { kind: 'hidden' }
  if (wanted.access === 'look') return { kind: 'allowed', approval: false }
  const { policy } = standing.agent
  const access = accessOf(standing)
  if (!access.includes(wanted.access)) return refused({ access }, wanted.access)
  if (wanted.access === 'proxy' && policy.methods !== null && !policy.methods.includes(wanted.method))
    return { kind: 'refused', detail: `The policy of this agent lets ${policy.methods.join(', ') || 'no method'} through the proxy, and not ${wanted.method}.` }
  return { kind: 'allowed', approval: selects(policy.approval, connection) }
}

const WAYS: Readonly<Record<AgentAccess, string>> = {
  token: 'read access tokens (`token`)',
  proxy: 'send requests through the proxy (`proxy`)',
}

function refused(policy: Pick<AgentPolicy, 'access'>, wanted: AgentAccess): PolicyRuling {
  const given = policy.access.map((access) => WAYS[access]).join(' and ') || 'do nothing'
  return { kind: 'refused', detail: `The policy of this agent lets it ${given}, and not ${WAYS[wanted]}.` }
}

/** Every selector of the first is among the second, as it is. */
export function keepsAll(kept: readonly ConnectionSelector[], among: readonly ConnectionSelector[]): boolean {
  return kept.every((one) => among.some((other) => isSame(one, other)))
}

function isSame(one: ConnectionSelector, other: ConnectionSelector): boolean {
  return one.connection === other.connection && one.owner === other.owner && one.integration === other.integration && one.tag === other.tag
}
