import { SYSTEM_ACTOR } from '../audit/event.ts'
import { newId } from '../ids.ts'
import { type Clock, DAY, type Entropy, type Instant } from '../time.ts'
import type { Credentials, DueWarning, WarningStep } from './credentials.ts'
import { nextWarnAt, warningDue } from './grant-lifetime.ts'

export interface WarningPorts {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly credentials: Pick<Credentials, 'dueWarnings' | 'warn'>
}

const BATCH = 200

/**
 * Writes the warnings that are due, `connection.expires_soon` once for each of 30, 7 and 1 days before the end; at the end
 * itself the connection is looked at, so that its provider says what it is. Returns how many rows it went through.
 */
export async function warnOfEnds({ clock, entropy, credentials }: WarningPorts): Promise<number> {
  const due = await credentials.dueWarnings(BATCH)
  const now = clock.wall()
  if (due.length > 0) await credentials.warn(due.map((one) => stepOf(one, now, entropy)))
  return due.length
}

/** True when there may be more. */
export async function warnBatch(ports: WarningPorts): Promise<boolean> {
  return (await warnOfEnds(ports)) === BATCH
}

/** Nobody is told of the end of what has ended already, or of what its owner ended. */
function stepOf(due: DueWarning, now: Instant, entropy: Entropy): WarningStep {
  const { connection, organization, endsAt, warnAt, state } = due
  const step = { connection, endsAt, warnAt, nextWarnAt: state === 'disconnected' ? null : nextWarnAt(endsAt, Math.max(now, warnAt)) }
  if (state !== 'active' && state !== 'paused') return { ...step, dueAt: null, event: null }
  const days = warningDue(endsAt, now)
  if (days === null) return { ...step, dueAt: state === 'active' && now >= endsAt ? now : null, event: null }
  return {
    ...step,
    dueAt: null,
    event: {
      id: newId('evt', entropy),
      organization,
      type: 'connection.expires_soon',
      at: now,
      actor: SYSTEM_ACTOR,
      connection,
      subject: null,
      data: { ends_at: endsAt, days_left: Math.ceil((endsAt - now) / DAY), warning_days: days },
    },
  }
}
