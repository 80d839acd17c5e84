import type { FastifyReply } from 'fastify'
import { RUNBOOKS } from '../../core/operate/runbook-pages.ts'
import { PAGE_POLICY } from '../headers.ts'
import type { App } from '../schema.ts'
import { groupsOf } from './api-document.ts'
import { apiPage, DOCS_STYLE, DOCS_STYLE_PATH, errorsPage } from './pages.ts'
import { runbookPage, runbooksPage } from './runbook-pages.ts'

/** The OpenAPI document and the two pages made from it and from the fault table. */
export function docsRoutes(app: App): void {
  const made = new Map<string, string>()
  const once = (name: string, make: () => string): string => {
    const text = made.get(name) ?? make()
    made.set(name, text)
    return text
  }
  app.get('/api/v1/openapi.json', { config: { access: 'public' } }, (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(once('openapi', () => JSON.stringify(app.swagger()))),
  )
  app.get('/docs/api', { config: { access: 'public' } }, (_request, reply) =>
    page(
      reply,
      once('api', () => apiPage(groupsOf(app.swagger()), app.swagger().info.description ?? '')),
    ),
  )
  app.get('/docs/errors', { config: { access: 'public' } }, (_request, reply) => page(reply, once('errors', errorsPage)))
  app.get('/docs/runbooks', { config: { access: 'public' } }, (_request, reply) => page(reply, once('runbooks', runbooksPage)))
  // Each its own route: an address that is none of them is refused as any other unknown one.
  for (const runbook of RUNBOOKS)
    app.get(`/docs/runbooks/${runbook.id}`, { config: { access: 'public' } }, (_request, reply) =>
      page(
        reply,
        once(runbook.id, () => runbookPage(runbook)),
      ),
    )
  app.get(DOCS_STYLE_PATH, { config: { access: 'public' } }, (_request, reply) => reply.type('text/css; charset=utf-8').send(DOCS_STYLE))
}

function page(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(text)
}
