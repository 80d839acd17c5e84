import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { idPattern, type SessionId } from '../../core/ids.ts'
import { lacksFactor } from '../../core/session/second-factor.ts'
import type { Session } from '../../core/session/session.ts'
import type { CallerFacts } from '../../core/session/session-events.ts'
import { SIGN_OUT_CODES } from '../../core/session/session-refusals.ts'
import type { Opened, SignOutScope } from '../../core/session/session-service.ts'
import type { Shown } from '../../core/session/sessions.ts'
import { personOf, proofsOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { RateLimiter } from '../rate-limit.ts'
import { ConnectionReportView } from '../routes/token-status.ts'
import { type App, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'
import { type AllowedOrigins, requireSameSite } from './same-site.ts'
import { SessionAnswer, SessionView, sessionAnswer, sessionView, UserView, validView } from './session-answer.ts'
import { sessionCookiesOf, takeSessionCookie } from './session-cookie.ts'

interface SessionRouteOptions {
  readonly publicUrl: string
  readonly origins: AllowedOrigins
}

/** The person's due connections are renewed on the way, and never waited for longer. */
const CONNECTIONS_DEADLINE_MS = 2_000
/** A browser with many tabs stays far below it; a client in a loop does not. */
const PER_SESSION = { perSecond: 5, capacity: 200 }
const USER_AGENT_MAX = 256
const TAGS = ['sessions']

const RefreshToken = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'Bearer mode: the credential of the answer before. In cookie mode the cookie has it.',
})
const Ended = Type.Object({ signed_out: Type.Integer({ description: 'How many sessions ended now.' }) })
const Device = Type.Object({
  ...SessionView.properties,
  current: Type.Boolean({ description: 'The one that asks.' }),
  last_used_at: Time,
  user_agent: nullable(Type.String()),
  address: nullable(Type.String()),
})
const SessionParams = closed({ id: Type.Unsafe<SessionId>({ type: 'string', pattern: idPattern('ses'), description: 'Id of a session.' }) })

/** Staying signed in, and signing out. docs/reference/session-protocol.md. */
export function sessionRoutes(app: App, services: Services, options: SessionRouteOptions): void {
  refreshRoute(app, services, options)
  signOutRoute(app, services, options)
  tokenRoutes(app, services, options)
  deviceRoutes(app, services)
}

