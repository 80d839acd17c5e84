import { isUtf8 } from 'node:buffer'
import Fastify, { type FastifyPluginCallback, type FastifyReply, type FastifyRequest } from 'fastify'
import { Fault } from '../core/fault/fault.ts'
import type { Log } from '../core/log.ts'
import { Told } from '../core/refresh/told.ts'
import { MINUTE, SECOND } from '../core/time.ts'
import { authHeaders } from './auth/auth-headers.ts'
import { answerOrigins } from './auth/cors.ts'
import { enrolRoutes } from './auth/enroll-routes.ts'
import { identityRoutes } from './auth/identity-routes.ts'
import { allowedOrigins } from './auth/same-site.ts'
import { sdkRoutes } from './auth/sdk-routes.ts'
import { sessionRoutes } from './auth/session-routes.ts'
import { ValidateLane } from './auth/validate-lane.ts'
import { authenticator } from './authentication.ts'
import { answerBelow, basePath } from './below-path.ts'
import { BodyTime } from './body-time.ts'
import { docsRoutes } from './docs/docs-routes.ts'
import { collectOpenApi } from './docs/openapi.ts'
import { FastLane } from './fast-lane.ts'
import { answerHeaders } from './headers.ts'
import { keepAnswers } from './idempotency.ts'
import { duplicateKey, roundedNumber, tooDeepField } from './json-body.ts'
import { MethodTable } from './method-table.ts'
import { faultOf, PROBLEM_TYPE, problemOf, retryAfterSeconds } from './problem.ts'
import { type RateLimit, RateLimiter } from './rate-limit.ts'
import { RefusalLog } from './refusal-log.ts'
import { around, type RequestWatch, watchRequests } from './request-watch.ts'
import { noteRoutes } from './route-table.ts'
import { adminRoutes } from './routes/admin.ts'
import { agentEnrolmentRoutes } from './routes/agent-enrolment.ts'
import { agentOperationRoutes } from './routes/agent-operation.ts'
import { agentTrustRoutes } from './routes/agent-trust.ts'
import { agentRoutes } from './routes/agents.ts'
import { alertRoutes } from './routes/alerts.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { approvalRoutes } from './routes/approvals.ts'
import { bulkRoutes } from './routes/bulk.ts'
import { channelRoutes } from './routes/channels.ts'
import { connectionTestRoutes } from './routes/connection-test.ts'
import { connectionRoutes } from './routes/connections.ts'
import { consoleRoutes } from './routes/console.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { deathRoutes } from './routes/deaths.ts'
import { eventRoutes } from './routes/events.ts'
import { expiryRoutes } from './routes/expiries.ts'
import { healthRoutes } from './routes/health.ts'
import { historyRoutes } from './routes/history.ts'
import { hookRoutes } from './routes/hooks.ts'
import { importRoutes } from './routes/import.ts'
import { insightRoutes } from './routes/insight.ts'
import { integrationRoutes } from './routes/integrations.ts'
import { jwksRoutes } from './routes/jwks.ts'
import { keyringRoutes } from './routes/keyring.ts'
import { organizationRoutes } from './routes/organizations.ts'
import { ownerRoutes } from './routes/owners.ts'
import { profileRoutes } from './routes/profile.ts'
import { protectedResourceRoutes } from './routes/protected-resource.ts'
import { providerRoutes } from './routes/providers.ts'
import { proxyRoutes } from './routes/proxy.ts'
import { pushRoutes } from './routes/pushes.ts'
import { reuseProbeRoutes } from './routes/reuse-probe.ts'
import { settingsRoutes } from './routes/settings.ts'
import { tokenStatusRoutes } from './routes/token-status.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { userRoutes } from './routes/users.ts'
import { useRoutes } from './routes/uses.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import type { App, SchemaTypes } from './schema.ts'
import type { Services } from './services.ts'
import { limitedServer, type SocketLimits } from './socket-limits.ts'
import { routeSchemas } from './validation.ts'

