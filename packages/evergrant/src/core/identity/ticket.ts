import { isToken, randomToken } from '../connect/random-token.ts'
import { Fault } from '../fault/fault.ts'
import type { OrganizationId, UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Seal } from '../seal/seal.ts'
import { DAY, type Entropy, HOUR, type Instant, MINUTE } from '../time.ts'

export type TicketPurpose =
  | 'sign_up'
  | 'verify_email'
  | 'reset_password'
  | 'invitation'
  | 'second_factor'
  | 'passkey_sign_in'
  | 'passkey_registration'
  | 'reauthentication'
  | 'setup'
  | 'owner_page'
  | 'owner_visit'

export const TICKET_LIFE_MS: Readonly<Record<TicketPurpose, number>> = {
  sign_up: DAY,
  verify_email: DAY,
  reset_password: HOUR,
  invitation: 7 * DAY,
  second_factor: 5 * MINUTE,
  passkey_sign_in: 5 * MINUTE,
  passkey_registration: 5 * MINUTE,
  reauthentication: 5 * MINUTE,
  setup: DAY,
  owner_page: 30 * MINUTE,
  owner_visit: 30 * MINUTE,
}

/** Those by which somebody shows or adds a factor: they do not outlive the factors. */
export const FACTOR_TICKETS: readonly TicketPurpose[] = ['second_factor', 'passkey_registration', 'reauthentication']

/** A single-use permission to do one thing. Its text is never stored. */
export interface Ticket {
  /** SHA-256 of the text, base64url. The text has 256 random bits, so a plain hash says nothing of it. */
  readonly hash: string
  readonly purpose: TicketPurpose
  /** Whose it is; null while there is nobody yet. */
  readonly user: UserId | null
  readonly organization: OrganizationId | null
  /** What its use will need: an address, a role, a mode. Never a secret. */
  readonly data: JsonObject
  /** Wrong answers so far. */
  readonly attempts: number
  readonly createdAt: Instant
  readonly expiresAt: Instant
}

/** Times are the database's own. A ticket that is spent, too old or of another purpose is as unknown as a made-up one. */
export interface Tickets {
  insert(ticket: Ticket): Promise<void>
  /** A live one, unspent by this look. */
  find(hash: string, purpose: TicketPurpose): Promise<Ticket | undefined>
  /** Counts one attempt at a live one with fewer than `limit`; undefined when there is none. */
  attempt(hash: string, purpose: TicketPurpose, limit: number): Promise<Ticket | undefined>
  /**
   * Ends it, once: of any number of concurrent calls one gets the ticket, and nothing of its data stays behind. With a `reset_password` or `verify_email` end all others
   * of this purpose of the same user, and with a `setup` all other setups.
   */
  spend(hash: string, purpose: TicketPurpose): Promise<Ticket | undefined>
  /** Live invitations of an organization, newest first. */
  invitations(organization: OrganizationId): Promise<readonly Ticket[]>
  /** Ends those that can still be used. Returns how many. */
  endAll(user: UserId, purposes: readonly TicketPurpose[]): Promise<number>
  purge(before: Instant, limit: number): Promise<number>
}

/** A new ticket and its text, which only its holder will ever have. */
export function newTicket(
  wanted: Pick<Ticket, 'purpose' | 'user' | 'organization' | 'data'>,
  { entropy, seal, at }: { readonly entropy: Entropy; readonly seal: Pick<Seal, 'digest'>; readonly at: Instant },
): { readonly ticket: Ticket; readonly text: string } {
  const text = randomToken(entropy)
  return { text, ticket: { ...wanted, hash: seal.digest(text), attempts: 0, createdAt: at, expiresAt: at + TICKET_LIFE_MS[wanted.purpose] } }
}

/** What somebody is told whose ticket is of no use any more. */
export function spentFault(): Fault {
  return new Fault('link_spent', { detail: 'This link was used already, or is too old, or was not copied whole. Ask for a new one.' })
}

/** The hash to look for; null when the text is certainly no ticket. */
export function ticketHash(text: string, seal: Pick<Seal, 'digest'>): string | null {
  return isToken(text) ? seal.digest(text) : null
}
