import type { ConnectionId, IntentId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** The exclusive, expiring, fenced right to start spending a connection's refresh token. Times are the database's. */
interface Lease {
  readonly owner: string
  readonly incarnation: string
  readonly epoch: number
  readonly until: Instant
}

/** The durable note, written before a refresh is sent, that this generation's refresh token may now be spent. */
interface Intent {
  readonly id: IntentId
  readonly generation: number
  readonly at: Instant
}

/** The oldest presentation of the current generation whose outcome is not known. */
export interface Suspicion {
  readonly intent: IntentId
  readonly at: Instant
  /** True when the provider answered with an error (5xx): no orphan request is on the wire. */
  readonly answered: boolean
}

/** The secret row: written only by the protocol. Tokens are sealed for row `<connection>#<generation>`, table `credential`. */
export interface Credential {
  readonly connection: ConnectionId
  /** +1 whenever a new credential is stored. Starts at 1. */
  readonly generation: number
  readonly accessToken: Uint8Array | null
  readonly refreshToken: Uint8Array | null
  /** Keyed HMAC of the refresh token; null when there is none. */
  readonly fingerprint: string | null
  readonly tokenType: string
  /** When the request that produced this credential was sent: lifetimes count from here. */
  readonly obtainedAt: Instant
  readonly accessExpiresAt: Instant | null
  readonly refreshExpiresAt: Instant | null
  /** Drawn once per credential and persisted (RFC 9773 style): background renewal from here ... */
  readonly softAt: Instant | null
  /** ... and from here callers wait for the flight. */
  readonly hardAt: Instant | null
  /** Counts claims, for ever: a claim names the epoch it planned with, so that nobody starts on a stale plan. */
  readonly epoch: number
  readonly lease: Lease | null
  readonly intent: Intent | null
  readonly suspicion: Suspicion | null
}

/** A new credential, ready to be stored; tokens sealed for the generation they will have. */
export type NewCredential = Omit<Credential, 'connection' | 'generation' | 'epoch' | 'lease' | 'intent' | 'suspicion'>
