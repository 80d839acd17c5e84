import { Type } from 'typebox'
import type { AuditEvent } from '../core/audit/event.ts'
import type { ConnectSession } from '../core/connect/connect-sessions.ts'
import type { ConnectionDetails } from '../core/connection/connection-service.ts'
import type { Session } from '../core/session/session.ts'
import type { ExportedUser, OwnerErased, OwnerExport } from '../core/user/owner-data.ts'
import { ConnectionView, connectionView, iso, isoOrNull } from './connection-view.ts'
import { nullable, Time } from './schema.ts'

const Anything = Type.Object({}, { additionalProperties: true })

export const ExportView = Type.Object({
  owner: Type.String(),
  exported_at: Time,
  connections: Type.Array(ConnectionView),
  connect_sessions: Type.Array(Anything, { description: 'Links to connect or reconnect: at most the newest 200.' }),
  events: Type.Array(Anything, { description: 'Newest first.' }),
  events_complete: Type.Boolean({ description: 'False: of some connection only the newest 2,000 are here. GET events?connection= has the others.' }),
  user: nullable(Anything),
})

export const ErasedView = Type.Object({
  connections: Type.Array(
    Type.Object({
      id: Type.String(),
      provider: Type.String(),
      grant: Type.String({
        description:
          '`done`: the provider took the grant back. `failed`: it refused to. `not_answered`: it did not answer in time; the person can remove the access there. `kept_by_sibling`: another connection lives on the same grant. `unsupported`: the provider offers no way. `ended_before`: it was disconnected earlier.',
      }),
    }),
  ),
  connect_sessions: Type.Integer(),
  user: nullable(Type.Object({ id: Type.String(), outcome: Type.String({ description: '`erased`, or `removed`: from this organization alone.' }) })),
})

/** No secret is in it: what proves who somebody is, and what opens a door, stays out. */
export function exportView(exported: OwnerExport, at: number) {
  return {
    owner: exported.owner,
    exported_at: iso(at),
    connections: exported.connections.map((details: ConnectionDetails) => connectionView(details, null)),
    connect_sessions: exported.connectSessions.map(connectSessionView),
    events: exported.events.map(eventView),
    events_complete: exported.eventsComplete,
    user: exported.user === null ? null : exportedUserView(exported.user),
  }
}

export function erasedView({ connections, connectSessions, user }: OwnerErased) {
  return { connections, connect_sessions: connectSessions, user }
}

export function eventView({ id, type, at, actor, connection, subject, data }: AuditEvent) {
  return { id, type, at: iso(at), actor, connection_id: connection, subject, data }
}

function connectSessionView(session: ConnectSession) {
  const { id, integration, owner, mode, connection, state, scopes, returnUrl, createdAt, expiresAt, variables, result, staged } = session
  return {
    id,
    integration_id: integration,
    owner,
    mode,
    connection_id: connection,
    state,
    scopes,
    return_url: returnUrl,
    created_at: iso(createdAt),
    expires_at: iso(expiresAt),
    variables,
    result,
    staged_account: staged?.account ?? null,
    staged_account_label: staged?.accountLabel ?? null,
  }
}

function exportedUserView({ user, memberships, identities, sessions }: ExportedUser) {
  return {
    id: user.id,
    email: user.email,
    email_verified_at: isoOrNull(user.emailVerifiedAt),
    name: user.name,
    external_id: user.externalId,
    has_password: user.passwordHash !== null,
    password_changed_at: isoOrNull(user.passwordChangedAt),
    disabled_at: isoOrNull(user.disabledAt),
    created_at: iso(user.createdAt),
    updated_at: iso(user.updatedAt),
    memberships: memberships.map(({ organization, role, createdAt }) => ({ organization, role, created_at: iso(createdAt) })),
    identities: identities.map(({ issuer, subject, createdAt }) => ({ issuer, subject, created_at: iso(createdAt) })),
    sessions: sessions.map(exportedSessionView),
  }
}

function exportedSessionView({ id, organization, mode, createdAt, issuedAt, expiresAt, methods, authenticatedAt, userAgent, address }: Session) {
  return {
    id,
    organization,
    mode,
    created_at: iso(createdAt),
    last_refreshed_at: iso(issuedAt),
    expires_at: iso(expiresAt),
    methods,
    authenticated_at: iso(authenticatedAt),
    user_agent: userAgent,
    address,
  }
}
