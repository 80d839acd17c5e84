import type { ConnectFlow, ConnectSession, StagedGrant } from '../../core/connect/connect-sessions.ts'
import type { StoredFault } from '../../core/connection/connection.ts'
import type { ConnectionId, ConnectSessionId, IntegrationId, IntentId, OrganizationId } from '../../core/ids.ts'
import type { Row, SqlValue } from './program.ts'
import { bytes, bytesOrNull, integer, json, jsonOrNull, text, textOrNull, toJson } from './rows.ts'

export const FLOW_COLUMNS = [
  'flow_state_hash',
  'flow_browser_hash',
  'flow_secret',
  'flow_redirect_uri',
  'flow_issuer',
  'flow_started_at',
  'flow_expires_at',
  'flow_intent',
] as const

export const STAGED_COLUMNS = ['staged', 'staged_account', 'staged_account_label', 'staged_code_hash', 'staged_at'] as const

export const SESSION_COLUMNS = [
  'id',
  'organization_id',
  'integration_id',
  'owner',
  'mode',
  'connection_id',
  'token_hash',
  'state',
  'scopes',
  'return_url',
  'created_at',
  'expires_at',
  'variables',
  'choices',
  'fault',
  'result',
  ...FLOW_COLUMNS,
  ...STAGED_COLUMNS,
] as const

export function sessionValues(session: ConnectSession): readonly SqlValue[] {
  return [
    session.id,
    session.organization,
    session.integration,
    session.owner,
    session.mode,
    session.connection,
    session.tokenHash,
    session.state,
    toJson(session.scopes),
    session.returnUrl,
    session.createdAt,
    session.expiresAt,
    JSON.stringify(session.variables),
    toJson(session.choices ?? null),
    toJson(session.fault),
    session.result,
    ...flowValues(session.flow),
    ...stagedValues(session.staged),
  ]
}

export function flowValues(flow: ConnectFlow | null): readonly SqlValue[] {
  if (flow === null) return FLOW_COLUMNS.map(() => null)
  return [flow.stateHash, flow.browserHash, flow.secret, flow.redirectUri, flow.issuer, flow.startedAt, flow.expiresAt, flow.intent]
}

export function stagedValues(staged: StagedGrant | null): readonly SqlValue[] {
  if (staged === null) return STAGED_COLUMNS.map(() => null)
  return [staged.grant, staged.account, staged.accountLabel, staged.codeHash, staged.stagedAt]
}

export function toSession(row: Row): ConnectSession {
  const choices = jsonOrNull<readonly IntegrationId[]>(row, 'choices')
  return {
    id: text(row, 'id') as ConnectSessionId,
    organization: text(row, 'organization_id') as OrganizationId,
    integration: text(row, 'integration_id') as IntegrationId,
    owner: text(row, 'owner'),
    mode: text(row, 'mode') as ConnectSession['mode'],
    connection: textOrNull(row, 'connection_id') as ConnectionId | null,
    tokenHash: text(row, 'token_hash'),
    state: text(row, 'state') as ConnectSession['state'],
    scopes: jsonOrNull<readonly string[]>(row, 'scopes'),
    returnUrl: textOrNull(row, 'return_url'),
    createdAt: integer(row, 'created_at'),
    expiresAt: integer(row, 'expires_at'),
    flow: toFlow(row),
    staged: toStaged(row),
    fault: jsonOrNull<StoredFault>(row, 'fault'),
    result: textOrNull(row, 'result') as ConnectionId | null,
    variables: json<Readonly<Record<string, string>>>(row, 'variables'),
    ...(choices === null ? {} : { choices }),
  }
}

function toFlow(row: Row): ConnectFlow | null {
  if (row.flow_state_hash === null) return null
  return {
    stateHash: text(row, 'flow_state_hash'),
    browserHash: text(row, 'flow_browser_hash'),
    secret: bytes(row, 'flow_secret'),
    redirectUri: text(row, 'flow_redirect_uri'),
    issuer: textOrNull(row, 'flow_issuer'),
    startedAt: integer(row, 'flow_started_at'),
    expiresAt: integer(row, 'flow_expires_at'),
    intent: textOrNull(row, 'flow_intent') as IntentId | null,
  }
}

function toStaged(row: Row): StagedGrant | null {
  const grant = bytesOrNull(row, 'staged')
  if (grant === null) return null
  return {
    grant,
    account: textOrNull(row, 'staged_account'),
    accountLabel: textOrNull(row, 'staged_account_label'),
    codeHash: textOrNull(row, 'staged_code_hash'),
    stagedAt: integer(row, 'staged_at'),
  }
}
