import { Type } from 'typebox'
import { type ConnectionReport, sessionReport } from '../../core/session/connection-report.ts'
import { personOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { type App, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

/** One connection in its owner's words: docs/reference/session-protocol.md. */
export const ConnectionReportView = Type.Object({
  id: Type.String(),
  integration: Type.String({ description: 'Slug.' }),
  provider: Type.String({ description: 'As people know it.' }),
  account: nullable(Type.String()),
  status: Type.String({ description: '`valid`, `expiring`, `refreshing`, `needs_reauth`, `unavailable` or `disconnected`.' }),
  connection_status: Type.String({ description: 'active, degraded, needs_reauth, blocked, paused or disconnected.' }),
  code: nullable(Type.String({ description: 'Of the fault table.' })),
  title: nullable(Type.String()),
  message: nullable(Type.String({ description: 'For the end user.' })),
  action: Type.String({ description: '`retry`, `wait`, `reconnect`, `sign_in`, `contact_admin` or `none`.' }),
  expires_at: nullable(Type.String({ description: 'When the grant ends whatever we do, unless its owner grants again.' })),
  reconnect_url: nullable(Type.String({ description: 'The page that repairs it.' })),
  retry_at: nullable(Time),
})

const StatusView = Type.Object({
  session: Type.Object({ status: Type.String({ description: '`valid` or `expiring`.' }), expires_at: Time, idle_expires_at: Time }),
  connections: Type.Array(ConnectionReportView),
})

export function reportView(report: ConnectionReport) {
  return {
    id: report.id,
    integration: report.integration,
    provider: report.provider,
    account: report.account,
    status: report.status,
    connection_status: report.connectionStatus,
    code: report.code,
    title: report.title,
    message: report.message,
    action: report.action,
    expires_at: isoOrNull(report.expiresAt),
    reconnect_url: report.reconnectUrl,
    retry_at: isoOrNull(report.retryAt),
  }
}

/** `GET auth/token-status`: how the session and the person's connections are, and what they can do. */
export function tokenStatusRoutes(app: App, { personConnections, clock }: Services): void {
  app.get(
    '/api/v1/auth/token-status',
    {
      config: { access: 'person', own: true },
      schema: {
        summary: 'How are my session and my connections?',
        description: 'Looks at what is stored and asks no provider; nothing is renewed by it. At most 50 connections, those that live first.',
        tags: ['sessions'],
        response: { 200: StatusView, ...PROBLEMS },
      },
    },
    async (request) => {
      const person = personOf(request)
      const { status, expiresAt, idleExpiresAt } = sessionReport(person.session, clock.wall())
      const connections = await personConnections.report(person)
      return { session: { status, expires_at: iso(expiresAt), idle_expires_at: iso(idleExpiresAt) }, connections: connections.map(reportView) }
    },
  )
}
