import { AGENT_ACCESS } from '../core/agent/agent.ts'
import type { AgentCaller } from '../core/agent/agent-caller.ts'
import { Fault } from '../core/fault/fault.ts'
import { personActor } from '../core/session/session-events.ts'
import type { Present } from '../core/session/session-service.ts'
import { RIGHTS } from '../core/user/roles.ts'
import { ownerOf } from '../core/user/user.ts'
import { allows } from './authentication.ts'
import type { Caller } from './services.ts'

/** Who administers agents in this request, and what they may give to one: what they have themselves. */
export function agentCallerOf(caller: Caller): AgentCaller {
  const { organization, actor, person, owner } = caller
  return {
    organization,
    actor,
    user: person?.user.id ?? null,
    own: owner === null || person === null ? null : { user: person.user.id, connectionOwner: owner },
    gives: AGENT_ACCESS.filter((access) => allows(caller, access === 'token' ? 'tokens:read' : 'proxy')),
  }
}

/** A person on a page of ours. @throws Fault `role_missing` when their role administers no agents */
export function personOnPage({ session: { organization }, user, role }: Present): AgentCaller {
  const { scopes, reach } = RIGHTS[role]
  if (!allows({ scopes }, 'agents:write'))
    throw new Fault('role_missing', { detail: 'Your role does not let programs in. Ask somebody who looks after this application.' })
  return {
    organization,
    actor: personActor(user.id),
    user: user.id,
    own: reach === 'own' ? { user: user.id, connectionOwner: ownerOf(user) } : null,
    gives: AGENT_ACCESS.filter((access) => allows({ scopes }, access === 'token' ? 'tokens:read' : 'proxy')),
  }
}
