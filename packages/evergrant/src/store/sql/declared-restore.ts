import { SYSTEM_ACTOR } from '../../core/audit/event.ts'
import type { Declaration } from '../../core/backup/database-copy.ts'
import type { OrganizationId } from '../../core/ids.ts'
import { append } from './event-rows.ts'
import { type Program, row, run } from './program.ts'
import { integer, text } from './rows.ts'

/**
 * A restored database says so itself: also a node whose data folder is empty, and has nothing to compare with, then presents
 * nothing until an operator has confirmed it. A database that never served has no grants and stays as it is.
 */
export function* declareRestored({ trusted, reason, event }: Declaration): Program<void> {
  const changed = yield* run('update lineage set trusted = ?, since = now_ms(), reason = ? where one = 1', trusted, reason)
  if (changed === 0) return
  yield* run('update high_water_tick set compared_era = null')
  const organization = yield* row("select id, now_ms() as now from organization where slug = 'default'")
  if (organization === undefined) return
  yield* append({
    id: event,
    organization: text(organization, 'id') as OrganizationId,
    type: trusted === 'cloned' ? 'database.cloned' : 'database.restored',
    at: integer(organization, 'now'),
    actor: SYSTEM_ACTOR,
    connection: null,
    subject: null,
    data: { reason },
  })
}
