import { type Static, Type } from 'typebox'
import type { AuditEvent, EventType } from '../../core/audit/event.ts'
import { Fault } from '../../core/fault/fault.ts'
import { type EventId, idPattern } from '../../core/ids.ts'
import { EVERY_EVENT, type EventField, type EventQuery, parseEventQuery } from '../../core/observe/event-query.ts'
import { callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { csvLine, streamed } from '../csv.ts'
import { eventView } from '../owner-view.ts'
import { type App, ConnectionIdSchema, closed, EVENT_TYPE, KEEPABLE, LINE, nullable, PageQuery, PROBLEMS, pageOf, Time } from '../schema.ts'
import type { Services } from '../services.ts'
import { pageRequest } from './connections.ts'

const EventView = Type.Object({
  id: Type.String(),
  type: Type.String(),
  at: Time,
  actor: Type.Object({ kind: Type.String(), id: nullable(Type.String()) }),
  connection_id: nullable(Type.String()),
  subject: nullable(Type.String()),
  data: Type.Object({}, { additionalProperties: true }),
})
const EventIdSchema = Type.Unsafe<EventId>({ type: 'string', pattern: idPattern('evt'), description: 'Id of an event.' })
const EventTypeSchema = Type.Unsafe<EventType>({ type: 'string', pattern: EVENT_TYPE })
const FILTER = {
  connection: Type.Optional(ConnectionIdSchema),
  subject: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: LINE })),
  type: Type.Optional(EventTypeSchema),
  q: Type.Optional(
    Type.String({
      maxLength: 1_000,
      pattern: KEEPABLE,
      description:
        'Words `connection:` `owner:` `code:` `provider:` `type:` `actor:` `subject:` `agent:` `after:` `before:`, each also with `-` before it and, but for times, `*` at its end: `code:invalid_grant -agent:* after:2026-11-01`. Words of one kind are alternatives.',
    }),
  ),
}
const FilterSchema = closed(FILTER)
const COLUMNS = ['id', 'at', 'type', 'actor_kind', 'actor_id', 'connection_id', 'subject', 'data']
const EXPORT_PAGE = 200

/** The audit record, newest first. */
export function eventRoutes(app: App, { eventSearch }: Services): void {
  app.get(
    '/api/v1/events',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'List events',
        description:
          'Of a search for something rare a page may hold fewer than `limit`, even none, and still have a cursor: each page looks at a bounded number of events.',
        tags: ['events'],
        querystring: closed({ ...PageQuery, ...FILTER }),
        response: { 200: pageOf(EventView), ...PROBLEMS },
      },
    },
    async (request) => {
      const { limit: _limit, cursor: _cursor, ...filter } = request.query
      const found = await eventSearch.events(callerOf(request).organization, queryOf(filter), pageRequest(request.query))
      return { items: found.items.map(eventView), cursor: found.cursor }
    },
  )
  app.get(
    '/api/v1/events/:id',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'Read an event',
        tags: ['events'],
        params: closed({ id: EventIdSchema }),
        response: { 200: EventView, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id } = request.params
      const found = await eventSearch.event(callerOf(request).organization, id)
      if (found === undefined) throw new Fault('not_found', { field: 'id', detail: `There is no event ${id} in this organization. GET events lists them.` })
      return eventView(found)
    },
  )
  app.get(
    '/api/v1/events/export',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'Export events',
        description: 'Streamed, newest first: one JSON object a line, or CSV.',
        tags: ['events'],
        querystring: closed({ ...FILTER, format: Type.Optional(Type.Unsafe<'jsonl' | 'csv'>({ type: 'string', enum: ['jsonl', 'csv'], default: 'jsonl' })) }),
        response: { 200: Type.String({ description: 'application/jsonl or text/csv' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { format = 'jsonl', ...filter } = request.query
      const { organization } = callerOf(request)
      const query = queryOf(filter)
      const page = (cursor: string | null) => eventSearch.events(organization, query, { limit: EXPORT_PAGE, cursor })
      const csv = format === 'csv'
      const table = await streamed(csv ? csvLine(COLUMNS) : '', page, csv ? rowOf : lineOf)
      reply.type(csv ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8').header('content-disposition', `attachment; filename="events.${format}"`)
      return reply.send(table)
    },
  )
}

/** @throws Fault `invalid_request` that names the character */
function queryOf({ q, connection, subject, type }: Static<typeof FilterSchema>): EventQuery {
  const query = q === undefined ? EVERY_EVENT : parseEventQuery(q)
  const term = (field: EventField, value: string | undefined) => {
    if (value === undefined) return []
    if (query.terms.some((known) => known.field === field && !known.negated))
      throw new Fault('invalid_request', { field: 'q', detail: `\`${field}\` stands beside \`${field}:\` in the query. Say it once.` })
    return [{ field, value, prefix: false, negated: false }]
  }
  return { ...query, terms: [...query.terms, ...term('connection', connection), ...term('subject', subject), ...term('type', type)] }
}

const lineOf = (event: AuditEvent): string => `${JSON.stringify(eventView(event))}\n`

function rowOf({ id, at, type, actor, connection, subject, data }: AuditEvent): string {
  return csvLine([id, iso(at), type, actor.kind, actor.id, connection, subject, JSON.stringify(data)])
}