export interface AppOptions {
  /** Where the outside world reaches us, without a trailing slash. */
  readonly publicUrl: string
  /** Origins of applications whose pages may use the API with a session: `https://app.example.com`. Compared whole. */
  readonly allowedOrigins?: readonly string[]
  readonly log: Log
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed; the right-most foreign hop is the caller. */
  readonly trustedProxies?: readonly string[]
  /** Bytes of a JSON body; 262,144 by default. */
  readonly bodyLimit?: number
  readonly keyLimit?: RateLimit
  readonly failureLimit?: RateLimit
  /** How long a provider's API may take to begin its answer when the caller does not say, in milliseconds; 60,000 by default. */
  readonly proxyTimeoutMs?: number
  /** Called once per answer when request logging is on; the URL carries no query. */
  readonly requestLog?: (fields: {
    readonly method: string
    readonly path: string
    readonly status: number
    readonly ms: number
    readonly request: string
  }) => void
  /** How long the head of a request may take, in milliseconds, and how many connections are held at once; 30,000 and 10,000 by default. */
  readonly sockets?: SocketLimits
  /** Measures and traces what is answered. */
  readonly watch?: RequestWatch
  /** More routes, each in its own scope. */
  readonly routes?: readonly ((app: App) => void)[]
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Compiles the schemas that no request has needed yet. @throws Error for one that is wrong */
    compileSchemas(): void
  }
}

const BODY_LIMIT = 256 * 1_024
/** One node's whole capacity: a guard against loops, not a quota. */
const KEY_LIMIT: RateLimit = { perSecond: 20_000, capacity: 40_000 }
const FAILURE_LIMIT: RateLimit = { perSecond: 5, capacity: 100 }
const PROXY_TIMEOUT_MS = 60_000
/** Never without Retry-After: a client that is told to wait must know how long. */
const WAITING: ReadonlySet<number> = new Set([429, 503])

/** The HTTP server over the services of core. Nothing listens yet: `app.listen` does, `app.inject` needs no socket. */
export function createApp(services: Services, options: AppOptions): App {
  const bodyLimit = options.bodyLimit ?? BODY_LIMIT
  const origins = allowedOrigins(options.publicUrl, options.allowedOrigins ?? [])
  const headers = answerHeaders(options.publicUrl, origins.listed.size > 0)
  const limits = limitsOf(services, options)
  const nextRequestId = requestIds(services.entropy.uuid())
  const lane = new FastLane(services, limits.keys, headers, nextRequestId)
  const validateLane = new ValidateLane(services, limits.keys, headers, nextRequestId)
  const app = Fastify({
    bodyLimit,
    serverFactory: (handler) =>
      limitedServer(around(options.watch, options.requestLog === undefined ? lane.before(validateLane.before(handler)) : handler), services.clock, options),
    trustProxy: options.trustedProxies === undefined || options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    genReqId: nextRequestId,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    // Whoever was let in is answered: `Leaving` has turned everybody away before.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => fail(error, request, reply),
    clientErrorHandler: (error, socket) => refuseBytes(error, socket),
    routerOptions: { maxParamLength: 512 },
  }).withTypeProvider<SchemaTypes>()
  const methods = new MethodTable()
  const noted = faultLog(services, options)

  function fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const fault = faultOf(error, request.routeOptions.bodyLimit ?? bodyLimit)
    noted(request, fault)
    const problem = problemOf(request.caller === null ? toldToAnybody(fault) : fault, request.id, options.publicUrl, request.words)
    reply.headers(headers).header('request-id', request.id)
    const now = services.clock.wall()
    const retryAt = fault.details.retryAt ?? (WAITING.has(problem.status) ? now + SECOND : undefined)
    if (retryAt !== undefined) reply.header('retry-after', String(retryAfterSeconds(retryAt, now)))
    authHeaders(reply, fault.code, problem.status, () => services.proofs.nonces.current())
    // Fastify would close the connection under what still comes, and the reset costs the sender, or the proxy before it, the answer (RFC 9112 section 9.6).
    // As after every other early answer, the rest is read and dropped, for as long as a body may take.
    if (fault.code === 'body_too_large') reply.removeHeader('connection')
    reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
  }

  app.decorateRequest('caller', null)
  app.decorateRequest('turnedAway', null)
  app.decorateRequest('words', null)
  const schemas = routeSchemas()
  app.setValidatorCompiler(schemas.validator)
  app.setSerializerCompiler(schemas.serializer)
  app.decorate('compileSchemas', () => schemas.compileAll())
  app.setErrorHandler((error, request, reply) => fail(error, request, reply))
  app.setNotFoundHandler((request, reply) => fail(missing(methods, request, reply, basePath(options.publicUrl)), request, reply))
  app.addHook('onRoute', (route) => methods.add(route.method, route.url))
  noteRoutes(app)
  const bodies = new BodyTime(services.timers, (socket) => refuseBytes({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }, socket))
  app.addHook('onRequest', (request, reply, done) => {
    bodies.limit(request.raw)
    reply.headers(headers).header('request-id', request.id)
    done()
  })
  if (options.watch !== undefined) watchRequests(app, options.watch)
  answerOrigins(app, origins)
  app.addHook('onRequest', authenticator(services, limits, options.publicUrl))
  if (options.requestLog !== undefined) logRequests(app, options.requestLog)
  answerBelow(app, options.publicUrl)
  readJsonBodies(app)
  completeBodies(app)
  keepAnswers(app, services, options.log)
  collectOpenApi(app, options.publicUrl)
  for (const part of partsOf(services, options, { origins, bodies })) {
    const plugin: FastifyPluginCallback = (scope, _options, done) => {
      part(scope.withTypeProvider<SchemaTypes>())
      done()
    }
    // Fastify asks for a name, and looks for it in every module of the process where none is given.
    app.register(Object.assign(plugin, { [Symbol.for('fastify.display-name')]: 'routes' }))
  }
  return app
}

