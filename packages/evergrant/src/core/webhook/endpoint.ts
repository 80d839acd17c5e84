import type { OrganizationId, WebhookId } from '../ids.ts'
import type { Instant } from '../time.ts'
import { CLOCKS_DIFFER_MS, HOUR, SECOND } from '../time.ts'

/** Where an application wants to hear of events. */
export interface WebhookEndpoint {
  readonly id: WebhookId
  readonly organization: OrganizationId
  readonly name: string
  readonly url: string
  /** Exact types, `connection.*`, or `*`. */
  readonly types: readonly string[]
  /** Sealed. */
  readonly secret: Uint8Array
  /** Sealed; signs beside the new one until {@link previousUntil}. */
  readonly previousSecret: Uint8Array | null
  readonly previousUntil: Instant | null
  readonly enabled: boolean
  /** Failed tries since the last one that was taken. */
  readonly failures: number
  readonly failingSince: Instant | null
  /** The circuit is open: nothing is sent before. Then one try decides. */
  readonly openUntil: Instant | null
  readonly lastDeliveredAt: Instant | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
  /** +1 for every change by a person; the circuit does not count. */
  readonly version: number
}

/** `open`: the circuit is open, deliveries wait. `off`: switched off by a person, or by the receiver with 410. */
type WebhookState = 'active' | 'failing' | 'open' | 'off'

export function stateOf({ enabled, openUntil, failures }: WebhookEndpoint): WebhookState {
  if (!enabled) return 'off'
  if (openUntil !== null) return 'open'
  return failures > 0 ? 'failing' : 'active'
}

/** What an application needs to keep its own people informed. */
export const DEFAULT_TYPES: readonly string[] = [
  'connection.created',
  'connection.needs_reauth',
  'connection.reconnected',
  'connection.expires_soon',
  'connection.disconnected',
  'connection.scope_reduced',
  'integration.blocked',
  'integration.unblocked',
]

/** Deliveries tell of nothing that deliveries cause: an endpoint would otherwise be told for ever that it does not answer. */
const OWN = 'webhook.'

export function wants(endpoint: Pick<WebhookEndpoint, 'types'>, type: string): boolean {
  if (type.startsWith(OWN)) return false
  return endpoint.types.some((wanted) => wanted === '*' || wanted === type || (wanted.endsWith('.*') && type.startsWith(wanted.slice(0, -1))))
}

/** So many failed tries in a row open the circuit. */
const OPENS_AFTER = 5
const FIRST_OPEN_MS = 30 * SECOND
const LONGEST_OPEN_MS = HOUR

/** Until when nothing is sent after one more failure; null while the circuit stays closed. `uniform` in [0, 1) spreads the endings. */
export function openUntil(failuresBefore: number, now: Instant, uniform: number): Instant | null {
  const failures = failuresBefore + 1
  if (failures < OPENS_AFTER) return null
  const ms = Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** Math.min(failures - OPENS_AFTER, 20))
  return now + Math.round(ms * (0.75 + 0.25 * uniform))
}

/** A circuit that is open until after this was opened before the clock was set back, and lets one through. */
export function longestOpen(now: Instant): Instant {
  return now + LONGEST_OPEN_MS + CLOCKS_DIFFER_MS
}
