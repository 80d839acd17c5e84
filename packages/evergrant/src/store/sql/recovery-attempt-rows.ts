import type { RecoveryAttempt } from '../../core/agent/installations.ts'
import type { InstallationId, OrganizationId, RecoveryAttemptId, SdkTokenId } from '../../core/ids.ts'
import { type Program, type Row, row, run } from './program.ts'
import { integer, text, textOrNull } from './rows.ts'

const COLUMNS = [
  'id',
  'organization_id',
  'installation_id',
  'at',
  'outcome',
  'code',
  'counted',
  'token_id',
  'new_token_id',
  'reason',
  'key_thumbprint',
  'address',
  'user_agent',
  'request_id',
] as const

/** Of a row of `recovery_attempt r`. */
export const RECOVERY_ATTEMPT = COLUMNS.map((column) => `r.${column}`).join(', ')

export function toRecoveryAttempt(found: Row): RecoveryAttempt {
  return {
    id: text(found, 'id') as RecoveryAttemptId,
    organization: text(found, 'organization_id') as OrganizationId,
    installation: text(found, 'installation_id') as InstallationId,
    at: integer(found, 'at'),
    outcome: text(found, 'outcome') as RecoveryAttempt['outcome'],
    code: textOrNull(found, 'code'),
    counted: integer(found, 'counted') === 1,
    token: textOrNull(found, 'token_id') as SdkTokenId | null,
    newToken: textOrNull(found, 'new_token_id') as SdkTokenId | null,
    reason: text(found, 'reason'),
    keyThumbprint: text(found, 'key_thumbprint'),
    address: textOrNull(found, 'address'),
    userAgent: textOrNull(found, 'user_agent'),
    requestId: text(found, 'request_id'),
  }
}

/** The same id twice is one row, so that a repeated transaction repeats nothing. */
export function* insertRecoveryAttempt(attempt: RecoveryAttempt): Program<void> {
  yield* run(
    `insert into recovery_attempt (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')}) on conflict (id) do nothing`,
    attempt.id,
    attempt.organization,
    attempt.installation,
    attempt.at,
    attempt.outcome,
    attempt.code,
    attempt.counted ? 1 : 0,
    attempt.token,
    attempt.newToken,
    attempt.reason,
    attempt.keyThumbprint,
    attempt.address,
    attempt.userAgent,
    attempt.requestId,
  )
}

export function* newestAttemptOf(installation: InstallationId): Program<RecoveryAttempt | null> {
  const found = yield* row(
    `select ${RECOVERY_ATTEMPT} from recovery_attempt r where r.installation_id = ? order by r.installation_id desc, r.at desc limit 1`,
    installation,
  )
  return found === undefined ? null : toRecoveryAttempt(found)
}
