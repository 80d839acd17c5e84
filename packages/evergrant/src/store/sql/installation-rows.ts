import type { EnrolmentDoor } from '../../core/agent/agent.ts'
import type {
  Installation,
  InstallationLock,
  InstallationStatus,
  KeyCustody,
  MachineHints,
  RevokeClass,
  WorkloadOrigin,
} from '../../core/agent/installation.ts'
import type { InstallationStanding } from '../../core/agent/installations.ts'
import type { RecoveryMode } from '../../core/agent/recovery-settings.ts'
import type { SdkToken, SdkTokenMetadata, SdkTokenState } from '../../core/agent/sdk-token.ts'
import type { Stopper } from '../../core/agent/stopper.ts'
import type { AgentId, InstallationId, OrganizationId, SdkTokenId, WorkloadIssuerId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Instant } from '../../core/time.ts'
import { AGENT, AGENT_OWNER, AGENT_OWNER_TABLES, toAgentStanding } from './agent-rows.ts'
import { type Program, type Row, run, type SqlValue } from './program.ts'
import { integer, integerOrNull, json, jsonOrNull, text, textOrNull, toJson } from './rows.ts'

const COLUMNS = [
  'id',
  'organization_id',
  'agent_id',
  'name',
  'status',
  'key_thumbprint',
  'public_jwk',
  'key_created_at',
  'previous_thumbprints',
  'custody',
  'enrolled_via',
  'generation',
  'floor_generation',
  'head_id',
  'recovery_mode',
  'recoveries',
  'reissues',
  'cooldown_until',
  'cooldown_ms',
  'min_generation',
  'lock',
  'stopped_by',
  'workload_issuer_id',
  'workload_subject',
  'rekey_until',
  'hints',
  'last_seen_at',
  'last_refreshed_at',
  'address',
  'user_agent',
  'expires_at',
  'created_at',
] as const

/** `last_recovery_at` is for the list of those that healed; it follows from `recoveries`. */
const QUOTED = COLUMNS.map((column) => (column === 'lock' ? '"lock"' : column))
/** The columns of `installation i`, under names that no other table has. */
export const INSTALLATION = COLUMNS.map((column, index) => `i.${QUOTED[index]} as i_${column}`).join(', ')
/** An installation, its agent, and who answers for it. */
export const STANDING = `${INSTALLATION}, ${AGENT}, ${AGENT_OWNER}`
export const STANDING_TABLES = `installation i join agent a on a.id = i.agent_id ${AGENT_OWNER_TABLES}`

function values(installation: Installation): readonly SqlValue[] {
  return [
    installation.id,
    installation.organization,
    installation.agent,
    installation.name,
    installation.status,
    installation.keyThumbprint,
    JSON.stringify(installation.publicJwk),
    installation.keyCreatedAt,
    JSON.stringify(installation.previousThumbprints),
    installation.custody,
    installation.enrolledVia,
    installation.generation,
    installation.floorGeneration,
    installation.head,
    installation.recoveryMode,
    JSON.stringify(installation.recoveries),
    JSON.stringify(installation.reissues),
    installation.cooldownUntil,
    installation.cooldownMs,
    installation.minGeneration,
    toJson(installation.lock),
    toJson(installation.stoppedBy),
    installation.workload?.issuer ?? null,
    installation.workload?.subject ?? null,
    installation.rekeyUntil,
    JSON.stringify(installation.hints),
    installation.lastSeenAt,
    installation.lastRefreshedAt,
    installation.address,
    installation.userAgent,
    installation.expiresAt,
    installation.createdAt,
  ]
}

export function* insertInstallation(installation: Installation): Program<void> {
  const sql = `insert into installation (${QUOTED.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`
  yield* run(sql, ...values(installation))
}

/** All but what never changes: its id, its organization, its agent. The row is locked. `recoveredAt`: when it last recovered, counted or not; null leaves that as it is. */
export function* writeInstallation(installation: Installation, recoveredAt: Instant | null): Program<void> {
  const sql = `update installation set ${QUOTED.slice(3)
    .map((column) => `${column} = ?`)
    .join(', ')}, last_recovery_at = coalesce(?, last_recovery_at) where id = ?`
  yield* run(sql, ...values(installation).slice(3), recoveredAt, installation.id)
}

