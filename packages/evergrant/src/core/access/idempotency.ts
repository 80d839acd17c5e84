import type { OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** `first`: go on and finish. `replay`: give this answer again. `mismatch`: the key was used for another request. */
export type IdempotencyOutcome =
  | { readonly kind: 'first' }
  | { readonly kind: 'replay'; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: 'running' }
  | { readonly kind: 'mismatch' }

/** The first status and body per key, kept for 24 h, also when it failed (Stripe's rule). Bodies are sealed by the caller. */
export interface Idempotency {
  begin(organization: OrganizationId, key: string, requestHash: string, at: Instant): Promise<IdempotencyOutcome>
  finish(organization: OrganizationId, key: string, status: number, body: Uint8Array): Promise<void>
  /** Forgets a key whose request never got an answer that should be repeated (validation, conflict, crash). */
  forget(organization: OrganizationId, key: string): Promise<void>
  purge(before: Instant, limit: number): Promise<number>
}
