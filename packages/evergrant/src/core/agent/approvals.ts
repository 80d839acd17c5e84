import type { Actor, NewEvent } from '../audit/event.ts'
import type { AgentId, ApprovalId, ConnectionId, InstallationId, OrganizationId, UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'

/** Something that waits for a person: a recovery, or the use of a sensitive connection. */
export interface Approval {
  readonly id: ApprovalId
  readonly organization: OrganizationId
  readonly kind: 'recovery' | 'use'
  readonly agent: AgentId
  readonly installation: InstallationId
  readonly connection: ConnectionId | null
  /** Recovery: the attempt that asks; a repeat of it is the poll. */
  readonly attempt: string | null
  readonly status: 'pending' | 'approved' | 'denied' | 'used'
  /** What the person sees: key fingerprint, host hints, reason, address. Never a secret. */
  readonly shown: JsonObject
  readonly askedAt: Instant
  readonly decidedAt: Instant | null
  readonly decidedBy: Actor | null
  /** A pending one is over then; an approval of a use holds until then. */
  readonly expiresAt: Instant
}

export interface Approvals {
  /** Returns the pending or approved one that stands already for the same use, else stores this. */
  ask(approval: Approval, event: NewEvent): Promise<Approval>
  get(organization: OrganizationId, id: ApprovalId): Promise<Approval | undefined>
  /** Newest first. `owner`: of agents of this person. */
  list(
    organization: OrganizationId,
    filter: { readonly status?: Approval['status']; readonly owner?: UserId; readonly limit: number; readonly after: ApprovalId | null },
  ): Promise<readonly Approval[]>
  decide(
    organization: OrganizationId,
    id: ApprovalId,
    decision: { readonly status: 'approved' | 'denied'; readonly by: Actor; readonly expiresAt: Instant },
    event: NewEvent,
  ): Promise<'decided' | 'already' | 'gone'>
  /** One that holds now for this use. */
  standing(installation: InstallationId, connection: ConnectionId): Promise<Approval | undefined>
  purge(before: Instant, limit: number): Promise<number>
}
