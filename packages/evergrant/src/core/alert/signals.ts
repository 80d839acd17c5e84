import type { AuditEvent } from '../audit/event.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import type { FaultDefinition } from '../fault/definition.ts'
import { FAULTS } from '../fault/table.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { AlertAbout } from './alert.ts'
import type { AlertKind, AlertRule } from './rule.ts'

/** Something is wrong with a subject, from a cause that it may share with others. */
export interface Signal {
  readonly organization: OrganizationId
  readonly kind: AlertKind
  readonly cause: string
  readonly subject: string
  readonly connection: ConnectionId | null
  readonly at: Instant
  readonly about: AlertAbout
}

/** The subject is well again, as far as these kinds go. */
export interface Relief {
  readonly organization: OrganizationId
  readonly kinds: readonly AlertKind[]
  readonly subject: string
}

/** What one event says. */
export interface Reading {
  readonly signals: readonly Signal[]
  readonly reliefs: readonly Relief[]
}

export const NOTHING: AlertAbout = { provider: null, integration: null, code: null, name: null, value: null }
const SILENT: Reading = { signals: [], reliefs: [] }
const OF_CONNECTIONS: readonly AlertKind[] = ['connection_needs_reauth', 'refresh_failing', 'expires_soon']

/** What must be asked before an event can be read: the connection's own names. */
export function asksForConnection(event: Pick<AuditEvent, 'type'>): boolean {
  return event.type === 'connection.needs_reauth' || event.type === 'connection.expires_soon'
}

/** Reads one event. `details`: of its connection, where {@link asksForConnection}; undefined when that is gone. */
export function readEvent(event: AuditEvent, rules: ReadonlyMap<AlertKind, AlertRule>, details: ConnectionDetails | undefined): Reading {
  switch (event.type) {
    case 'connection.needs_reauth':
      return details === undefined ? SILENT : ended(event, details)
    case 'connection.expires_soon':
      return details === undefined ? SILENT : ending(event, details, rules.get('expires_soon')?.threshold ?? 0)
    case 'connection.reconnected':
    case 'connection.disconnected':
    case 'connection.recovered':
    case 'connection.superseded':
    case 'connection.credentials_replaced':
      return event.connection === null ? SILENT : relief(event, OF_CONNECTIONS, event.connection)
    case 'integration.blocked':
      return misconfigured(event)
    case 'integration.unblocked':
    case 'integration.deleted':
      return event.subject === null ? SILENT : relief(event, ['integration_misconfigured'], event.subject)
    case 'session.reuse_detected':
      return theft(event)
    case 'installation.clone_suspected':
      return clone(event)
    case 'installation.unlocked':
    case 'installation.retired':
      return event.subject === null ? SILENT : relief(event, ['clone_detected'], event.subject)
    case 'webhook.deleted':
      return event.subject === null ? SILENT : relief(event, ['delivery_failing'], event.subject)
    default:
      return SILENT
  }
}

function relief({ organization }: AuditEvent, kinds: readonly AlertKind[], subject: string): Reading {
  return { signals: [], reliefs: [{ organization, kinds, subject }] }
}

/** It ended: warnings that it will, and failures on the way, are over with it. An old event about what was repaired since says nothing. */
function ended(event: AuditEvent, details: ConnectionDetails): Reading {
  const { connection } = details.row
  if (connection.state !== 'needs_reauth') return SILENT
  const code = textOf(event.data['code'])
  const about = { ...aboutConnection(details), code }
  const signal = { kind: 'connection_needs_reauth', cause: `${connection.integration} ${code ?? ''}`, subject: connection.id } as const
  return {
    signals: [{ organization: event.organization, ...signal, connection: connection.id, at: event.at, about }],
    reliefs: [{ organization: event.organization, kinds: ['refresh_failing', 'expires_soon'], subject: connection.id }],
  }
}

function ending(event: AuditEvent, details: ConnectionDetails, days: number): Reading {
  const { connection } = details.row
  const left = event.data['days_left']
  if (connection.state !== 'active' || typeof left !== 'number' || left > days) return SILENT
  const signal = { kind: 'expires_soon', cause: connection.integration, subject: connection.id } as const
  return {
    signals: [{ organization: event.organization, ...signal, connection: connection.id, at: event.at, about: { ...aboutConnection(details), value: days } }],
    reliefs: [],
  }
}

function misconfigured(event: AuditEvent): Reading {
  const { organization, subject, at } = event
  if (subject === null) return SILENT
  const about = { ...NOTHING, code: textOf(event.data['code']), integration: subject }
  return { signals: [{ organization, kind: 'integration_misconfigured', cause: subject, subject, connection: null, at, about }], reliefs: [] }
}

/** All sessions of one person are one theft. */
function theft(event: AuditEvent): Reading {
  const { organization, subject, at, actor } = event
  if (subject === null) return SILENT
  const about = { ...NOTHING, code: 'session_reuse_detected', name: actor.id }
  return { signals: [{ organization, kind: 'reuse_detected', cause: actor.id ?? subject, subject, connection: null, at, about }], reliefs: [] }
}

function clone(event: AuditEvent): Reading {
  const { organization, subject, at } = event
  if (subject === null) return SILENT
  const about = { ...NOTHING, name: textOf(event.data['message']) }
  return { signals: [{ organization, kind: 'clone_detected', cause: subject, subject, connection: null, at, about }], reliefs: [] }
}

export function aboutConnection({ providerName, integration }: Pick<ConnectionDetails, 'providerName' | 'integration'>): AlertAbout {
  return { ...NOTHING, provider: providerName, integration: integration.slug }
}

/** True when the end user can mend it: an outage of the provider, or an error of ours, is no reason to write to anybody (law 5). */
export function ownerCanMend(code: string | null): boolean {
  const table: Readonly<Record<string, FaultDefinition>> = FAULTS
  const row = code === null ? undefined : table[code]
  return row !== undefined && row.class === 'grant' && row.action === 'reconnect'
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
