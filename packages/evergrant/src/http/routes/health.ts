import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { type App, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

const Ready = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Array(Type.Object({ name: Type.String(), ok: Type.Boolean(), detail: Type.Union([Type.String(), Type.Null()]) })),
})

/**
 * True when a proxy handed the request on, so that it may come from anywhere. A caller cannot take the field away that the proxy adds; one who adds it loses
 * something, and gains nothing. Monitoring asks each node itself.
 */
function isFromOutside({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined
}

/** For load balancers and monitoring: no key, and nothing in it that needs one. What is the operator's alone is not told through a proxy (S115). */
export function healthRoutes(app: App, { health, metrics }: Services): void {
  app.get(
    '/health/live',
    { config: { access: 'public' }, schema: { summary: 'Is the process alive?', tags: ['operate'], response: { 200: Type.Object({ live: Type.Boolean() }) } } },
    () => ({ live: true }),
  )
  app.get(
    '/health/ready',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Should this node get traffic?',
        description: 'The reasons (`detail`) are told to whoever asks the node itself, and not through a proxy (`X-Forwarded-For`, `Forwarded`).',
        tags: ['operate'],
        response: { 200: Ready, 503: Ready },
      },
    },
    async (request, reply) => {
      const checks = await health.check()
      const ready = checks.every((check) => check.ok)
      const told = isFromOutside(request) ? checks.map((check) => ({ ...check, detail: null })) : checks
      return reply.code(ready ? 200 : 503).send({ ready, checks: told })
    },
  )
  app.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Prometheus metrics',
        description: 'Of this node, for whoever asks it itself. Through a proxy (`X-Forwarded-For`, `Forwarded`) there is no such route.',
        tags: ['operate'],
        response: { 200: Type.String({ description: 'text/plain; version=0.0.4' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      if (isFromOutside(request)) throw new Fault('not_found', { detail: 'Metrics are read at each node itself, not through a proxy.' })
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.render())
    },
  )
}
