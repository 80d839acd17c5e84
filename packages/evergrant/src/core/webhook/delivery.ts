import type { DeliveryId, EventId, OrganizationId, WebhookId } from '../ids.ts'
import { backoffMs } from '../refresh/backoff.ts'
import { CLOCKS_DIFFER_MS, DAY, HOUR, type Instant, SECOND } from '../time.ts'

/** `failed`: not tried any more by itself; a person may replay it. */
export type DeliveryState = 'waiting' | 'delivered' | 'failed'

/** One event on its way to one endpoint. There is one for each pair, however often it is sent. */
export interface Delivery {
  readonly id: DeliveryId
  readonly organization: OrganizationId
  readonly endpoint: WebhookId
  readonly event: EventId
  readonly type: string
  readonly state: DeliveryState
  /** Since it was made or replayed. */
  readonly attempts: number
  /** When it is sent next; a claim moves it to the end of the claim. Null when nothing more happens by itself. */
  readonly nextAt: Instant | null
  readonly createdAt: Instant
  /** After this no further try is planned. */
  readonly expiresAt: Instant
  readonly finishedAt: Instant | null
}

/** One request of ours, and what came of it. */
export interface DeliveryTry {
  readonly at: Instant
  /** Null when there was no answer. */
  readonly status: number | null
  readonly durationMs: number
  /** A stable code such as `timeout` or `ECONNREFUSED`; null when there was an answer. */
  readonly error: string | null
  /** The first 500 characters of the answer, with what looks like a secret taken out. */
  readonly excerpt: string | null
}

export const KEEP_TRYING_MS = 3 * DAY
const FIRST_WAIT_MS = 10 * SECOND
const LONGEST_WAIT_MS = 8 * HOUR
/** A test is sent once. */
export const ONCE_MS = 0

/** When a delivery is tried again after a failure; null when its time is over. */
export function nextTry(
  delivery: Pick<Delivery, 'attempts' | 'expiresAt'>,
  { now, retryAfterMs, uniform }: { readonly now: Instant; readonly retryAfterMs: number | null; readonly uniform: number },
): Instant | null {
  if (now >= delivery.expiresAt) return null
  const waitMs = backoffMs({ baseMs: FIRST_WAIT_MS, capMs: LONGEST_WAIT_MS, failures: delivery.attempts, floorMs: retryAfterMs ?? 0 }, uniform)
  // The last try is at the very end, not after it.
  return Math.min(now + waitMs, delivery.expiresAt)
}

/** No delivery waits for longer than it lives: one that is to go out after this was put off before the clock was set back, and is due. */
export function longestWait(now: Instant): Instant {
  return now + KEEP_TRYING_MS + CLOCKS_DIFFER_MS
}
