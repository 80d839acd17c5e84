import type { NewEvent } from '../audit/event.ts'
import type { ConnectSession } from '../connect/connect-sessions.ts'
import type { Revocation } from '../connection/connections.ts'
import type { ConnectionId, OrganizationId, UserId } from '../ids.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Instant } from '../time.ts'

/** All that is held about one owner, across the tables. */
export interface Owners {
  /** Newest first; at most 200. */
  connectSessions(organization: OrganizationId, owner: string): Promise<readonly ConnectSession[]>
  /** Ids that events about this owner, and about the user with it, have as their subject, of rows that are long gone too: connect sessions, sessions. */
  eventSubjects(organization: OrganizationId, owner: string, user: UserId | null): Promise<readonly string[]>
  /** Upstream revocations of this owner's connections that are not done, taken out of the queue for `visibilityMs`. */
  takeRevocations(organization: OrganizationId, owner: string, visibilityMs: number): Promise<readonly Revocation[]>
  /**
   * Takes the person out of everything about this owner, in one transaction. Rows of connections stay, without a name, so that
   * events still say what happened to which id. `live`: these were connected meanwhile; disconnect them and come again.
   */
  erase(erasure: OwnerErasure): Promise<ErasureOutcome>
}

export interface OwnerErasure {
  readonly organization: OrganizationId
  readonly owner: string
  /** Stands where the owner stood; says nothing to whoever lacks our key. */
  readonly pseudonym: string
  readonly at: Instant
  /** Appended when there was something to erase. */
  readonly event: NewEvent
  /** The user with this owner: events of this organization about them and their sessions lose what they tell of the person. */
  readonly user: UserId | null
}

export type ErasureOutcome =
  | { readonly kind: 'erased'; readonly connections: readonly ConnectionId[]; readonly connectSessions: number }
  | { readonly kind: 'live'; readonly connections: readonly ConnectionId[] }

/** Texts in the data of events that are our own words, and so tell nothing of a person. */
const OWN_WORDS: ReadonlySet<string> = new Set(['code', 'was', 'mode', 'result', 'told_by', 'as', 'role', 'from', 'to', 'end', 'scope'])
const OWN_WORD = /^[a-z_]{1,40}$/

/** What is left of an event's data when a person is erased: numbers, truth, and our own words. A new field is left out until it is known. */
export function withoutPerson(data: JsonObject): JsonObject {
  const kept = Object.entries(data).filter(([name, value]) => isImpersonal(name, value))
  return { ...Object.fromEntries(kept), erased: true }
}

function isImpersonal(name: string, value: JsonValue): boolean {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return true
  return typeof value === 'string' && OWN_WORDS.has(name) && OWN_WORD.test(value)
}
