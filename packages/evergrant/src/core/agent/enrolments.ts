import type { Actor, NewEvent } from '../audit/event.ts'
import type { AgentId, EnrolmentId, OrganizationId } from '../ids.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { Installation } from './installation.ts'
import type { InstallationStanding } from './installations.ts'
import type { SdkToken } from './sdk-token.ts'

/** A permission to enrol once. Its text is never stored. A device request has no agent until a person approves it. */
export interface Enrolment {
  readonly id: EnrolmentId
  /** SHA-256 of the secret, base64url. */
  readonly hash: string
  readonly door: 'code' | 'device'
  readonly organization: OrganizationId | null
  readonly agent: AgentId | null
  /** Of the installation to be; the machine may say another. */
  readonly name: string | null
  /** Device flow: what the person types, upper case without dash; null for codes. */
  readonly userCode: string | null
  readonly status: 'open' | 'approved' | 'denied' | 'used' | 'withdrawn'
  /** What the machine says about itself while it waits: host and platform, shown to whoever approves. */
  readonly asked: { readonly host: string | null; readonly platform: string | null; readonly address: string | null }
  readonly createdBy: Actor
  readonly createdAt: Instant
  readonly expiresAt: Instant
  /** Device flow: polls before this are too fast. */
  readonly nextPollAt: Instant | null
  readonly intervalMs: number
  /** The key that used it: the same key with the same attempt is answered again. */
  readonly usedBy: string | null
  readonly usedAttempt: string | null
  readonly installation: Installation['id'] | null
}

export type Enrolling =
  | { readonly kind: 'enrolled'; readonly standing: InstallationStanding; readonly token: SdkToken; readonly again: boolean }
  /** Unknown, used by another key, withdrawn or over: nobody is told which. */
  | { readonly kind: 'refused' }
  /** This workload was stopped, as the installation that is named. */
  | { readonly kind: 'kept_out'; readonly installation: Installation['id'] }

/** How long the answer of an enrolment may be asked for again. */
export const ENROLMENT_REPEAT_MS = 10 * MINUTE

export interface EnrolRequest {
  /** Null: the door was a workload identity, and there is nothing to spend. */
  readonly enrolment: EnrolmentId | null
  readonly installation: Installation
  readonly token: SdkToken
  readonly enrolled: NewEvent
  /** Written when the agent becomes verified by this. */
  readonly verified: NewEvent
}

/** Permissions to enrol. Times are the database's own. */
export interface Enrolments {
  insert(enrolment: Enrolment, event: NewEvent | null): Promise<void>
  find(hash: string): Promise<Enrolment | undefined>
  byUserCode(userCode: string): Promise<Enrolment | undefined>
  /** Open codes of an agent, newest first. */
  openOf(organization: OrganizationId, agent: AgentId): Promise<readonly Enrolment[]>
  /** A person decides about a device request; once. */
  decide(
    id: EnrolmentId,
    decision: { readonly status: 'approved' | 'denied'; readonly organization: OrganizationId; readonly agent: AgentId | null; readonly name: string | null },
    event: NewEvent,
  ): Promise<'decided' | 'gone'>
  /** Counts a poll of a device; false when it came too early, and the interval grew by 5 s (RFC 8628 section 3.5). */
  poll(id: EnrolmentId, at: Instant): Promise<boolean>
  withdraw(organization: OrganizationId, id: EnrolmentId, event: NewEvent): Promise<'withdrawn' | 'gone'>
  /**
   * Spends the permission, stores the installation with its first token and marks the agent as proven, in one transaction. Of any number of concurrent
   * calls one key gets it; the same key and attempt get the same installation again for ten minutes.
   */
  enrol(request: EnrolRequest): Promise<Enrolling>
  purge(before: Instant, limit: number): Promise<number>
}
