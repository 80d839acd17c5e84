import type { WantedUse } from '../core/agent/agent-policy.ts'
import type { ConnectionAccess } from '../core/agent/connection-access.ts'
import type { UseActor } from '../core/agent/use-counter.ts'
import { type ConnectionService, connectionNotFound } from '../core/connection/connection-service.ts'
import { Fault } from '../core/fault/fault.ts'
import type { ConnectionId } from '../core/ids.ts'
import type { Caller } from './services.ts'

/**
 * Lets a caller through to a connection that is within their reach. For a person of role `member` that is one of their own; somebody
 * else's is answered exactly as one that never was (S98). Costs a read for such a person, and nothing for everybody else.
 * @throws Fault `not_found`
 */
export async function requireReach(connections: Pick<ConnectionService, 'ownerOf'>, caller: Caller, id: ConnectionId): Promise<void> {
  if (caller.owner === null) return
  if ((await connections.ownerOf(caller.organization, id)) !== caller.owner) throw connectionNotFound(id)
}

/** The owner that a list is cut to: the caller's own where they see nothing else. Undefined: everybody's. `nobody`: the list is empty. */
export function ownerWithin(caller: Caller, wanted: string | undefined): { readonly owner?: string } | 'nobody' {
  if (caller.owner === null) return wanted === undefined ? {} : { owner: wanted }
  return wanted === undefined || wanted === caller.owner ? { owner: caller.owner } : 'nobody'
}

/** The owner that something is made for: for a person who acts for themselves alone, themselves. @throws Fault `role_missing` */
export function ownOwner(caller: Caller, named: string | undefined): string | null {
  if (caller.owner === null) return named ?? null
  if (named === undefined || named === caller.owner) return caller.owner
  throw new Fault('role_missing', { field: '/owner', detail: 'Your role acts for yourself alone: leave `owner` out, or send your own.' })
}

/** True where a program may use this connection now without asking anybody, and for every caller that is no program. Synchronous: the hot path. */
export function mayUse(access: Pick<ConnectionAccess, 'peek'>, { installation }: Caller, id: ConnectionId, wanted: WantedUse): boolean {
  return installation === null || access.peek(installation, id, wanted)
}

/**
 * What the policy of a program says about this use; nothing for everybody else. A connection that the policy does not select is answered like
 * one that does not exist.
 * @throws Fault `not_found`, `agent_not_verified`, `agent_policy_refused`, `approval_required`
 */
export async function requireUse(access: Pick<ConnectionAccess, 'peek' | 'require'>, caller: Caller, id: ConnectionId, wanted: WantedUse): Promise<void> {
  if (caller.installation === null || access.peek(caller.installation, id, wanted)) return
  await access.require(caller.installation, id, wanted)
}

/** Who is written into the counts of uses. */
export function useActorOf({ organization, actor }: Caller): UseActor {
  const kind = actor.kind === 'system' || actor.kind === 'browser' ? 'cli' : actor.kind
  return { organization, kind, id: actor.id ?? kind }
}
