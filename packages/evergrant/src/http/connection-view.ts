import { Type } from 'typebox'
import type { StoredFault } from '../core/connection/connection.ts'
import type { ConnectionDetails } from '../core/connection/connection-service.ts'
import { FAULTS } from '../core/fault/table.ts'
import { fillWords, type Words } from '../core/fault/words.ts'
import { type ReconnectMode, reconnectModes } from '../core/provider/reconnect-modes.ts'
import { nullable, Time } from './schema.ts'

const AnyObject = Type.Object({}, { additionalProperties: true })

export const FaultView = Type.Object(
  {
    code: Type.String(),
    title: Type.String(),
    text: Type.String({ description: 'For the end user.' }),
    operator_text: Type.String({ description: 'For the operator: cause and remedy.' }),
    action: Type.String(),
    evidence: Type.Object({
      intent: nullable(Type.String()),
      http_status: nullable(Type.Integer()),
      provider_code: nullable(Type.String()),
      provider_text: nullable(Type.String()),
      answer_hash: nullable(Type.String()),
    }),
    at: Time,
  },
  { description: 'Why the latest attempt failed.' },
)

export const ConnectionView = Type.Object({
  id: Type.String(),
  integration: Type.String({ description: 'Slug.' }),
  integration_id: Type.String(),
  provider: Type.String(),
  grant: nullable(
    Type.String({ description: 'authorization_code, client_credentials, jwt_bearer, installation, api_key or basic. Null: the provider left the catalogue.' }),
  ),
  owner: Type.String(),
  account: Type.Object({ id: nullable(Type.String()), label: nullable(Type.String()) }),
  account_limit: nullable(
    Type.Object(
      { live: Type.Integer(), cap: Type.Integer(), next: Type.String({ description: 'oldest_ends or refused.' }), near: Type.Boolean() },
      {
        description:
          'How many live connections the account has at this integration, and how many the provider allows. Null: no limit is known, or more than one connection is read.',
      },
    ),
  ),
  status: Type.String({ description: 'active, degraded, needs_reauth, blocked, paused or disconnected.' }),
  fault: nullable(FaultView),
  reconnect_url: nullable(
    Type.String({
      description:
        'With `needs_reauth`: the page that repairs this connection, under the same id. Null when it is not needed, or when a link cannot prove the account: then open one with `return_url`.',
    }),
  ),
  reconnect_modes: Type.Array(Type.String(), {
    description:
      'The modes in which POST connections/{id}/reconnect repairs it: link, verified, signed_in. Without link, the account is not known, or the provider proves it to nobody: its owner reconnects from the application. Empty: nobody is asked in a browser and new credentials are sent, or it is disconnected.',
  }),
  scopes: nullable(Type.Array(Type.String())),
  expires_at: nullable(Time),
  ends_at: nullable(Type.String({ description: 'When the grant ends whatever we do, unless its owner grants again. Null: no such end is known.' })),
  refreshable: Type.Boolean(),
  generation: Type.Integer(),
  due_at: nullable(Type.String({ description: 'When it is renewed or looked at next by itself.' })),
  next_attempt_at: nullable(Time),
  metadata: AnyObject,
  tags: Type.Array(Type.String()),
  variables: AnyObject,
  consented_at: nullable(Time),
  created_at: Time,
  updated_at: Time,
  last_read_at: nullable(Time),
  last_refreshed_at: nullable(Time),
  last_check: nullable(
    Type.Object(
      { result: Type.String(), at: Time, http_status: nullable(Type.Integer()) },
      { description: 'The latest test: works, rejected, scope_missing, throttled, unreachable or not_known.' },
    ),
  ),
  last_verified_at: nullable(Type.String({ description: 'When the token last worked in a test.' })),
  last_verified_age_seconds: nullable(Type.Integer()),
  disconnected_at: nullable(Time),
  version: Type.Integer(),
})

export const iso = (instant: number): string => new Date(instant).toISOString()
export const isoOrNull = (instant: number | null): string | null => (instant === null ? null : iso(instant))

export function wordsOf({ row, providerName }: ConnectionDetails): { readonly provider: string; readonly account: string | null } {
  return { provider: providerName, account: row.connection.accountLabel ?? row.connection.account }
}

export function faultView(fault: StoredFault, words: Words) {
  const { title, endUser, operator, action } = FAULTS[fault.code]
  const { intent, httpStatus, providerCode, providerText, answerHash } = fault.evidence
  return {
    code: fault.code,
    title: fillWords(title, words),
    text: fillWords(endUser, words),
    operator_text: fillWords(operator, words),
    action,
    evidence: { intent, http_status: httpStatus, provider_code: providerCode, provider_text: providerText, answer_hash: answerHash },
    at: iso(fault.at),
  }
}

/** How this one can be reconnected in a browser. */
export function modesOf({ row: { connection }, grant, linkRepairs }: ConnectionDetails): readonly ReconnectMode[] {
  return connection.state === 'disconnected' ? [] : reconnectModes({ grant, linkRepairs, accountKnown: connection.account !== null })
}

export function connectionView(details: ConnectionDetails, reconnectUrl: string | null) {
  const { row, integration, status, check } = details
  const { connection, credential, health } = row
  // A refused client secret is the integration's fault and shows on every connection; nothing is stored there.
  const fault = status === 'blocked' ? integration.blocked : connection.fault
  return {
    id: connection.id,
    integration: integration.slug,
    integration_id: integration.id,
    provider: integration.provider,
    grant: details.grant,
    owner: connection.owner,
    account: { id: connection.account, label: connection.accountLabel },
    account_limit: details.accountLimit ?? null,
    status,
    fault: fault === null ? null : faultView(fault, wordsOf(details)),
    reconnect_url: reconnectUrl,
    reconnect_modes: [...modesOf(details)],
    scopes: connection.scopes,
    expires_at: isoOrNull(credential.accessExpiresAt),
    ends_at: isoOrNull(health.endsAt),
    refreshable: credential.refreshToken !== null,
    generation: credential.generation,
    due_at: isoOrNull(health.dueAt),
    next_attempt_at: isoOrNull(health.nextAttemptAt),
    metadata: connection.metadata,
    tags: connection.tags,
    variables: connection.variables,
    consented_at: isoOrNull(connection.consentedAt),
    created_at: iso(connection.createdAt),
    updated_at: iso(connection.updatedAt),
    last_read_at: isoOrNull(connection.lastReadAt),
    last_refreshed_at: isoOrNull(connection.lastRefreshedAt),
    last_check: check === null ? null : { result: check.result, at: iso(check.at), http_status: check.httpStatus },
    last_verified_at: isoOrNull(check?.workedAt ?? null),
    last_verified_age_seconds: details.verifiedAgoMs === null ? null : Math.floor(details.verifiedAgoMs / 1_000),
    disconnected_at: isoOrNull(connection.disconnectedAt),
    version: connection.version,
  }
}
