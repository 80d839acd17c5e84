import type { ConnectionDetails, ConnectionService } from '../connection/connection-service.ts'
import type { RefreshEngine } from '../refresh/refresh-engine.ts'
import { type Clock, DAY, type Instant, SECOND, type Timers } from '../time.ts'
import { ownerOf } from '../user/user.ts'
import { type ConnectionReport, connectionReport } from './connection-report.ts'
import type { SignedIn } from './sessions.ts'

interface PersonConnectionsPorts {
  readonly connections: Pick<ConnectionService, 'list'>
  readonly engine: Pick<RefreshEngine, 'token'>
  /** The page that repairs a connection whose grant is over; null where there is none. */
  readonly repairLink: (details: ConnectionDetails) => string | null
  readonly clock: Clock
  readonly timers: Pick<Timers, 'after'>
}

/** The newest ones are looked at. */
const LOOKED_AT = 200
const REPORTED = 50
/** How long a look at what became of them may take: the session of the answer is renewed already, and its client gives up after ten seconds. */
const LOOK_MS = SECOND
/** Capped by the engine at half the lifetime: whoever is past the soft instant has less than that left, and a renewed token has more. */
const UNLESS_JUST_RENEWED_MS = DAY

/** The connections of a person who is signed in: theirs in the organization of their session. */
export interface PersonConnections {
  /** Live ones first, newest first; at most 50. Starts nothing. @throws Fault when the store does not answer */
  report(signedIn: SignedIn): Promise<readonly ConnectionReport[]>
  /**
   * Renews those that are due, all at once and through the engine's single flights, and reports all. Waits `deadlineMs` at
   * most, and a second for the last look; what takes longer goes on by itself, and what is known by then is reported. A failure
   * shows in the report and nowhere else. @throws Fault when the store says that it cannot answer
   */
  renewDue(signedIn: SignedIn, deadlineMs: number): Promise<readonly ConnectionReport[]>
}

export function createPersonConnections(ports: PersonConnectionsPorts): PersonConnections {
  const look = async ({ user, session }: SignedIn): Promise<readonly ConnectionDetails[]> => {
    const { items } = await ports.connections.list(session.organization, { owner: ownerOf(user) }, { limit: LOOKED_AT, cursor: null })
    const live = items.filter(({ row }) => row.connection.state !== 'disconnected')
    const over = items.filter(({ row }) => row.connection.state === 'disconnected')
    return [...live, ...over].slice(0, REPORTED)
  }
  const reportOf = (seen: readonly ConnectionDetails[]): readonly ConnectionReport[] =>
    seen.map((details) => connectionReport(details, ports.repairLink(details), ports.clock.wall()))
  return {
    report: async (signedIn) => reportOf(await look(signedIn)),
    renewDue: async (signedIn, deadlineMs) => {
      const { clock, timers } = ports
      const end = clock.mono() + deadlineMs
      const seen = await inTime(look(signedIn), deadlineMs, [], timers)
      const now = clock.wall()
      const due = seen.filter((details) => isDue(details, now))
      if (due.length === 0) return reportOf(seen)
      await inTime(Promise.allSettled(due.map((details) => renew(details, ports))), Math.max(0, end - clock.mono()), [], timers)
      return reportOf(await inTime(look(signedIn), LOOK_MS, seen, timers))
    },
  }
}

/** Past its soft instant, or over; and the engine may try it now. */
function isDue({ row, status }: ConnectionDetails, now: Instant): boolean {
  if (status !== 'active' && status !== 'degraded') return false
  const { refreshToken, softAt, accessExpiresAt } = row.credential
  if (refreshToken === null || (row.health.nextAttemptAt ?? 0) > now) return false
  return (softAt !== null && softAt <= now) || (accessExpiresAt !== null && accessExpiresAt <= now)
}

/** A read that does not take what is nearly over: it joins a refresh under way, and starts none right after one. */
function renew({ row: { connection } }: ConnectionDetails, { engine }: PersonConnectionsPorts): Promise<unknown> {
  return engine.token({ organization: connection.organization, connection: connection.id, minTtlMs: UNLESS_JUST_RENEWED_MS, rejectedGeneration: null })
}

/** What comes of the work, or something else when that takes too long. */
function inTime<Value>(work: Promise<Value>, ms: number, otherwise: Value, timers: Pick<Timers, 'after'>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(ms, () => resolve(otherwise))
    void work.then(resolve, reject).finally(cancel)
  })
}