/** Each in a scope of its own. */
function partsOf(services: Services, options: AppOptions, { origins, bodies }: PartNeeds): readonly ((scope: App) => void)[] {
  return [
    (scope) => ownRoutes(scope, services, options),
    (scope) => sessionRoutes(scope, services, { publicUrl: options.publicUrl, origins }),
    (scope) => sdkRoutes(scope, services, { publicUrl: options.publicUrl }),
    (scope) => enrolRoutes(scope, services, { publicUrl: options.publicUrl }),
    (scope) => identityRoutes(scope, services, { publicUrl: options.publicUrl, origins }),
    (scope) => hookRoutes(scope, services.pushes, { publicUrl: options.publicUrl, clock: services.clock }),
    (scope) => proxyRoutes(scope, services, { timeoutMs: options.proxyTimeoutMs ?? PROXY_TIMEOUT_MS, bodies }),
    ...(options.routes ?? []),
  ]
}

interface PartNeeds {
  readonly origins: ReturnType<typeof allowedOrigins>
  readonly bodies: BodyTime
}

function ownRoutes(app: App, services: Services, options: AppOptions): void {
  tokenRoutes(app, services)
  connectionRoutes(app, services)
  insightRoutes(app, services)
  bulkRoutes(app, services)
  expiryRoutes(app, services)
  credentialRoutes(app, services)
  connectionTestRoutes(app, services)
  reuseProbeRoutes(app, services)
  importRoutes(app, services)
  integrationRoutes(app, services, options.publicUrl)
  deathRoutes(app, services, options.publicUrl)
  pushRoutes(app, services)
  providerRoutes(app, services)
  apiKeyRoutes(app, services)
  agentRoutes(app, services)
  agentTrustRoutes(app, services)
  agentEnrolmentRoutes(app, services)
  approvalRoutes(app, services)
  useRoutes(app, services)
  agentOperationRoutes(app, services)
  organizationRoutes(app, services)
  settingsRoutes(app, services)
  profileRoutes(app, services)
  userRoutes(app, services)
  ownerRoutes(app, services)
  tokenStatusRoutes(app, services)
  eventRoutes(app, services)
  alertRoutes(app, services)
  channelRoutes(app, services)
  webhookRoutes(app, services)
  historyRoutes(app, services)
  consoleRoutes(app, services)
  adminRoutes(app, services)
  keyringRoutes(app, services)
  healthRoutes(app, services)
  jwksRoutes(app, services.signingKeys)
  protectedResourceRoutes(app, options.publicUrl)
  docsRoutes(app)
}

function limitsOf(services: Services, options: AppOptions) {
  const mono = () => services.clock.mono()
  return { keys: new RateLimiter(options.keyLimit ?? KEY_LIMIT, mono), failures: new RateLimiter(options.failureLimit ?? FAILURE_LIMIT, mono) }
}

