import type { NewEvent } from '../audit/event.ts'
import type { OrganizationId, SessionId, UserId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { Role, User } from '../user/user.ts'
import type { Judgement, Lifetimes } from './rotation.ts'
import type { Session, SessionEnd, SessionMode } from './session.ts'

/** A session and who it is: what every request of a person needs, in one read. */
export interface SignedIn {
  readonly session: Session
  readonly user: User
  /** In the session's organization, now; null when the membership is over. */
  readonly role: Role | null
  /** The organization asks people with this role for a second factor, now. */
  readonly factorDemanded: boolean
}

/** `refused`: a credential of this session was shown where it does not live, or without its key. Nothing was judged, and nothing written. */
export type Presented =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly why: Misplaced }
  | { readonly kind: 'known'; readonly judgement: Judgement; readonly signedIn: SignedIn }

export type Misplaced = 'mode' | 'key'

/** Where a credential was shown, and with what. */
export interface Shown {
  /** The cookie, or a body. */
  readonly mode: SessionMode
  /** RFC 7638 thumbprint of the key that the request was proven with; null: with none. */
  readonly key: string | null
}

/** Sessions. Times are the database's own (decision 0019). */
export interface Sessions {
  open(session: Session, event: NewEvent): Promise<void>
  get(id: SessionId): Promise<SignedIn | undefined>
  /**
   * Judges and applies in one transaction, under the row's lock: concurrent presentations on any nodes have one lineage.
   * `signedIn` is the state afterwards.
   */
  present(presentation: PresentationInput): Promise<Presented>
  /** The first sight of a generation in use. Without effect when it is not the current one or was seen before. */
  markUsed(marks: readonly { readonly session: SessionId; readonly generation: number; readonly at: Instant }[]): Promise<void>
  /** Live ones, newest first. */
  listOf(user: UserId): Promise<readonly Session[]>
  /** Ends one and its branches. One that is `replaced` is over by the clock of the store, whatever `at` says. */
  end(id: SessionId, end: SessionEnd, at: Instant, event: NewEvent): Promise<'ended' | 'already' | 'gone'>
  /** Ends all of a user's, `except` and its branches left out; returns those that were live. */
  endAll(user: UserId, scope: EndScope, end: SessionEnd, at: Instant, event: NewEvent): Promise<readonly SessionId[]>
  /** The person proved again who they are. */
  reauthenticated(id: SessionId, methods: Session['methods'], at: Instant): Promise<void>
  switchOrganization(id: SessionId, organization: OrganizationId): Promise<void>
  /** Rows of sessions that ended before `before`: their credentials are then unknown, and refused as such. */
  purge(before: Instant, limit: number): Promise<number>
}

/** Crosses threads, so it carries no function: events are made from this. */
export interface PresentationInput extends Lifetimes {
  readonly session: SessionId
  readonly generation: number
  readonly at: Instant
  /** Ids of the event that the judgement may need. */
  readonly eventId: NewEvent['id']
  readonly address: string | null
  readonly userAgent: string | null
  /** Null: presented by this server itself, for somebody whose request was let in already. */
  readonly shown: Shown | null
}

export interface EndScope {
  readonly except: SessionId | null
  /** Null: in every organization. */
  readonly organization: OrganizationId | null
}
