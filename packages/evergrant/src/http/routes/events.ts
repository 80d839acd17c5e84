import { Type } from 'typebox'
import type { EventType } from '../../core/audit/event.ts'
import { callerOf } from '../authentication.ts'
import { eventView } from '../owner-view.ts'
import { type App, ConnectionIdSchema, closed, nullable, PageQuery, PROBLEMS, pageOf, Time } from '../schema.ts'
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
const EventTypeSchema = Type.Unsafe<EventType>({ type: 'string', pattern: '^[a-z_]{1,40}\\.[a-z_]{1,40}$' })

/** The audit record, newest first. */
export function eventRoutes(app: App, { events }: Services): void {
  app.get(
    '/api/v1/events',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'List events',
        tags: ['events'],
        querystring: closed({
          ...PageQuery,
          connection: Type.Optional(ConnectionIdSchema),
          subject: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
          type: Type.Optional(EventTypeSchema),
        }),
        response: { 200: pageOf(EventView), ...PROBLEMS },
      },
    },
    async (request) => {
      const { limit: _limit, cursor: _cursor, ...filter } = request.query
      const found = await events.list(callerOf(request).organization, filter, pageRequest(request.query))
      return { items: found.items.map(eventView), cursor: found.cursor }
    },
  )
}
