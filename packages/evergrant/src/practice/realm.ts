import type { AuthorizationCodes } from './authorization-codes.ts'
import type { ClientRegistry } from './client-registry.ts'
import type { GrantBook } from './grant-book.ts'
import type { IdTokenSigner } from './id-token.ts'
import type { ProfileSettings } from './profile.ts'

/** One profile at work: what its endpoints share. */
export interface Realm {
  /** The path prefix. */
  readonly name: string
  /** The settings of this moment. */
  readonly settings: () => ProfileSettings
  readonly issuer: () => string
  readonly book: GrantBook
  readonly codes: AuthorizationCodes
  readonly clients: ClientRegistry
  readonly signer: IdTokenSigner
  readonly now: () => number
}
