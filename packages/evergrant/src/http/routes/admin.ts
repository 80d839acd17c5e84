import { Type } from 'typebox'
import { idPattern, type SweepId } from '../../core/ids.ts'
import type { Sweep } from '../../core/operate/operations.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { sendProgress } from '../progress-stream.ts'
import { type App, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

const SweepView = Type.Object({
  id: Type.String(),
  started_at: Time,
  started_by: Type.Object({ kind: Type.String(), id: nullable(Type.String()) }),
  due: Type.Integer({ description: 'Connections that were due when it began.' }),
  remaining: Type.Integer({ description: 'Of them: not yet tried, or under way.' }),
  refreshed: Type.Integer({ description: 'Refreshes since it began.' }),
  failed: Type.Integer({ description: 'Tries since it began that failed; each is repeated by itself.' }),
  needs_owner: Type.Integer({ description: 'Connections whose owner has to act since it began.' }),
  finished_at: nullable(Time),
})
const SweepIdSchema = Type.Unsafe<SweepId>({ type: 'string', pattern: idPattern('swp'), description: 'Id of a sweep.' })

function sweepView({ id, startedAt, startedBy, due, progress, finishedAt }: Sweep) {
  const { remaining, refreshed, failed, needsOwner } = progress
  return {
    id,
    started_at: iso(startedAt),
    started_by: startedBy,
    due,
    remaining,
    refreshed,
    failed,
    needs_owner: needsOwner,
    finished_at: isoOrNull(finishedAt),
  }
}

/** For operators: everything that is due, now, and what becomes of it. */
export function adminRoutes(app: App, services: Services): void {
  const { sweeps } = services
  app.post(
    '/api/v1/admin/refresh-tokens',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Sweep now',
        description:
          'Looks at what is due without waiting for the worker. `due`: connections of this organization whose time has come; `started`: refreshes that this node began at once. The rest follows in the queue, on every node; `GET sweeps/{id}/stream` tells how far it is.',
        tags: ['operate'],
        response: { 202: Type.Object({ sweep_id: Type.String(), due: Type.Integer(), started: Type.Integer() }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { sweep, started } = await sweeps.start(caller.organization, actorOf(caller))
      return reply.code(202).send({ sweep_id: sweep.id, due: sweep.due, started })
    },
  )
  app.get(
    '/api/v1/sweeps',
    {
      config: { access: 'events:read' },
      schema: { summary: 'List the latest sweeps', tags: ['operate'], response: { 200: Type.Object({ items: Type.Array(SweepView) }), ...PROBLEMS } },
    },
    async (request) => ({ items: (await sweeps.list(callerOf(request).organization)).map(sweepView) }),
  )
  streamRoute(app, services)
}

function streamRoute(app: App, services: Services): void {
  app.get(
    '/api/v1/sweeps/:id/stream',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'Progress of a sweep',
        description: 'Server-sent events: `progress` when a number changed, `done` at the end. Read with `fetch`; an earlier stream is simply opened again.',
        tags: ['operate'],
        params: closed({ id: SweepIdSchema }),
        response: { 200: Type.String({ description: 'text/event-stream' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const first = await services.sweeps.look(caller.organization, request.params.id)
      const look = () => services.sweeps.look(caller.organization, first.id)
      return reply.send(sendProgress(reply, services, caller, { first, look, view: sweepView, over: ({ finishedAt }) => finishedAt !== null }))
    },
  )
}
