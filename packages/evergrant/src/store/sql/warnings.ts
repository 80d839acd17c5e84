import type { ConnectionState } from '../../core/connection/connection.ts'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import type { DueWarning, WarningStep } from '../../core/refresh/credentials.ts'
import { append } from './event-rows.ts'
import { changed, type Program, rows, run } from './program.ts'
import { integer, text } from './rows.ts'

/** Walks the index of warnings from its oldest end, as the due query does its own. */
export function* dueWarnings(limit: number): Program<readonly DueWarning[]> {
  const found = yield* rows(
    `select h.connection_id, h.ends_at, h.warn_at, k.organization_id, k.state from health h join connection k on k.id = h.connection_id
     where h.warn_at <= (select now_ms()) order by h.warn_at limit ?`,
    limit,
  )
  return found.map((due) => ({
    connection: text(due, 'connection_id') as ConnectionId,
    organization: text(due, 'organization_id') as OrganizationId,
    state: text(due, 'state') as ConnectionState,
    endsAt: integer(due, 'ends_at'),
    warnAt: integer(due, 'warn_at'),
  }))
}

/** Only the one who finds the row as it was writes the event: a twin, or the same step after a crash, changes nothing. */
export function* warn(steps: readonly WarningStep[]): Program<number> {
  let taken = 0
  for (const step of [...steps].sort((left, right) => (left.connection < right.connection ? -1 : 1))) {
    const moved = yield* run(
      `update health set warn_at = ?, due_at = coalesce(?, due_at) where connection_id = ? and warn_at = ? and ends_at = ?`,
      step.nextWarnAt,
      step.dueAt,
      step.connection,
      step.warnAt,
      step.endsAt,
    )
    if (moved === 0) continue
    taken += 1
    if (step.event === null) continue
    yield* append(step.event)
    yield* changed({ kind: 'connection', connection: step.connection })
  }
  return taken
}
