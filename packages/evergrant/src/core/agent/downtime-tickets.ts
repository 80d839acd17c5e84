import { type Clock, type Instant, MINUTE } from '../time.ts'
import type { Installations } from './installations.ts'

/** No node said that it lives for so long: nobody could refresh. Nodes say it every minute. */
const GAP_MS = 3 * MINUTE
/** Tokens that end this soon after are excused, too: their machines are only beginning to come back. */
const AFTER_MS = 10 * MINUTE
const BATCH = 500
const NAME = 'installations_reachable_at'

interface DowntimePorts {
  readonly clock: Pick<Clock, 'wall'>
  readonly installations: Pick<Installations, 'excuse'>
  readonly meta: { get(name: string): Promise<Uint8Array | undefined>; put(name: string, value: Uint8Array): Promise<void> }
}

/** A token that ended while all of our nodes were down did not end by its machine's fault: its recovery counts against no limit and no breaker. */
export class DowntimeTickets {
  readonly #ports: DowntimePorts

  constructor(ports: DowntimePorts) {
    this.#ports = ports
  }

  /** Says that installations can reach us now, and excuses what ended while they could not. Returns how many tokens that were. Safe to repeat. */
  async tick(): Promise<number> {
    const { clock, meta } = this.#ports
    const now = clock.wall()
    const last = await this.#last()
    const excused = last !== null && now - last > GAP_MS ? await this.#excuse(last, now + AFTER_MS) : 0
    // Afterwards: who is interrupted excuses them at the next start.
    await meta.put(NAME, encoded(now))
    return excused
  }

  async #excuse(from: Instant, to: Instant): Promise<number> {
    let excused = 0
    for (;;) {
      const count = await this.#ports.installations.excuse(from, to, BATCH)
      excused += count
      if (count < BATCH) return excused
    }
  }

  async #last(): Promise<Instant | null> {
    const stored = await this.#ports.meta.get(NAME)
    if (stored === undefined) return null
    const at = Number(String.fromCharCode(...stored))
    return Number.isSafeInteger(at) ? at : null
  }
}

function encoded(at: Instant): Uint8Array {
  return Uint8Array.from(String(at), (digit) => digit.charCodeAt(0))
}
