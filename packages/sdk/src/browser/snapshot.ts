import type { Person, SessionFacts } from './answers.ts'

/**
 * `unknown` until the first request, `refresh()` or `accessToken()`. `refreshing`: requests wait for a new token. `degraded` and
 * `offline`: still signed in, no new token can be had now.
 */
export type SessionStatus = 'unknown' | 'authenticated' | 'refreshing' | 'degraded' | 'offline' | 'signed_out'

/** Immutable; the same object until something changes. Holds no credential. */
export interface EvergrantState {
  readonly status: SessionStatus
  readonly user: Person | null
  readonly session: SessionFacts | null
  /** Why nobody is signed in: a code of the server, for `signed_out`. */
  readonly code: string | null
  /** When the next refresh is tried; only for `degraded` and `offline`. */
  readonly retryAt: Date | null
  /** The server's clock minus this device's, in milliseconds. */
  readonly clockSkewMs: number
}

export interface EvergrantEvents {
  signed_in: { readonly user: Person }
  /** Once for each end, whoever noticed it first. */
  signed_out: { readonly code: string }
  refreshed: { readonly generation: number }
  degraded: { readonly retryAt: Date }
  recovered: { readonly generation: number }
  /** A request waits for a refresh. */
  queued: { readonly url: string }
  replayed: { readonly url: string }
  /** A new token was refused like the old one (at `url`), or the refresh gave no new one. */
  refresh_ineffective: { readonly url: string | null }
}

export type EventName = keyof EvergrantEvents

export const START: EvergrantState = { status: 'unknown', user: null, session: null, code: null, retryAt: null, clockSkewMs: 0 }
