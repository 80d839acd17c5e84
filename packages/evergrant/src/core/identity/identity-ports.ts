import type { Organization } from '../access/organization.ts'
import type { Events } from '../audit/events.ts'
import type { OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Seal } from '../seal/seal.ts'
import type { SessionService } from '../session/session-service.ts'
import type { Sessions } from '../session/sessions.ts'
import type { Clock, Entropy } from '../time.ts'
import type { Users } from '../user/users.ts'
import type { Factors } from './factor.ts'
import type { Letter } from './letter.ts'
import type { BreachedPasswords, PasswordHasher } from './passwords.ts'
import type { OneTimePasswords, PasskeyCeremonies } from './second-steps.ts'
import type { Throttles } from './throttle.ts'
import type { Tickets } from './ticket.ts'

export interface IdentityPorts {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly seal: Seal
  readonly log: Log
  readonly users: Users
  readonly tickets: Tickets
  readonly factors: Factors
  readonly throttles: Throttles
  readonly events: Pick<Events, 'append'>
  readonly organizations: { get(id: OrganizationId): Promise<Organization | undefined>; bySlug(slug: string): Promise<Organization | undefined> }
  readonly opener: Pick<SessionService, 'open' | 'refresh' | 'end'>
  readonly sessions: Pick<Sessions, 'get' | 'reauthenticated'>
  readonly hasher: PasswordHasher
  /** Words that the operator wants in no password, beside the names that are known anyway. */
  readonly passwordWords: readonly string[]
  /** Null: the operator keeps no such list. */
  readonly breached: BreachedPasswords | null
  readonly oneTimePasswords: OneTimePasswords
  readonly passkeys: PasskeyCeremonies
  readonly postbox: { post(letter: Letter, purpose: string, failed: () => void): void }
  /** Without a slash at the end. */
  readonly publicUrl: string
  /** Whether people may join without an invitation. */
  readonly signUp: 'invited' | 'open'
  /** Where people who sign up become members, and where what concerns nobody's organization is recorded. */
  readonly organization: OrganizationId
}

/** Where a request comes from: for the list of devices, for events, and for counting. */
export interface Visitor {
  readonly address: string | null
  readonly userAgent: string | null
  /** The address, or the network that one customer has: what is counted together. */
  readonly bucket: string
  /** The text that this browser keeps, see `known-device.ts`. */
  readonly device: string | null
}