/** A caller's own id is kept when it is harmless; ours is the start's id and a counter, which costs nothing. */
function requestIds(start: string): (request: { readonly headers: Readonly<Record<string, string | string[] | undefined>> }) => string {
  const prefix = `${start.slice(-12)}-`
  let count = 0
  return (request) => {
    const given = request.headers['request-id']
    if (typeof given === 'string' && /^[A-Za-z0-9_.:-]{1,128}$/.test(given)) return given
    count += 1
    return prefix + count.toString(36)
  }
}

function missing(methods: MethodTable, request: FastifyRequest, reply: FastifyReply, base: string): Fault {
  const path = request.url.split('?', 1)[0] ?? ''
  const allowed = methods.of(path)
  if (base !== '' && `${path}/`.startsWith(`${base}/`))
    return new Fault('not_found', { detail: `The proxy in front of this server has to take ${base} off the path before it asks. docs/guides/deploy says how.` })
  if (allowed.length === 0) return new Fault('not_found', { detail: 'There is no such route. /docs/api lists them.' })
  reply.header('allow', allowed.join(', '))
  return new Fault('method_not_allowed', { detail: `${request.method} is not offered here. Use ${allowed.join(' or ')}.` })
}

function readJsonBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    // What cannot be read would become replacement signs, and two owners one.
    if (!isUtf8(bytes))
      return done(new Fault('invalid_request', { detail: 'The body is not UTF-8. Send JSON as RFC 8259 section 8.1 asks for it.' }), undefined)
    const body = bytes.toString()
    void parse(request, body, (error, value) => {
      if (error !== null) return done(error, undefined)
      const deep = tooDeepField(body)
      if (deep !== undefined)
        return done(new Fault('invalid_request', { field: `/${deep}`, detail: 'The body is nested too deeply. Send at most 64 levels.' }), undefined)
      const rounded = roundedNumber(body)
      if (rounded !== undefined)
        return done(new Fault('invalid_request', { detail: `The number ${rounded.slice(0, 40)} cannot be kept as it is. Send it as text.` }), undefined)
      const twice = duplicateKey(body)
      if (twice === undefined) return done(null, value)
      done(new Fault('invalid_request', { field: `/${twice}`, detail: `The body has \`${twice}\` twice in one object. Send each field once.` }), undefined)
    })
  })
}

/** No body is the empty object: a field that is missing is then named, and a route whose fields are all optional needs none. */
function completeBodies(app: App): void {
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.method !== 'GET' && (request.body === undefined || request.body === null) && request.headers['content-type'] === undefined) request.body = {}
    done()
  })
}

function logRequests(app: App, log: NonNullable<AppOptions['requestLog']>): void {
  app.addHook('onResponse', (request, reply, done) => {
    log({
      method: request.method,
      path: request.routeOptions.url ?? '(none)',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      request: request.id,
    })
    done()
  })
}

/** Bytes that are no HTTP: there is no request to answer, so the smallest valid answer is written by hand. */
function refuseBytes(error: { readonly code?: string }, socket: { readonly writable: boolean; end(text: string): void; destroy(): void }): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout']
        : [400, 'Bad Request']
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nContent-Length: 0\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n`)
}

/** Faults that somebody should hear of. A right that is missing for one table is told by nothing else; of an outage, one line a minute is enough. */
function faultLog({ clock }: Pick<Services, 'clock'>, { log, watch }: AppOptions): (request: FastifyRequest, fault: Fault) => void {
  const refusals = new RefusalLog({ log, mono: () => clock.mono(), count: (code) => watch?.refused(code) })
  const told = new Told()
  return (request, fault) => {
    if (fault.code === 'internal') log.error({ request: request.id, error: describe(fault.details.cause ?? fault) }, 'a request failed')
    if (fault.code === 'store_unavailable' && told.once(fault.message, clock.mono(), MINUTE))
      log.warn({ request: request.id, error: fault.details.detail ?? describe(fault.details.cause ?? fault) }, 'the database refused a request')
    refusals.note(request, fault)
  }
}

/** What a driver says names users, hosts and tables: the log has it. */
function toldToAnybody(fault: Fault): Fault {
  const { detail: _detail, cause, ...details } = fault.details
  return fault.code === 'store_unavailable' && cause !== undefined ? new Fault(fault.code, details) : fault
}

/** For the log: name, message and stack. Our own code never puts a secret into a message. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : typeof error
}
