import type { ConnectionId, IntegrationId } from '../../core/ids.ts'
import type { QuotaState, Quotas } from '../../core/pacing/quotas.ts'
import { CLOCKS_DIFFER_MS, DAY } from '../../core/time.ts'
import { changed, type Database, type Program, rows, run } from './program.ts'
import { integer, integerOrNull, text } from './rows.ts'

const OF_CONNECTIONS = 100
/** Old states are few, and leave a few at a time. */
const FORGOTTEN_AT_ONCE = 100

function* put(states: readonly QuotaState[]): Program<void> {
  const ordered = [...states].sort((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1))
  for (const state of ordered) {
    const kept = yield* run(
      `insert into quota (integration_id, scope, name, quota_limit, remaining, resets_at, observed_at) values (?, ?, ?, ?, ?, ?, ?)
       on conflict (integration_id, scope, name) do update set quota_limit = excluded.quota_limit, remaining = excluded.remaining,
         resets_at = excluded.resets_at, observed_at = excluded.observed_at
       where excluded.observed_at >= quota.observed_at or quota.observed_at > now_ms() + ?`,
      state.integration,
      state.connection ?? '',
      state.name,
      state.limit,
      state.remaining,
      state.resetsAt,
      state.observedAt,
      CLOCKS_DIFFER_MS,
    )
    if (kept === 1) yield* changed({ kind: 'quota', state })
  }
  yield* run(
    `delete from quota where scope <> '' and (integration_id, scope, name) in (
       select integration_id, scope, name from quota where scope <> '' and resets_at < now_ms() - ? order by resets_at limit ?)`,
    DAY,
    FORGOTTEN_AT_ONCE,
  )
}

/** Two nodes that write the same rows take them in one order. */
const orderOf = ({ integration, connection, name }: QuotaState): string => `${integration} ${connection ?? ''} ${name}`

function* of(integration: IntegrationId): Program<readonly QuotaState[]> {
  const columns = 'integration_id, scope, name, quota_limit, remaining, resets_at, observed_at'
  const found = [
    ...(yield* rows(`select ${columns} from quota where integration_id = ? and scope = '' order by name`, integration)),
    ...(yield* rows(
      `select ${columns} from quota where integration_id = ? and scope <> '' and resets_at > now_ms() order by resets_at desc limit ?`,
      integration,
      OF_CONNECTIONS,
    )),
  ]
  return found.map((row) => {
    const scope = text(row, 'scope')
    return {
      integration,
      connection: scope === '' ? null : (scope as ConnectionId),
      name: text(row, 'name'),
      limit: integerOrNull(row, 'quota_limit'),
      remaining: integer(row, 'remaining'),
      resetsAt: integer(row, 'resets_at'),
      observedAt: integer(row, 'observed_at'),
    }
  })
}

export function quotasStore(database: Database): Quotas {
  return {
    put: (states) => database.write(() => put(states), { repeatable: true }),
    of: (integration) => database.read(() => of(integration)),
  }
}
