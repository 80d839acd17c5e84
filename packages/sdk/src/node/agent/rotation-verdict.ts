import type { Answer } from './exchange.ts'
import { retryAfterOf } from './exchange.ts'
import { textOf } from './server-link.ts'

/** What an answer to refresh or recover asks of the client. `docs/reference/sdk-protocol.md`, "What a client does". */
type RotationVerdict =
  | { readonly kind: 'granted' | 'recover' | 'refresh' | 'rekey' | 'stranger' }
  /** Somebody may have newer credentials here. `afterMs`: when a new attempt makes sense where nobody has; null: now. */
  | { readonly kind: 'reload'; readonly afterMs: number | null }
  | Ending

/** No token for now. */
export type Ending =
  | { readonly kind: 'pending'; readonly approval: string; readonly why: string; readonly afterMs: number }
  /** The same attempt again, later. `afterMs`: as the server says; null where it does not. */
  | { readonly kind: 'later'; readonly afterMs: number | null }
  /** This credential goes on no more. `afterMs`: when asking again makes sense, because somebody may have lifted it; null: never. */
  | { readonly kind: 'stopped'; readonly afterMs: number | null }

const MINUTE_MS = 60_000
const PENDING_MS = 30_000
/** Nothing lifts these for this token. */
const FINAL = new Set(['recovery_forbidden', 'recovery_denied', 'installation_retired', 'installation_expired', 'agent_revoked'])
/** A person lifts these without touching this machine. */
const LIFTED_MS = 5 * MINUTE_MS
/** A token that nobody knows: the server may have been given back its keys or its data. */
const UNKNOWN_MS = 60 * MINUTE_MS

export function verdictOf(answer: Answer, now: number): RotationVerdict {
  const { status, body, headers } = answer
  const code = textOf(body, 'code') ?? ''
  const afterMs = retryAfterOf(headers, now, body['retry_at'])
  if (status === 200) return { kind: 'granted' }
  if (status === 202) return pendingOf(body)
  if (code === 'sdk_token_expired' || code === 'sdk_token_rotated') return { kind: 'recover' }
  if (code === 'use_refresh') return { kind: 'refresh' }
  if (code === 'rekey_required') return { kind: 'rekey' }
  if (code === 'attempt_over' || code === 'reload_credentials') return { kind: 'reload', afterMs }
  if (code === 'sdk_token_invalid') return { kind: 'stranger' }
  if (code === 'recovery_limit_reached' || code === 'recovery_cooldown') return { kind: 'stopped', afterMs: afterMs ?? LIFTED_MS }
  if (status === 429 || status >= 500 || status === 408) return { kind: 'later', afterMs }
  if (FINAL.has(code)) return { kind: 'stopped', afterMs: null }
  return { kind: 'stopped', afterMs: LIFTED_MS }
}

export const UNKNOWN_TOKEN: Ending = { kind: 'stopped', afterMs: UNKNOWN_MS }

function pendingOf(body: Answer['body']): RotationVerdict {
  const approval = body['approval']
  const { id, why } = typeof approval === 'object' && approval !== null ? (approval as { readonly id?: unknown; readonly why?: unknown }) : {}
  const seconds = body['retry_after']
  return {
    kind: 'pending',
    approval: typeof id === 'string' ? id : '',
    why: typeof why === 'string' ? why : 'policy',
    afterMs: typeof seconds === 'number' ? seconds * 1_000 : PENDING_MS,
  }
}
