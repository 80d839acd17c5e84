import { type Instant, MINUTE, SECOND } from '../time.ts'
import { isFromAhead } from './quotas.ts'

const FIRST_MS = SECOND
const LONGEST_MS = 5 * MINUTE

/** Silence that a provider asked for, or that we keep because it throttled us without saying for how long. */
export class Pause {
  #until: Instant = 0
  #since: Instant = 0
  #steps = 0

  until(now: Instant): Instant | null {
    return this.#until > now && !isFromAhead(this.#since, now) ? this.#until : null
  }

  /**
   * Without `askedMs` each throttled answer doubles the wait, from a second to five minutes. Requests that were under way
   * together (`sentAt` before the pause ended) are one throttling, however many answers it has. Returns the end.
   */
  throttled(askedMs: number | null, sentAt: Instant, now: Instant): Instant {
    if (askedMs !== null) return this.keep(now + askedMs, now)
    if (isFromAhead(this.#since, now)) this.#steps = 0
    if (this.#steps > 0 && sentAt < this.#until) return this.#until
    const waitMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#steps, 16))
    this.#steps += 1
    return this.keep(now + waitMs, now)
  }

  /** Somebody was served who asked after the pause. */
  served(sentAt: Instant): void {
    if (sentAt >= this.#until) this.#steps = 0
  }

  keep(until: Instant, now: Instant): Instant {
    this.#until = isFromAhead(this.#since, now) ? until : Math.max(this.#until, until)
    this.#since = now
    return this.#until
  }
}
