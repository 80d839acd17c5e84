import type { ConnectionId, OrganizationId, OwnerLetterId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** One letter to one end user about one cause: there is never a second one for the same (connection, cause). */
export interface OwnerLetter {
  readonly id: OwnerLetterId
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  readonly why: 'needs_reauth'
  /** Says the generation that ended: a reconnect begins a new cause. */
  readonly cause: string
  /** `sending` stays when the process ended meanwhile: nobody is written to twice. `skipped`: no address, healed, or not wanted. */
  readonly state: 'waiting' | 'sending' | 'sent' | 'skipped' | 'failed'
  readonly attempts: number
  readonly nextAt: Instant | null
  readonly createdAt: Instant
}
