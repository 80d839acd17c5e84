// An API in Express: it knows who is signed in at Evergrant, and uses what that person connected, without ever storing a token.
import { createClient, type EvergrantClient, EvergrantError } from '@evergrant/sdk'
import { requireSession, sessionOf } from '@evergrant/sdk/express'
import { createAuthenticator } from '@evergrant/sdk/node'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'

interface Settings {
  /** Public URL of Evergrant. */
  readonly evergrantUrl: string
  /** Of this backend; scopes `tokens:read` and `connect`. */
  readonly apiKey: string
  /** Slug of the integration that people connect. */
  readonly integration: string
  /** The provider's API. */
  readonly apiBase: string
  /** Where this backend is reached: people come back to `/connected`. */
  readonly ownUrl: string
}

export function createApp(settings: Settings): Express {
  const authenticator = createAuthenticator({ issuer: settings.evergrantUrl })
  const evergrant = createClient({ url: settings.evergrantUrl, apiKey: settings.apiKey })
  const app = express()
  app.disable('x-powered-by')
  // Everything below /api is for people who are signed in. Who is not gets the answer that the browser client understands.
  app.use('/api', requireSession(authenticator))
  app.get('/api/me', (request, response) => {
    const { user, role, owner } = sessionOf(request)
    response.json({ user, role, owner })
  })
  profileRoute(app, evergrant, settings)
  connectRoutes(app, evergrant, settings)
  app.use(problems)
  return app
}

/** The provider's API, with a token that is valid now. */
function profileRoute(app: Express, evergrant: EvergrantClient, { integration, apiBase }: Settings): void {
  app.get('/api/profile', async (request, response) => {
    const token = await evergrant.tokens.byOwner(integration, sessionOf(request).owner)
    const answer = await fetch(`${apiBase}/me`, { headers: { authorization: `Bearer ${token.access_token}` } })
    response.status(answer.ok ? 200 : 502).json({ profile: await answer.json() })
  })
}

/** A link for the person who is signed in, and the place where they come back. */
function connectRoutes(app: Express, evergrant: EvergrantClient, { integration, ownUrl }: Settings): void {
  app.post('/api/connect', async (request, response) => {
    const { url } = await evergrant.connect.createSession({ integration, owner: sessionOf(request).owner, return_url: `${ownUrl}/connected` })
    response.status(201).json({ url })
  })
  // The browser brings session and code; who it belongs to is said by its sign-in, not by its address.
  app.post('/api/connected', express.json(), async (request, response) => {
    const { session, code } = request.body as { readonly session: string; readonly code: string }
    const { connection_id: connection } = await evergrant.connect.complete({ session, code, owner: sessionOf(request).owner })
    response.json({ connection })
  })
}

/** What Evergrant says has one next step: pass it on, so that the page can offer it. */
function problems(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (!(error instanceof EvergrantError)) return next(error)
  const { code, action, message, reconnectUrl, retryAt } = error
  if (retryAt !== null) response.set('Retry-After', String(Math.max(1, Math.ceil((retryAt.getTime() - Date.now()) / 1_000))))
  response.status(statusOf(error)).json({ code, action, message, reconnect_url: reconnectUrl })
}

/** Somebody who has connected nothing yet is no trouble: 404, and the page offers to connect. 409 comes with the link that repairs; everything else passes. */
function statusOf({ needsReauth, code }: EvergrantError): number {
  if (needsReauth) return 409
  return code === 'not_found' ? 404 : 503
}
