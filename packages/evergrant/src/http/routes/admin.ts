import { Type } from 'typebox'
import { type App, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

/** For operators. */
export function adminRoutes(app: App, { engine }: Services): void {
  app.post(
    '/api/v1/admin/refresh-tokens',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Sweep now',
        description: 'Looks at what is due without waiting for the worker, and says how many refreshes were started.',
        tags: ['operate'],
        response: { 202: Type.Object({ started: Type.Integer() }), ...PROBLEMS },
      },
    },
    async (_request, reply) => reply.code(202).send({ started: await engine.runDue() }),
  )
}
