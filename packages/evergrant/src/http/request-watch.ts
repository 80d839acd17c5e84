import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { App } from './schema.ts'

/** Whoever measures and traces requests. Nothing in it may throw. */
export interface RequestWatch {
  /** Around a request from its first byte on; null: nothing is put around it. Calls `handle` in the same turn. */
  readonly begin: ((request: IncomingMessage, response: ServerResponse, handle: () => void) => void) | null
  /** The route of a request is known; whatever runs in `go` belongs to it. Called again after a body was read, which comes from elsewhere. */
  within(request: IncomingMessage, id: string, route: string, go: () => void): void
  /** A caller was known, or came from a foreign page, and was refused for what it may not do. */
  refused(code: string): void
  answered(facts: { readonly route: string; readonly status: number; readonly ms: number }): void
}

export function around(watch: RequestWatch | undefined, handler: RequestListener): RequestListener {
  const begin = watch?.begin ?? null
  return begin === null ? handler : (request, response) => begin(request, response, () => handler(request, response))
}

/** For a path that no route has. */
const UNKNOWN = '(none)'

export function watchRequests(app: App, watch: RequestWatch): void {
  app.addHook('onRequest', (request, _reply, done) => watch.within(request.raw, request.id, request.routeOptions.url ?? UNKNOWN, done))
  app.addHook('preValidation', (request, _reply, done) => watch.within(request.raw, request.id, request.routeOptions.url ?? UNKNOWN, done))
  app.addHook('onResponse', (request, reply, done) => {
    watch.answered({ route: request.routeOptions.url ?? UNKNOWN, status: reply.statusCode, ms: reply.elapsedTime })
    done()
  })
}

/** The first word of a route's path, after the prefix of the API: bounded by the routes that there are. */
export function areaOf(route: string): string {
  const words = route.replace(/^\/api\/v1\//, '/').split('/')
  const [, first = ''] = words
  return /^[a-z][a-z0-9.-]*$/.test(first) ? first : 'other'
}