export function toInstallation(found: Row): Installation {
  return {
    id: text(found, 'i_id') as InstallationId,
    organization: text(found, 'i_organization_id') as OrganizationId,
    agent: text(found, 'i_agent_id') as AgentId,
    name: text(found, 'i_name'),
    status: text(found, 'i_status') as InstallationStatus,
    keyThumbprint: text(found, 'i_key_thumbprint'),
    publicJwk: json<JsonObject>(found, 'i_public_jwk'),
    keyCreatedAt: integer(found, 'i_key_created_at'),
    previousThumbprints: json<readonly string[]>(found, 'i_previous_thumbprints'),
    custody: text(found, 'i_custody') as KeyCustody,
    enrolledVia: text(found, 'i_enrolled_via') as EnrolmentDoor,
    generation: integer(found, 'i_generation'),
    floorGeneration: integer(found, 'i_floor_generation'),
    head: text(found, 'i_head_id') as SdkTokenId,
    recoveryMode: textOrNull(found, 'i_recovery_mode') as RecoveryMode | null,
    recoveries: json<readonly Instant[]>(found, 'i_recoveries'),
    reissues: json<readonly Instant[]>(found, 'i_reissues'),
    cooldownUntil: integerOrNull(found, 'i_cooldown_until'),
    cooldownMs: integer(found, 'i_cooldown_ms'),
    minGeneration: integer(found, 'i_min_generation'),
    lock: jsonOrNull<InstallationLock>(found, 'i_lock'),
    stoppedBy: jsonOrNull<Stopper>(found, 'i_stopped_by'),
    workload: toWorkload(found),
    rekeyUntil: integerOrNull(found, 'i_rekey_until'),
    hints: json<MachineHints>(found, 'i_hints'),
    lastSeenAt: integerOrNull(found, 'i_last_seen_at'),
    lastRefreshedAt: integerOrNull(found, 'i_last_refreshed_at'),
    address: textOrNull(found, 'i_address'),
    userAgent: textOrNull(found, 'i_user_agent'),
    expiresAt: integerOrNull(found, 'i_expires_at'),
    createdAt: integer(found, 'i_created_at'),
  }
}

function toWorkload(found: Row): WorkloadOrigin | null {
  const issuer = textOrNull(found, 'i_workload_issuer_id')
  return issuer === null ? null : { issuer: issuer as WorkloadIssuerId, subject: text(found, 'i_workload_subject') }
}

export function toStanding(found: Row): InstallationStanding {
  return { ...toAgentStanding(found), installation: toInstallation(found) }
}

const TOKEN_COLUMNS = [
  'id',
  'installation_id',
  'family',
  'parent_id',
  'generation',
  'attempt',
  'state',
  'revoke_class',
  'revoke_reason',
  'revoked_by',
  'revoked_at',
  'ticket',
  'key_thumbprint',
  'created_at',
  'activated_at',
  'superseded_at',
  'expires_at',
  'address',
  'user_agent',
  'metadata',
] as const

/** The columns of `sdk_token t`, under names that no other table has. */
export const SDK_TOKEN = TOKEN_COLUMNS.map((column) => `t.${column} as t_${column}`).join(', ')

export function* insertSdkToken(token: SdkToken): Program<void> {
  yield* run(
    `insert into sdk_token (${TOKEN_COLUMNS.join(', ')}) values (${TOKEN_COLUMNS.map(() => '?').join(', ')})`,
    token.id,
    token.installation,
    token.family,
    token.parent,
    token.generation,
    token.attempt,
    token.state,
    token.revokeClass,
    token.revokeReason,
    token.revokedBy,
    token.revokedAt,
    token.ticket ? 1 : 0,
    token.keyThumbprint,
    token.createdAt,
    token.activatedAt,
    token.supersededAt,
    token.expiresAt,
    token.address,
    token.userAgent,
    JSON.stringify(token.metadata),
  )
}

/** Its state, and when it was seen, replaced or ended. The rest never changes. */
export function* writeSdkToken(token: SdkToken): Program<void> {
  yield* run(
    `update sdk_token set state = ?, revoke_class = ?, revoke_reason = ?, revoked_by = ?, revoked_at = ?, ticket = ?, activated_at = ?, superseded_at = ?
     where id = ?`,
    token.state,
    token.revokeClass,
    token.revokeReason,
    token.revokedBy,
    token.revokedAt,
    token.ticket ? 1 : 0,
    token.activatedAt,
    token.supersededAt,
    token.id,
  )
}

export function toSdkToken(found: Row): SdkToken {
  return {
    id: text(found, 't_id') as SdkTokenId,
    installation: text(found, 't_installation_id') as InstallationId,
    family: text(found, 't_family'),
    parent: textOrNull(found, 't_parent_id') as SdkTokenId | null,
    generation: integer(found, 't_generation'),
    attempt: text(found, 't_attempt'),
    state: text(found, 't_state') as SdkTokenState,
    revokeClass: textOrNull(found, 't_revoke_class') as RevokeClass | null,
    revokeReason: textOrNull(found, 't_revoke_reason'),
    revokedBy: textOrNull(found, 't_revoked_by'),
    revokedAt: integerOrNull(found, 't_revoked_at'),
    ticket: integer(found, 't_ticket') === 1,
    keyThumbprint: text(found, 't_key_thumbprint'),
    createdAt: integer(found, 't_created_at'),
    activatedAt: integerOrNull(found, 't_activated_at'),
    supersededAt: integerOrNull(found, 't_superseded_at'),
    expiresAt: integer(found, 't_expires_at'),
    address: textOrNull(found, 't_address'),
    userAgent: textOrNull(found, 't_user_agent'),
    metadata: json<SdkTokenMetadata>(found, 't_metadata'),
  }
}
