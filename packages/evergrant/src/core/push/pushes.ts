import type { NewEvent } from '../audit/event.ts'
import type { IntegrationId, OrganizationId, PushNoticeId } from '../ids.ts'
import type { PushRule } from '../provider/record-around.ts'
import type { Instant } from '../time.ts'

/** The secret of an integration's pushes: path component, verification token, or key of their signatures, as the record says. */
export interface PushSecrets {
  readonly integration: IntegrationId
  /** Sealed, row = integration id, table `push_secret`, column `secret`. */
  readonly secret: Uint8Array
  /** The one before, sealed for the same place: still taken until `beforeUntil`. */
  readonly before: Uint8Array | null
  readonly beforeUntil: Instant | null
  readonly setAt: Instant
}

/** One thing that a push says, as it was accepted. */
export interface NewPushNotice {
  readonly id: PushNoticeId
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  /** Of the body and of what was read from it: the same push again has the same digest. */
  readonly digest: string
  readonly means: PushRule['means']
  readonly account: string | null
  /** A signature proved it. Without one, it is a hint. */
  readonly proven: boolean
  /** When it happened, in the provider's words. */
  readonly happenedAt: Instant | null
  readonly receivedAt: Instant
  /** An authorization code, sealed: row = notice id, table `push_notice`, column `code`. */
  readonly code: Uint8Array | null
  readonly facts: Readonly<Record<string, string>>
}

export interface PushNotice extends NewPushNotice {
  /** This one included. */
  readonly attempts: number
}

/** Pushes between their acceptance and what follows from them. Every write is durable when it returns. */
export interface Pushes {
  secrets(integration: IntegrationId): Promise<PushSecrets | undefined>
  setSecret(secrets: PushSecrets, event: NewEvent): Promise<void>
  /**
   * Stores what is new. What is known already changes nothing while it waits, and, once it is done, only this: a revocation is looked
   * into again, as one without proof. Returns how many were new.
   */
  accept(notices: readonly NewPushNotice[]): Promise<number>
  /** Due now, oldest first, hidden from other callers for `visibilityMs`. Costs O(limit). */
  take(limit: number, visibilityMs: number): Promise<readonly PushNotice[]>
  /** Done, with its events, in one transaction; a code is removed. Repeating it repeats nothing. */
  finish(id: PushNoticeId, events: readonly NewEvent[]): Promise<void>
  retry(id: PushNoticeId, dueAt: Instant): Promise<void>
  /** Removes what was done before `before`; at most `limit`. Returns how many. */
  forget(before: Instant, limit: number): Promise<number>
}
