import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../schema.ts'
import type { AllowedOrigins } from './same-site.ts'

/** What a page may read beside the body; without it a browser hides them. */
const EXPOSED = 'Retry-After, Evergrant-Auth, Request-Id, WWW-Authenticate, Date, DPoP-Nonce, Evergrant-Device, Evergrant-Upstream-Status, Evergrant-Verdict'
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
/** How long a browser remembers leave: an origin that is taken off the list is refused after this. */
const PREFLIGHT_SECONDS = '600'
const HEADER_NAMES = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}(?: *, *[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}){0,49}$/
const PATHS = ['/api/v1/', '/.well-known/']

/**
 * Pages of listed origins may call the API (Fetch, section 3.2). The list is compared whole: no pattern, no reflection, never `*`, never `null` (S54).
 * Our own pages need none of this. An origin that is not listed gets no header at all, and its browser keeps the answer from it. `Vary: Origin` is on every
 * answer (`headers.ts`): a cache must not give one origin what was meant for another.
 */
export function answerOrigins(app: App, { listed }: AllowedOrigins): void {
  if (listed.size === 0) return
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    if (origin === undefined || !listed.has(origin) || !PATHS.some((path) => request.url.startsWith(path))) return done()
    reply.header('access-control-allow-origin', origin).header('access-control-allow-credentials', 'true').header('access-control-expose-headers', EXPOSED)
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done()
    giveLeave(request, reply)
  })
}

/** A preflight: which methods and headers the request itself may have. It carries no credential and is answered before any is looked at. */
function giveLeave(request: FastifyRequest, reply: FastifyReply): void {
  const asked = request.headers['access-control-request-headers']
  reply.header('access-control-allow-methods', METHODS).header('access-control-max-age', PREFLIGHT_SECONDS)
  // The origin is trusted by name: which headers its requests have is its own business.
  if (typeof asked === 'string' && HEADER_NAMES.test(asked)) reply.header('access-control-allow-headers', asked)
  reply.code(204).send()
}
