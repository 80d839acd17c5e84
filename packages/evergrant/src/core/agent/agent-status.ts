import type { Instant } from '../time.ts'
import type { Agent, EnrolmentDoor } from './agent.ts'

/**
 * The agent after a key of it was proven through a door. It is verified once its key is proven and its owner has accepted it; where the policy accepts
 * whatever comes by this door, the acceptance is recorded as the system's. Null: nothing changes.
 */
export function afterProof(agent: Agent, door: EnrolmentDoor, at: Instant): Agent | null {
  const accepts = agent.acceptedAt === null && agent.policy.autoAccept.includes(door)
  if (agent.provenAt !== null && !accepts) return null
  const accepted = accepts ? { acceptedAt: at, acceptedBy: { kind: 'system', id: null } as const } : {}
  return settled({ ...agent, provenAt: agent.provenAt ?? at, ...accepted }, at)
}

/** The next version of an agent, with the status that follows from what is known of it. */
export function settled(agent: Agent, at: Instant): Agent {
  const verified = agent.provenAt !== null && agent.acceptedAt !== null
  const status = agent.status === 'pending' || agent.status === 'verified' ? (verified ? 'verified' : 'pending') : agent.status
  return { ...agent, status, updatedAt: at, version: agent.version + 1 }
}
