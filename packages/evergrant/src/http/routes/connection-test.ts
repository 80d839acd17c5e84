import { Type } from 'typebox'
import { aboutConnection } from '../about-connection.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { requireReach } from '../reach.ts'
import { type App, ConnectionIdSchema, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

const TestView = Type.Object({
  result: Type.String({
    description:
      '`works`, `rejected` (refused, and no renewal helped), `scope_missing`, `throttled`, `unreachable`, or `not_known`: nothing is known to call, so only the age of the last refresh tells.',
  }),
  checked_at: Time,
  http_status: nullable(Type.Integer({ description: "What the provider's API answered." })),
  code: nullable(Type.String({ description: 'The fault behind a result that is no answer of the API.' })),
  detail: nullable(Type.String()),
  renewed: Type.Boolean({ description: 'The token was refused at first, and renewed for this test.' }),
  needs_reauth: Type.Boolean({ description: 'The grant is over: only its owner can help.' }),
  retry_at: nullable(Time),
  last_refreshed_at: nullable(Time),
})

/** `POST connections/{id}/test`: one cheap call with the token. */
export function connectionTestRoutes(app: App, services: Services): void {
  app.post(
    '/api/v1/connections/:id/test',
    {
      config: { access: 'connections:write', own: true },
      schema: {
        summary: 'Test a connection',
        description:
          "Makes the cheapest call that the provider's record knows. A refused token is renewed once and tried again. The result is kept: `last_check` and `last_verified_at` of the connection.",
        tags: ['connections'],
        params: closed({ id: ConnectionIdSchema }),
        response: { 200: TestView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { id } = request.params
      await requireReach(services.connections, caller, id)
      return aboutConnection(request, services, id, async () => {
        const report = await services.checks.test(caller.organization, id, actorOf(caller))
        return {
          result: report.result,
          checked_at: iso(report.at),
          http_status: report.httpStatus,
          code: report.fault,
          detail: report.detail,
          renewed: report.renewed,
          needs_reauth: report.ended,
          retry_at: isoOrNull(report.retryAt),
          last_refreshed_at: isoOrNull(report.lastRefreshedAt),
        }
      })
    },
  )
}
