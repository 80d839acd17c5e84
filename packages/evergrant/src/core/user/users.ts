import type { NewEvent } from '../audit/event.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import type { Ticket, TicketPurpose } from '../identity/ticket.ts'
import type { OrganizationId, SessionId, UserId } from '../ids.ts'
import type { SessionEnd } from '../session/session.ts'
import type { Instant } from '../time.ts'
import type { Membership, Role, User } from './user.ts'

/** Who a person is at another issuer: found by these two, never by e-mail (ASVS 6.8.1). */
export interface Identity {
  /** The issuer of an OIDC provider, else `provider:<record id>`. */
  readonly issuer: string
  /** The account's own id there. */
  readonly subject: string
  readonly user: UserId
  readonly createdAt: Instant
}

export interface Member {
  readonly user: User
  readonly membership: Membership
}

/** What of a person ends together with a change of them, all or nothing: a crash between the two would leave a thief signed in. */
export interface PersonEnding {
  readonly end: SessionEnd
  /** This session and its branches go on; null: none does. */
  readonly except: SessionId | null
  readonly tickets: readonly TicketPurpose[]
  /** Accounts at other issuers that were added to this person: true, where whoever added them was somebody else. */
  readonly identities: boolean
  readonly at: Instant
  /** Appended when a session ended. */
  readonly event: NewEvent
  /** Nothing is changed when it was used before. */
  readonly spends?: Spending
  readonly joins?: { readonly membership: Membership; readonly event: NewEvent }
}

/** The ticket that a change uses up: a crash between the two would cost somebody their link. */
export type Spending = Pick<Ticket, 'hash' | 'purpose'>

/** What a decision about a member rests on: it still holds when the role is written, or nothing is. */
export interface Decision {
  /** What the member was. */
  readonly held: Role
  /** Who decided, and what they were; null: a backend or the command line. */
  readonly by: Pick<Membership, 'user' | 'role'> | null
}

/** What the erasure of a whole person rests on. Without it they are erased whoever decided, wherever they belong. */
export interface ErasureBasis {
  /** Where their part was erased before. Nothing is erased while they belong anywhere else. */
  readonly within: readonly OrganizationId[]
  /** About their membership in the first of these. */
  readonly decision?: Decision | undefined
}

export interface Users {
  /** Inserts a user with a first membership, and perhaps an identity, in one transaction. */
  insert(
    user: User,
    membership: Membership,
    identity: Identity | null,
    event: NewEvent,
    spends?: Spending,
  ): Promise<'inserted' | 'email_taken' | 'external_id_taken' | 'identity_taken' | 'ticket_spent'>
  get(id: UserId): Promise<User | undefined>
  byEmail(email: string): Promise<User | undefined>
  byExternalId(externalId: string): Promise<User | undefined>
  byIdentity(issuer: string, subject: string): Promise<User | undefined>
  addIdentity(identity: Identity, event: NewEvent): Promise<'added' | 'taken'>
  identitiesOf(user: UserId): Promise<readonly Identity[]>
  /**
   * Writes all fields when the stored version is one below, and ends what has to end with it; announces `{ kind: 'user' }`. Disabling is refused for the
   * last owner of an organization who is enabled. `within`: the organizations that the decision looked at; `elsewhere` when the person belongs to another
   * by now.
   */
  update(
    user: User,
    event: NewEvent,
    ending?: PersonEnding,
    within?: readonly OrganizationId[],
  ): Promise<'updated' | 'moved' | 'email_taken' | 'external_id_taken' | 'ticket_spent' | 'last_owner' | 'elsewhere'>
  /**
   * Takes the person out of every table; events keep their id, and tell nothing of them. Sessions end in the same transaction. Refused for the last owner
   * of an organization. `elsewhere`, `moved`: what it rests on is not so any more, and nothing was erased.
   */
  erase(id: UserId, at: Instant, event: NewEvent, basis?: ErasureBasis): Promise<'erased' | 'gone' | 'last_owner' | 'elsewhere' | 'moved'>
  membershipsOf(user: UserId): Promise<readonly Membership[]>
  /** By id, oldest first. */
  list(organization: OrganizationId, page: PageRequest): Promise<Page<Member>>
  /** `version`: of the person, as the decision saw them; `moved` when they were changed since. `gone`: they were erased. */
  addMember(
    membership: Membership,
    event: NewEvent,
    spends?: Spending,
    version?: User['version'],
  ): Promise<'added' | 'already' | 'ticket_spent' | 'gone' | 'moved'>
  /**
   * Refused for the last owner who is enabled: an organization without one can be mended by nobody. `moved`: what the decision rests on is not so any more. Without a
   * decision it is written whoever decided.
   */
  changeRole(organization: OrganizationId, user: UserId, role: Role, event: NewEvent, decision?: Decision): Promise<'changed' | 'gone' | 'last_owner' | 'moved'>
  /** Ends the person's sessions in this organization, too. */
  removeMember(
    organization: OrganizationId,
    user: UserId,
    at: Instant,
    event: NewEvent,
    decision?: Decision,
  ): Promise<'removed' | 'gone' | 'last_owner' | 'moved'>
  /** True while nobody has ever signed up: then the first one may become its owner. */
  none(): Promise<boolean>
}
