import { windowEnd } from '../provider/quota.ts'
import type { QuotaFacts } from '../provider/record-around.ts'
import type { Instant } from '../time.ts'
import { isFromAhead, type QuotaState } from './quotas.ts'

/** Ends of one window that differ by less are the same end: headers give whole seconds, and answers take their time. */
const SAME_WINDOW_MS = 2_000

type Counted = Pick<QuotaState, 'limit' | 'remaining' | 'resetsAt' | 'observedAt'>

/** What is known after a second word about the same quota. Within one window usage only grows: the higher one counts, whatever came first. */
function merged(known: Counted | null, said: Counted, now: Instant): Counted {
  if (known === null || known.resetsAt <= now || isFromAhead(known.observedAt, now)) return said
  const newer = said.observedAt >= known.observedAt ? said : known
  if (Math.abs(known.resetsAt - said.resetsAt) > SAME_WINDOW_MS) return newer
  const remaining =
    known.limit === null || said.limit === null || newer.limit === null
      ? Math.min(known.remaining, said.remaining)
      : Math.max(0, newer.limit - Math.max(known.limit - known.remaining, said.limit - said.remaining))
  return { ...newer, remaining }
}

/** One quota at one node: what was told, and what is under way since. */
export class QuotaWindow {
  inFlight = 0
  told: Counted | null = null
  /** Requests of the window that nothing was told about. */
  #untold = 0

  hear(said: Counted, now: Instant): void {
    const before = this.told
    this.told = merged(before, said, now)
    if (this.told !== before) this.#untold = 0
  }

  /** An answer without a word about this quota: it was counted all the same. */
  passed(): void {
    this.#untold += 1
  }

  /** Null: one more may go. Else when to ask again. A window that has passed is a fresh one. */
  closedUntil(quota: QuotaFacts | null, reservePercent: number, now: Instant): Instant | null {
    const { told } = this
    if (told === null || isFromAhead(told.observedAt, now)) return null
    if (told.resetsAt <= now) this.#begin(told, quota, now)
    const current = this.told
    if (current === null) return null
    const reserve = current.limit === null ? 0 : Math.floor((current.limit * reservePercent) / 100)
    return current.remaining - this.inFlight - this.#untold > reserve ? null : current.resetsAt
  }

  /** Of a fresh window only the limit is known, if that; it opens fully, and the next answer tells the rest. */
  #begin({ limit }: Counted, quota: QuotaFacts | null, now: Instant): void {
    this.#untold = 0
    const end = quota === null ? null : windowEnd(quota, now)
    // A limit of nothing would never let anybody find out that it was raised.
    this.told = limit === null || limit === 0 || end === null ? null : { limit, remaining: limit, resetsAt: end, observedAt: now }
  }
}
