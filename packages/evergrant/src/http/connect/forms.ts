import type { FastifyRequest } from 'fastify'
import type { App } from '../schema.ts'

/** Forms of pages, in this scope. PostgreSQL cannot even be asked for a text with a zero character: it is replaced, as what is no UTF-8 is. */
export function readForms(app: App, bodyLimit: number): void {
  app.addContentTypeParser<string>('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit }, (_request, body, done) =>
    done(null, new URLSearchParams(body.replaceAll(/\0|%00/g, '\uFFFD'))),
  )
}

/** The first value of every field. */
export function formOf(request: FastifyRequest): Readonly<Record<string, string>> {
  return request.body instanceof URLSearchParams ? Object.fromEntries([...request.body].reverse()) : {}
}
