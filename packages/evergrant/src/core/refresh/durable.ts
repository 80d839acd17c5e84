import type { Log } from '../log.ts'
import type { Entropy, Timers } from '../time.ts'
import { backoffMs } from './backoff.ts'
import type { ProtocolTimes } from './protocol-times.ts'

export interface RetryPorts {
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
  readonly times: Pick<ProtocolTimes, 'commitRetryBaseMs' | 'commitRetryCapMs'>
}

/**
 * Repeats an idempotent write until the database has it, for as long as the process lives: what an issuer gave us is
 * never dropped because a database was away.
 */
export async function untilDurable<Outcome>(ports: RetryPorts, what: string, write: () => Promise<Outcome>): Promise<Outcome> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await write()
    } catch (error) {
      ports.log.warn({ what, failures, error: error instanceof Error ? error.message : 'unknown' }, 'a write is not durable yet; it will be tried again')
    }
    const { commitRetryBaseMs: baseMs, commitRetryCapMs: capMs } = ports.times
    await ports.timers.sleep(backoffMs({ baseMs, capMs, failures, floorMs: 0 }, ports.entropy.uniform()))
  }
}
