import type { ProblemDocument } from '../evergrant-error.ts'

/** The signed-in person. */
export interface Person {
  /** `usr_...` */
  readonly id: string
  readonly email: string
  readonly email_verified: boolean
  readonly name: string | null
  /** Owner of the person's connections. */
  readonly owner: string
  readonly role: string
  readonly organization: { readonly id: string; readonly name: string }
}

/** One signed-in browser or device. Times are ISO 8601. */
export interface SessionFacts {
  /** `ses_...` */
  readonly id: string
  readonly mode: 'cookie' | 'bearer'
  readonly created_at: string
  readonly idle_expires_at: string
  readonly expires_at: string
  readonly authenticated_at: string
}

/** One connection as its owner sees it: an entry of `GET auth/token-status`. */
export interface ConnectionReport {
  readonly id: string
  readonly integration: string
  readonly provider: string
  readonly account: string | null
  readonly status: 'valid' | 'expiring' | 'refreshing' | 'needs_reauth' | 'unavailable' | 'disconnected'
  readonly connection_status: string
  readonly code: string | null
  readonly title: string | null
  readonly message: string | null
  readonly action: ProblemDocument['action']
  readonly expires_at: string | null
  readonly reconnect_url: string | null
  readonly retry_at: string | null
}

/** What sign-in, refresh and branch answer. */
export interface SessionAnswer {
  readonly access_token: string
  /** Seconds. */
  readonly expires_in: number
  readonly generation: number
  readonly server_time: string
  readonly session: SessionFacts
  readonly user: Person
  readonly refresh_token?: string
  readonly connections?: readonly ConnectionReport[]
}

/** Anything that `auth/*` may answer, before it was looked at. */
export type AuthAnswer = Partial<SessionAnswer> & Partial<ProblemDocument> & { readonly ticket?: string; readonly methods?: readonly SecondFactor[] }

export type SecondFactor = 'totp' | 'passkey' | 'recovery_code'

/** False when a proxy or a portal answered in the server's place, or took something away. */
export function isSessionAnswer(value: unknown): value is SessionAnswer {
  const answer = value as SessionAnswer | null | undefined
  return !!answer?.access_token && !!answer.session && !!answer.user && answer.expires_in > 0 && answer.generation > 0
}
