import { Type } from 'typebox'
import { LONGEST_WINDOW_SECONDS } from '../../core/connection/reuse-probes.ts'
import { aboutConnection } from '../about-connection.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { type App, ConnectionIdSchema, closed, nullable, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

const ProbeView = Type.Object({
  class: nullable(Type.String({ description: 'P0, P1, P2, P3 or P4; null when nothing was learnt: `evidence` says why.' })),
  window_seconds: Type.Integer({ description: 'P1: for so long a spent token surely worked again; 0 elsewhere.' }),
  rotation: nullable(Type.String({ description: '`never` or `always`.' })),
  refresh_ends_access_token: nullable(Type.Boolean()),
  reuse_ends_grant: nullable(Type.Boolean({ description: 'The whole grant was over after a refused second use.' })),
  evidence: Type.String(),
  steps: Type.Array(Type.String(), { description: 'What was done, in order. Holds no token.' }),
  unknown: Type.Array(Type.String(), { description: 'What it could not tell.' }),
  needs_reauth: Type.Boolean({ description: 'The probe ended the grant.' }),
})

const Body = closed({
  window_seconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: LONGEST_WINDOW_SECONDS, default: 60, description: 'How long a spent token is tried again.' }),
  ),
  may_lose: Type.Optional(
    Type.Boolean({
      description:
        'This grant may be lost, with whatever ends beside it. Not needed when the connection has the tag `throwaway`, its account no other connection here, and the record does not forbid it.',
    }),
  ),
})

/** `POST connections/{id}/probe`: what the provider does with a refresh token that comes twice. */
export function reuseProbeRoutes(app: App, services: Services): void {
  app.post(
    '/api/v1/connections/:id/probe',
    {
      config: { access: 'connections:write' },
      schema: {
        summary: 'Learn the reuse class on a throwaway grant',
        description:
          'Presents spent refresh tokens of this connection again, which may end its grant, and at some providers other grants of the same person. The connection is paused meanwhile. The answer may take four minutes.',
        tags: ['connections'],
        params: closed({ id: ConnectionIdSchema }),
        body: Body,
        response: { 200: ProbeView, ...PROBLEMS },
      },
    },
    (request) => {
      const caller = callerOf(request)
      const { id } = request.params
      const { window_seconds: windowSeconds = 60, may_lose: mayLose = false } = request.body
      return aboutConnection(request, services, id, async () => {
        const order = { organization: caller.organization, connection: id, windowSeconds, mayLose }
        const report = await services.probes.learn(order, actorOf(caller))
        return {
          class: report.class,
          window_seconds: report.windowSeconds,
          rotation: report.rotation,
          refresh_ends_access_token: report.refreshEndsAccessToken,
          reuse_ends_grant: report.reuseEndsGrant,
          evidence: report.evidence,
          steps: [...report.steps],
          unknown: [...report.open],
          needs_reauth: report.ended,
        }
      })
    },
  )
}
