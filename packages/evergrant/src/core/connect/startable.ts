import type { Instant } from '../time.ts'
import type { ConnectSession } from './connect-sessions.ts'
import { CONNECT_TIMES } from './connect-times.ts'

/** A link is spent by success alone: what was staged and never confirmed, or never ended, does not stand in the way. */
export function isStartable(session: ConnectSession, now: Instant): boolean {
  if (session.state === 'staged') return session.staged !== null && session.staged.stagedAt + CONNECT_TIMES.completionMs <= now
  if (session.state === 'exchanging') return session.flow !== null && session.flow.expiresAt <= now
  return session.state === 'open' || session.state === 'started'
}
