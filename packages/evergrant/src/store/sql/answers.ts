import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import type { StoredAnswer } from '../../core/refresh/credentials.ts'
import { type Program, run } from './program.ts'

interface AnswerRow {
  readonly organization: OrganizationId
  readonly connection: ConnectionId | null
  readonly session: string | null
  readonly generation: number
  readonly answer: StoredAnswer
  readonly applied: boolean
}

/** Keeps an answer. A second write of the same intent can only turn it from unapplied to applied. */
export function* keepAnswer(row: AnswerRow): Program<void> {
  const { answer } = row
  yield* run(
    `insert into answer (intent_id, organization_id, connection_id, session_id, generation, received_at, http_status, verdict, body, body_hash, applied)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (intent_id) do update set applied = case when answer.applied = 1 then 1 else excluded.applied end`,
    answer.intent,
    row.organization,
    row.connection,
    row.session,
    row.generation,
    answer.receivedAt,
    answer.httpStatus,
    answer.verdict,
    answer.body,
    answer.bodyHash,
    row.applied ? 1 : 0,
  )
}