function refreshRoute(app: App, services: Services, options: SessionRouteOptions): void {
  const limit = new RateLimiter(PER_SESSION, () => services.clock.mono())
  /** Only genuine credentials count: nobody else can use up a session's turns. */
  const admit = (credential: string): void => {
    const waitMs = limit.take(credential.split('.')[1] ?? '')
    if (waitMs === 0) return
    throw new Fault('rate_limited', { detail: 'This session is refreshed in a loop. Wait for Retry-After.', retryAt: services.clock.wall() + waitMs })
  }
  app.post(
    '/api/v1/auth/refresh',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Refresh the session',
        description:
          'Takes the cookie, or `refresh_token` in bearer mode. The same old credential gets the same successor, so it may be sent again. Only a 401 with one of the five `session_` codes means that the session is over.',
        tags: TAGS,
        body: Type.Optional(closed({ refresh_token: Type.Optional(RefreshToken) })),
        response: { 200: Type.Object({ ...SessionAnswer.properties, connections: Type.Array(ConnectionReportView) }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const opened = await refreshed(request, reply, request.body?.refresh_token, options, { sessions: services.sessions, proofs: services.proofs, admit })
      const connections = lacksFactor(opened.signedIn) ? [] : await dueConnections(opened, services)
      return { ...sessionAnswer(reply, opened, { publicUrl: options.publicUrl, clock: services.clock }), connections }
    },
  )
}

interface Refreshing extends Pick<Services, 'sessions' | 'proofs'> {
  /** @throws Fault `rate_limited` */
  readonly admit: (credential: string) => void
}

/** By the text in the body, else by the cookie. A credential that is shown where its session does not live is refused. */
async function refreshed(
  request: FastifyRequest,
  reply: FastifyReply,
  text: string | undefined,
  options: SessionRouteOptions,
  { sessions, proofs, admit }: Refreshing,
): Promise<Opened> {
  const refresh =
    (shown: Shown) =>
    (credential: string): Promise<Opened> => {
      admit(credential)
      return sessions.refresh(credential, callerFacts(request), shown)
    }
  if (text !== undefined) {
    const key = await provenKey(request, proofs, options.publicUrl)
    const none = 'This is no refresh credential of this server. Sign in.'
    return refreshNewest(sessions.genuine([text]), refresh({ mode: 'bearer', key }), none)
  }
  requireSameSite(request, options.origins)
  const sent = sessionCookiesOf(request, options.publicUrl)
  const none = sent.length === 0 ? 'The request carries no session cookie. Sign in.' : 'The session cookie is not one of this server. Sign in.'
  try {
    return await refreshNewest(sessions.genuine(sent), refresh({ mode: 'cookie', key: null }), none)
  } catch (error) {
    // Nothing else takes it away: what cannot be told now may be told in a moment.
    if (isSignOut(error)) takeSessionCookie(reply, options.publicUrl)
    throw error
  }
}

/** A browser may have two cookies of our name: one that is over does not stand in the way of the other. */
async function refreshNewest(genuine: readonly string[], refresh: (credential: string) => Promise<Opened>, none: string): Promise<Opened> {
  let refused: unknown = new Fault('session_missing', { detail: none })
  for (const credential of genuine) {
    try {
      return await refresh(credential)
    } catch (error) {
      if (!isSignOut(error)) throw error
      refused = error
    }
  }
  throw refused
}

function isSignOut(error: unknown): boolean {
  return error instanceof Fault && SIGN_OUT_CODES.has(error.code)
}

/** The key that a request without an access token was proven with (RFC 9449 section 5); null where it carries no proof. @throws Fault */
export async function provenKey(request: FastifyRequest, proofs: Services['proofs'], publicUrl: string): Promise<string | null> {
  const headers = proofsOf(request)
  if (headers.length === 0) return null
  return proofs.check({ headers, method: request.method, url: publicUrl + request.url, accessToken: null, boundTo: null })
}

/** What a provider or the database makes of it is no reason to keep the session from its owner. */
async function dueConnections({ signedIn }: Opened, services: Services): Promise<readonly unknown[]> {
  return services.dueConnections(signedIn, CONNECTIONS_DEADLINE_MS).catch(() => [])
}

function signOutRoute(app: App, { sessions, proofs }: Services, options: SessionRouteOptions): void {
  app.post(
    '/api/v1/auth/logout',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Sign out',
        description:
          'Ends this session with all its tabs, all others, or all. Takes the cookie, or `refresh_token` in bearer mode. 200 also when it was over already. `others` leaves this session signed in, so it needs a proof of identity that is at most ten minutes old; `everywhere` does not.',
        tags: TAGS,
        body: Type.Optional(
          closed({
            scope: Type.Optional(Type.Unsafe<SignOutScope>({ type: 'string', enum: ['here', 'others', 'everywhere'] })),
            refresh_token: Type.Optional(RefreshToken),
          }),
        ),
        response: { 200: Ended, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { scope = 'here', refresh_token: text } = request.body ?? {}
      const facts = callerFacts(request)
      if (text !== undefined) return { signed_out: await sessions.signOut(text, scope, facts, await provenKey(request, proofs, options.publicUrl)) }
      requireSameSite(request, options.origins)
      let ended = 0
      for (const cookie of sessions.genuine(sessionCookiesOf(request, options.publicUrl))) ended += await sessions.signOut(cookie, scope, facts)
      if (scope !== 'others') takeSessionCookie(reply, options.publicUrl)
      return { signed_out: ended }
    },
  )
}

/** By access token. */
function tokenRoutes(app: App, services: Services, options: SessionRouteOptions): void {
  app.get(
    '/api/v1/auth/validate',
    {
      config: { access: 'person', aboutToken: true },
      schema: {
        summary: 'Check an access token',
        description: 'Sees a sign-out at once, where a check of the signature alone sees it within ten minutes.',
        tags: TAGS,
        response: { 200: Type.Object({ active: Type.Literal(true), user: UserView, session: SessionView, expires_at: Time }), ...PROBLEMS },
      },
    },
    async (request) => {
      const person = personOf(request)
      const organization = await services.sessions.organizationOf(person)
      return validView(person, organization)
    },
  )
  app.post(
    '/api/v1/auth/branch',
    {
      config: { access: 'person', ownIdempotency: true },
      schema: {
        summary: 'A session for another tab',
        description:
          'Only of a bearer session: each tab then has a credential of its own. It ends with the session that was signed in. Takes the access token and the refresh credential of the same session; nothing rotates.',
        tags: TAGS,
        body: closed({ refresh_token: RefreshToken }),
        response: { 200: SessionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const opened = await services.sessions.branch(personOf(request), request.body.refresh_token, callerFacts(request))
      return sessionAnswer(reply, opened, { publicUrl: options.publicUrl, clock: services.clock })
    },
  )
}

function deviceRoutes(app: App, { sessions }: Services): void {
  app.get(
    '/api/v1/users/me/sessions',
    {
      config: { access: 'person' },
      schema: { summary: 'List your sessions', tags: TAGS, response: { 200: Type.Object({ items: Type.Array(Device), cursor: Type.Null() }), ...PROBLEMS } },
    },
    async (request) => {
      const person = personOf(request)
      const current = person.session.parent ?? person.session.id
      return { items: (await sessions.list(person.user.id)).map((session) => deviceView(session, current)), cursor: null }
    },
  )
  app.delete(
    '/api/v1/users/me/sessions/:id',
    {
      config: { access: 'person' },
      schema: {
        summary: 'End one of your sessions',
        description: 'With all its tabs. Another than the asking one needs a proof of identity that is at most ten minutes old.',
        tags: TAGS,
        params: SessionParams,
        response: { 200: Ended, ...PROBLEMS },
      },
    },
    async (request) => ({ signed_out: await sessions.endById(personOf(request), request.params.id, callerFacts(request)) }),
  )
  app.delete(
    '/api/v1/users/me/sessions',
    {
      config: { access: 'person' },
      schema: {
        summary: 'End all your other sessions',
        description: 'Needs a proof of identity that is at most ten minutes old.',
        tags: TAGS,
        response: { 200: Ended, ...PROBLEMS },
      },
    },
    async (request) => ({ signed_out: await sessions.endOthers(personOf(request), callerFacts(request)) }),
  )
}

function deviceView(session: Session, current: SessionId) {
  return {
    ...sessionView({ session }),
    current: session.id === current || session.parent === current,
    last_used_at: iso(session.issuedAt),
    user_agent: session.userAgent,
    address: session.address,
  }
}

/** Where a request came from, cut to what may be stored. */
export function callerFacts(request: Pick<FastifyRequest, 'ip' | 'headers'>): CallerFacts {
  const userAgent = request.headers['user-agent']
  return { address: request.ip, userAgent: userAgent === undefined ? null : userAgent.replace(/[^\x20-\x7e]/g, '').slice(0, USER_AGENT_MAX) }
}
