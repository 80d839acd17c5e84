import type { AuditEvent } from '../../core/audit/event.ts'
import type { Connection } from '../../core/connection/connection.ts'
import type { Revocation } from '../../core/connection/connections.ts'
import type { ConnectionId, OrganizationId, UserId } from '../../core/ids.ts'
import { type ErasureOutcome, type OwnerErasure, type Owners, withoutPerson } from '../../core/user/owners.ts'
import { NO_FLIGHT } from './claims.ts'
import type { StoredConnection } from './connection-table.ts'
import type { Tables } from './tables.ts'

const SESSIONS_SHOWN = 200

function connectionsOf(tables: Tables, organization: OrganizationId, owner: string): StoredConnection[] {
  return tables.connections.ofOrganization(organization).filter((row) => row.grant.connection.owner === owner)
}

function takeRevocations(tables: Tables, organization: OrganizationId, owner: string, visibilityMs: number): readonly Revocation[] {
  const own = new Set(connectionsOf(tables, organization, owner).map((row) => row.grant.connection.id))
  return tables.revocations.takeOpen(own, tables.now(), visibilityMs)
}

/** Purposes of tickets that lead to an owner's own page. */
const PAGES: ReadonlySet<string> = new Set(['owner_page', 'owner_visit'])

function erase(tables: Tables, erasure: OwnerErasure): ErasureOutcome {
  const { organization, owner } = erasure
  const own = connectionsOf(tables, organization, owner)
  const live = own.filter((row) => row.grant.connection.state !== 'disconnected').map(idOf)
  if (live.length > 0) return { kind: 'live', connections: live }
  const sessions = [...tables.sessions.values()].filter((session) => session.organization === organization && session.owner === owner)
  for (const session of sessions) {
    const intent = session.flow?.intent ?? null
    if (intent !== null) tables.answers.remove(intent)
    tables.sessions.delete(session.id)
  }
  for (const [hash, { ticket }] of tables.tickets)
    if (ticket.organization === organization && PAGES.has(ticket.purpose) && ticket.data['owner'] === owner) tables.tickets.delete(hash)
  for (const row of own) forget(tables, row, erasure)
  emptyEvents(tables, erasure, new Set(own.map(idOf)))
  if (own.length + sessions.length > 0 || erasure.user !== null) tables.append(erasure.event)
  for (const row of own) tables.changed({ kind: 'connection', connection: idOf(row) })
  return { kind: 'erased', connections: own.map(idOf), connectSessions: sessions.length }
}

function forget(tables: Tables, row: StoredConnection, erasure: OwnerErasure): void {
  const { connection } = row.grant
  const { id, integration, account } = connection
  tables.answers.removeOf(id)
  tables.revocations.finishOf(id)
  tables.deaths.delete(id)
  tables.parked.delete(id)
  tables.checks.delete(id)
  for (const [name, state] of tables.quotas) if (state.connection === id) tables.quotas.delete(name)
  for (const [name, owners] of tables.imports) {
    const others = new Map([...owners].filter(([, imported]) => imported !== id))
    if (others.size === 0) tables.imports.delete(name)
    else if (others.size < owners.size) tables.imports.set(name, others)
  }
  const shared = account !== null && tables.connections.ofAccount(integration, account).some((other) => other.grant.connection.state !== 'disconnected')
  if (account !== null && !shared) {
    for (const [notice, kept] of tables.notices) if (kept.notice.integration === integration && kept.notice.account === account) tables.notices.delete(notice)
  }
  tables.connections.rename(
    tables.connections.change(row, {
      connection: nameless(connection, erasure),
      credential: { accessToken: null, refreshToken: null, fingerprint: null, ...NO_FLIGHT, suspicion: null },
      health: { dueAt: null, nextAttemptAt: null },
      leasedBy: null,
      failedIntent: null,
      warnAt: null,
    }),
    erasure.pseudonym,
  )
}

function nameless({ version }: Connection, { at }: OwnerErasure): Partial<Connection> {
  return {
    account: null,
    accountLabel: null,
    fault: null,
    metadata: {},
    tags: [],
    scopes: null,
    variables: {},
    facts: {},
    consentedAt: null,
    updatedAt: at,
    version: version + 1,
  }
}

function eventSubjects(tables: Tables, { organization, owner, user }: Pick<OwnerErasure, 'organization' | 'owner' | 'user'>): readonly string[] {
  const subjects = new Set<string>(user === null ? [] : [user])
  for (const event of tables.events.values()) {
    if (event.subject === null || event.organization !== organization) continue
    const connecting = event.type === 'connect.session_created' && event.data['owner'] === owner
    if (connecting || (user !== null && isSignInOf(event, user))) subjects.add(event.subject)
  }
  return [...subjects]
}

const isSignInOf = (event: AuditEvent, user: UserId): boolean => event.type === 'session.opened' && event.actor.id === user

function emptyEvents(tables: Tables, { organization, owner, user }: OwnerErasure, connections: ReadonlySet<ConnectionId>): void {
  const named = new Set<string | null>(eventSubjects(tables, { organization, owner, user }))
  empty(
    tables,
    (event) =>
      (event.connection !== null && connections.has(event.connection)) ||
      (event.subject !== null && named.has(event.subject) && event.organization === organization),
  )
}

/** In every organization: only who goes as a whole asks for that. */
export function emptyEventsOf(tables: Tables, user: UserId): void {
  const named = new Set<string | null>([user])
  for (const event of tables.events.values()) if (isSignInOf(event, user)) named.add(event.subject)
  empty(tables, ({ subject }) => subject !== null && named.has(subject))
}

function empty(tables: Tables, isAbout: (event: AuditEvent) => boolean): void {
  for (const [key, event] of tables.events) {
    if (event.type === 'connection.refreshed' || Object.keys(event.data).length === 0) continue
    if (isAbout(event)) tables.events.set(key, { ...event, data: withoutPerson(event.data) })
  }
}

const idOf = (row: StoredConnection): ConnectionId => row.grant.connection.id

export function ownersPart(tables: Tables): Owners {
  return {
    connectSessions: async (organization, owner) =>
      [...tables.sessions.values()]
        .filter((session) => session.organization === organization && session.owner === owner)
        .sort((left, right) => (left.id < right.id ? 1 : -1))
        .slice(0, SESSIONS_SHOWN),
    eventSubjects: async (organization, owner, user) => eventSubjects(tables, { organization, owner, user }),
    takeRevocations: async (organization, owner, visibilityMs) => takeRevocations(tables, organization, owner, visibilityMs),
    erase: async (erasure) => erase(tables, erasure),
  }
}
