import type { ConnectionId, IntegrationId } from '../ids.ts'
import { CLOCKS_DIFFER_MS, type Instant } from '../time.ts'

/** What is left of one window of a provider's quota, as its answers told it. */
export interface QuotaState {
  readonly integration: IntegrationId
  /** Whose alone it is; null: everybody's who uses this integration. */
  readonly connection: ConnectionId | null
  /** As in the record; `pause` when the provider asked for silence until `resetsAt`. */
  readonly name: string
  /** Null when the provider tells only what is left. */
  readonly limit: number | null
  readonly remaining: number
  /** The window is over then, and what is written here says nothing any more. */
  readonly resetsAt: Instant
  readonly observedAt: Instant
}

/** Name of the state that says: send nothing until `resetsAt`. */
export const PAUSE = 'pause'

/** Noted by a clock that is far ahead of this one, or was before it was set right: nobody knows when it is over. */
export function isFromAhead(observedAt: Instant, now: Instant): boolean {
  return observedAt > now + CLOCKS_DIFFER_MS
}

/** Quotas as all nodes know them. A row that is lost costs a few requests, never a grant. */
export interface Quotas {
  /** Keeps what is newer than what is stored, or than what a clock far ahead stored, and tells every node. States of single connections are forgotten a day after their window. */
  put(states: readonly QuotaState[]): Promise<void>
  /** Of one integration: everybody's, and the newest 100 of single connections. */
  of(integration: IntegrationId): Promise<readonly QuotaState[]>
}
