import type { NewEvent } from '../audit/event.ts'
import type { GrantReplacement, NewConnection } from '../connection/connections.ts'
import type { ConnectionId, ConnectSessionId, UserId } from '../ids.ts'
import type { Membership, User } from '../user/user.ts'
import type { Identity } from '../user/users.ts'

/** The end of one sign-in through a provider, all or nothing. */
export interface SignInCommit {
  readonly session: ConnectSessionId
  /** Whose it turned out to be: from then on the flow is found with everything else of theirs. */
  readonly owner: string
  /** `connect.completed`. */
  readonly event: NewEvent
  readonly person: PersonChange
  readonly grant: GrantChange
}

export type PersonChange =
  | { readonly kind: 'new'; readonly user: User; readonly membership: Membership; readonly identity: Identity; readonly event: NewEvent }
  /** `identity` and `membership`: what this person gains by it. */
  | {
      readonly kind: 'known'
      readonly user: UserId
      readonly identity: { readonly identity: Identity; readonly event: NewEvent } | null
      readonly membership: { readonly membership: Membership; readonly event: NewEvent } | null
    }

export type GrantChange =
  | { readonly kind: 'insert'; readonly connection: NewConnection }
  | { readonly kind: 'replace'; readonly replacement: GrantReplacement }
  /** A newer consent of the same account is stored already. */
  | { readonly kind: 'keep'; readonly connection: ConnectionId }

/**
 * `not_staged`: another call was first, or the flow is over. `identity_taken`: somebody has this identity by now. `person_gone`: erased or disabled
 * meanwhile, or, where they join by it, named by another organization. `grant_moved`: the connection is not as it was seen. In all of them nothing was written: look again.
 */
export type SignInOutcome = 'committed' | 'not_staged' | 'identity_taken' | 'person_gone' | 'grant_moved'

export interface SignIns {
  commit(commit: SignInCommit): Promise<SignInOutcome>
}
