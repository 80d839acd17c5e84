import { isMachineGrant } from './grant-kind.ts'
import type { GrantKind } from './record.ts'

/** How a reconnect says who comes back from the provider. */
export type ReconnectMode = 'link' | 'verified' | 'signed_in'

interface Subject {
  /** Null: the record left the catalogue. */
  readonly grant: GrantKind | null
  /** The provider proves the account of a grant, see decision 0057. */
  readonly linkRepairs: boolean
  /** The account at the provider is stored, so that another one is noticed. */
  readonly accountKnown: boolean
}

/** How a grant can be given again in a browser. None: nobody is asked in one, and new credentials are sent instead. */
export function reconnectModes({ grant, linkRepairs, accountKnown }: Subject): readonly ReconnectMode[] {
  if (grant === null || isMachineGrant(grant)) return []
  return linkRepairs && accountKnown ? ['link', 'verified', 'signed_in'] : ['verified', 'signed_in']
}
