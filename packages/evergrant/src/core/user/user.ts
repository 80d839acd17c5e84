import type { OrganizationId, UserId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** From most to least: what each may do is `roles.ts`. */
export const ROLES = ['owner', 'admin', 'operator', 'member', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/** A person who signs in. Users belong to the server; a {@link Membership} says what they are in an organization. */
export interface User {
  readonly id: UserId
  /** Lower case, unique per server; null for somebody who only ever signs in through an integration. Never an identity by itself. */
  readonly email: string | null
  readonly emailVerifiedAt: Instant | null
  readonly name: string | null
  /** The application's own name for this person: then also the owner of their connections. Unique per server. */
  readonly externalId: string | null
  /** PHC text of argon2id; null where there is no password. */
  readonly passwordHash: string | null
  readonly passwordChangedAt: Instant | null
  /** Set: may not sign in, and every session has ended. Nothing of theirs is deleted. */
  readonly disabledAt: Instant | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
  /** +1 at every change, for changes that must not overwrite another. */
  readonly version: number
}

export interface Membership {
  readonly organization: OrganizationId
  readonly user: UserId
  readonly role: Role
  readonly createdAt: Instant
}

/** The `owner` of this person's connections. */
export function ownerOf(user: Pick<User, 'id' | 'externalId'>): string {
  return user.externalId ?? user.id
}

/** How e-mail addresses are stored and compared: without spaces around, lower case, composed (NFC). */
export function normalEmail(text: string): string {
  return text.trim().normalize('NFC').toLowerCase()
}
