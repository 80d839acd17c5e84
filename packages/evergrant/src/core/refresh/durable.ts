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

/** A database that is away comes back; what fails this often may be a defect that somebody has to see. */
const LOUD_AFTER = 5

/**
 * Repeats an idempotent write until the database has it, for as long as the process lives: what an issuer gave us is
 * never dropped because a database was away.
 */
export async function untilDurable<Outcome>(ports: RetryPorts, what: string, write: () => Promise<Outcome>): Promise<Outcome> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await write()
    } catch (error) {
      const fields = { what, failures, error: error instanceof Error ? error.message : 'unknown' }
      if (failures < LOUD_AFTER) ports.log.warn(fields, 'a write is not durable yet; it will be tried again')
      else ports.log.error(fields, 'a write is still not durable; it goes on being tried')
    }
    const { commitRetryBaseMs: baseMs, commitRetryCapMs: capMs } = ports.times
    await ports.timers.sleep(backoffMs({ baseMs, capMs, failures, floorMs: 0 }, ports.entropy.uniform()))
  }
}
