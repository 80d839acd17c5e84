import type { FaultCode } from '../fault/fault.ts'
import type { Instant } from '../time.ts'
import type { Template } from './record-terms.ts'

/** What a token answer granted, in our words. Lifetimes became instants, counted from when the request was sent. */
export interface Granted {
  readonly accessToken: string
  /** Absent when the provider keeps the old one (RFC 6749 section 6). */
  readonly refreshToken: string | null
  readonly tokenType: string
  readonly accessExpiresAt: Instant | null
  readonly refreshExpiresAt: Instant | null
  /** The end that no refresh moves, where the answer told it. */
  readonly grantExpiresAt?: Instant | null
  readonly scopes: readonly string[] | null
  readonly account: string | null
  readonly accountLabel: string | null
  readonly idToken: string | null
  /** Values the record asks to keep: api base, instance url. */
  readonly facts: Readonly<Record<string, string>>
  /** What was odd about the answer and how it was read: `expires_in_unusable`. */
  readonly remarks?: readonly string[]
}

/** What the provider said, for evidence and people. Redacted: no value of the answer that could be a secret. */
export interface ProviderSaid {
  readonly httpStatus: number | null
  readonly code: string | null
  readonly text: string | null
}

/** The judgement of one token request (refresh-protocol.md 2.6). Pure: the same answer always gets the same verdict. */
export type Verdict =
  | { readonly kind: 'granted'; readonly grant: Granted; readonly said: ProviderSaid }
  | { readonly kind: 'pre_send'; readonly cause: string; readonly said: ProviderSaid }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | null; readonly said: ProviderSaid }
  /** `answered`: an error came back (5xx, garbage), so no orphan request is on the wire. */
  | { readonly kind: 'unknown'; readonly answered: boolean; readonly cause: string; readonly retryAfterMs: number | null; readonly said: ProviderSaid }
  | {
      readonly kind: 'dead'
      readonly code: Extract<FaultCode, 'connection_revoked' | 'connection_expired' | 'new_credentials_needed' | 'admin_approval_required' | 'account_mismatch'>
      readonly said: ProviderSaid
      /** The record's question that has to be answered before this is believed. */
      readonly confirm?: Template
    }
  | { readonly kind: 'config'; readonly said: ProviderSaid }
  /** Only at a code exchange: the authorization code is spent, expired or foreign; start the flow again. */
  | { readonly kind: 'restart_flow'; readonly said: ProviderSaid }

export type TokenStep = 'exchange' | 'refresh'
