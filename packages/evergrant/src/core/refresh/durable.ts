import type { Log } from '../log.ts'
import type { Entropy, Timers } from '../time.ts'
import { backoffMs } from './backoff.ts'
import type { ProtocolTimes } from './protocol-times.ts'

interface RetryPorts {
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
  readonly times: Pick<ProtocolTimes, 'commitRetryBaseMs' | 'commitRetryCapMs'>
  /** Where writes that keep failing are shown; without it they are only logged. */
  readonly stuck?: StuckWrites
}

/** A database that is away comes back; what fails this often may be a defect that somebody has to see. */
const LOUD_AFTER = 5

/** Writes that go on being tried after many failures. Health shows them: only a person can mend a defect. */
export class StuckWrites {
  readonly #what = new Map<object, string>()

  /** How many of each kind, such as `grant` or `failure`. */
  kinds(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const what of this.#what.values()) counts[what] = (counts[what] ?? 0) + 1
    return counts
  }

  add(write: object, what: string): void {
    this.#what.set(write, what)
  }

  end(write: object): void {
    this.#what.delete(write)
  }
}

/**
 * Repeats an idempotent write until the database has it, for as long as the process lives: what an issuer gave us is
 * never dropped because a database was away.
 */
export async function untilDurable<Outcome>(ports: RetryPorts, what: string, write: () => Promise<Outcome>): Promise<Outcome> {
  for (let failures = 0; ; failures += 1) {
    try {
      const outcome = await write()
      ports.stuck?.end(write)
      return outcome
    } catch (error) {
      const fields = { what, failures, error: error instanceof Error ? error.message : 'unknown' }
      if (failures < LOUD_AFTER) ports.log.warn(fields, 'a write is not durable yet; it will be tried again')
      else {
        ports.stuck?.add(write, what)
        ports.log.error(fields, 'a write is still not durable; it goes on being tried')
      }
    }
    const { commitRetryBaseMs: baseMs, commitRetryCapMs: capMs } = ports.times
    await ports.timers.sleep(backoffMs({ baseMs, capMs, failures, floorMs: 0 }, ports.entropy.uniform()))
  }
}
