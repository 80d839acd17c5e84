import { Type } from 'typebox'
import { type App, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

const Ready = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Array(Type.Object({ name: Type.String(), ok: Type.Boolean(), detail: Type.Union([Type.String(), Type.Null()]) })),
})

/** For load balancers and monitoring: no key, and nothing in it that needs one. */
export function healthRoutes(app: App, { health, metrics }: Services): void {
  app.get(
    '/health/live',
    { config: { access: 'public' }, schema: { summary: 'Is the process alive?', tags: ['operate'], response: { 200: Type.Object({ live: Type.Boolean() }) } } },
    () => ({ live: true }),
  )
  app.get(
    '/health/ready',
    { config: { access: 'public' }, schema: { summary: 'Should this node get traffic?', tags: ['operate'], response: { 200: Ready, 503: Ready } } },
    async (_request, reply) => {
      const checks = await health.check()
      const ready = checks.every((check) => check.ok)
      return reply.code(ready ? 200 : 503).send({ ready, checks })
    },
  )
  app.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: { summary: 'Prometheus metrics', tags: ['operate'], response: { 200: Type.String({ description: 'text/plain; version=0.0.4' }), ...PROBLEMS } },
    },
    async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.render()),
  )
}
