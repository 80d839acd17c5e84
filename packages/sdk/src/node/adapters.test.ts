import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type IssuerServer, startIssuer } from '../../../evergrant/src/testing/issuer-server.ts'
import { createProofKey } from '../proof/proof-key.ts'
import * as expressAdapter from './express.ts'
import * as fastifyAdapter from './fastify.ts'
import { AuthenticationError, type Authenticator, createAuthenticator } from './index.ts'
import { withSession } from './next.ts'

/** One API in each framework: `GET /api/me` for everybody who is signed in, `POST /api/orders` for members, `GET /api/broken` whose check breaks. */
interface Api {
  readonly origin: string
  readonly ran: { count: number }
  close(): Promise<void>
}

let issuer: IssuerServer
let broken: Authenticator
/** Of another copy of this package: what it throws is of another class. */
let foreign: Authenticator
const ORIGIN = 'https://api.example.com'

beforeAll(async () => {
  issuer = await startIssuer()
  broken = { authenticate: () => Promise.reject(new TypeError('a mistake of the application')) }
  const refusal = new AuthenticationError('session_missing', { detail: 'x' })
  const copy = Object.create(Error.prototype, {
    ...Object.getOwnPropertyDescriptors(refusal),
    problem: { value: () => refusal.problem() },
    toResponse: { value: () => refusal.toResponse() },
  })
  foreign = { authenticate: () => Promise.reject(copy) }
})
afterAll(() => issuer.close())

const members = { roles: ['member'] } as const
const authenticator = () => createAuthenticator({ issuer: issuer.url, origin: ORIGIN })

async function expressApi(): Promise<Api> {
  const { requireSession, sessionOf } = expressAdapter
  const ran = { count: 0 }
  const app = express()
  const router = express.Router()
  const check = authenticator()
  router.get('/me', requireSession(check), (request, response) => {
    ran.count += 1
    response.json({ user: sessionOf(request).user })
  })
  router.post('/orders', requireSession(check, members), express.json(), (request, response) => {
    ran.count += 1
    response.json({ role: sessionOf(request).role, body: request.body })
  })
  router.get('/broken', requireSession(broken), (_request, response) => void response.json({}))
  router.get('/foreign', requireSession(foreign), (_request, response) => void response.json({}))
  router.get('/open', (request, response) => void response.json({ user: sessionOf(request).user }))
  app.use('/api', router)
  app.use(
    (error: Error, _request: express.Request, response: express.Response, _next: express.NextFunction) =>
      void response.status(500).json({ error: error.message }),
  )
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, ran, close: () => new Promise((resolve) => server.close(() => resolve())) }
}

async function fastifyApi(): Promise<Api> {
  const { requireSession, sessionOf } = fastifyAdapter
  const ran = { count: 0 }
  const app = Fastify()
  const check = authenticator()
  app.register(
    (scope, _options, done) => {
      scope.get('/me', { onRequest: requireSession(check) }, (request) => {
        ran.count += 1
        return { user: sessionOf(request).user }
      })
      scope.post('/orders', { onRequest: requireSession(check, members) }, (request) => {
        ran.count += 1
        return { role: sessionOf(request).role, body: request.body }
      })
      scope.get('/broken', { onRequest: requireSession(broken) }, () => ({}))
      scope.get('/foreign', { onRequest: requireSession(foreign) }, () => ({}))
      scope.get('/open', (request) => ({ user: sessionOf(request).user }))
      done()
    },
    { prefix: '/api' },
  )
  app.setErrorHandler((error: Error, _request, reply) => reply.code(500).send({ error: error.message }))
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return { origin, ran, close: () => app.close() }
}

describe.each([
  ['Express', expressApi],
  ['Fastify', fastifyApi],
])('in %s', (_name, open) => {
  let api: Api
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api.close())

  test('the handler knows who sent the request', async () => {
    const { claims } = await issuer.parts()
    const answer = await fetch(`${api.origin}/api/me`, { headers: { authorization: `Bearer ${await issuer.token(claims)}` } })
    expect([answer.status, await answer.json()]).toEqual([200, { user: claims.sub }])
  })

  test.each([
    ['no token', null, { code: 'session_missing', status: 401, marker: 'missing', challenge: 'Bearer error="invalid_token"' }],
    ['a token that is over', { exp: 1 }, { code: 'access_token_expired', status: 401, marker: 'expired', challenge: 'Bearer error="invalid_token"' }],
    ['the wrong role', { role: 'viewer' }, { code: 'role_missing', status: 403, marker: 'scope', challenge: 'Bearer error="insufficient_scope"' }],
  ] as const)('with %s the handler does not run, the body is not read, and the answer is a problem', async (_title, claims, expected) => {
    const before = api.ran.count
    const headers = claims === null ? {} : { authorization: `Bearer ${await issuer.token(claims)}` }
    const answer = await fetch(`${api.origin}/api/orders`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{not json' })
    expect(answer.status).toBe(expected.status)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer.headers.get('evergrant-auth')).toBe(expected.marker)
    expect(answer.headers.get('www-authenticate')).toBe(expected.challenge)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toMatchObject({ code: expected.code, status: expected.status, title: expect.any(String), detail: expect.any(String) })
    expect(api.ran.count).toBe(before)
  })

  test('a member may order, and the proof of a bound token names the address from outside', async () => {
    const key = await createProofKey()
    const accessToken = await issuer.token({ cnf: { jkt: key.thumbprint } })
    const dpop = await key.proofFor({ method: 'POST', url: `${ORIGIN}/api/orders`, accessToken })
    const headers = { authorization: `DPoP ${accessToken}`, dpop, 'content-type': 'application/json' }
    const answer = await fetch(`${api.origin}/api/orders?draft=1`, { method: 'POST', headers, body: '{"n":1}' })
    expect([answer.status, await answer.json()]).toEqual([200, { role: 'member', body: { n: 1 } }])
  })

  test('a mistake of the application is its own error, not a refusal', async () => {
    const answer = await fetch(`${api.origin}/api/broken`)
    expect([answer.status, await answer.json()]).toEqual([500, { error: 'a mistake of the application' }])
    expect(answer.headers.get('evergrant-auth')).toBeNull()
  })

  test('a refusal by the authenticator of another copy of this package is a refusal', async () => {
    const answer = await fetch(`${api.origin}/api/foreign`)
    expect([answer.status, answer.headers.get('evergrant-auth')]).toEqual([401, 'missing'])
    expect(await answer.json()).toMatchObject({ code: 'session_missing' })
  })

  test('asking for the session where nothing was required says what is missing', async () => {
    const answer = await fetch(`${api.origin}/api/open`)
    expect(answer.status).toBe(500)
    expect((await answer.json()).error).toContain('requireSession')
  })
})

describe('in a route handler of Next', () => {
  const handler = () =>
    withSession(
      authenticator(),
      async (request: Request, session, { params }: { params: Promise<{ id: string }> }) =>
        Response.json({ user: session.user, id: (await params).id, method: request.method }),
      members,
    )
  const context = { params: Promise.resolve({ id: '7' }) }

  test('the handler gets request, session and context', async () => {
    const { claims } = await issuer.parts()
    const answer = await handler()(new Request(`${ORIGIN}/orders/7`, { headers: { authorization: `Bearer ${await issuer.token(claims)}` } }), context)
    expect(await answer.json()).toEqual({ user: claims.sub, id: '7', method: 'GET' })
  })

  test('a refusal is a response, and the handler does not run', async () => {
    const answer = await handler()(new Request(`${ORIGIN}/orders/7`), context)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('evergrant-auth')).toBe('missing')
    expect(await answer.json()).toMatchObject({ code: 'session_missing' })
  })

  test('a refusal by the authenticator of another copy of this package is a response', async () => {
    const answer = await withSession(foreign, () => new Response())(new Request(`${ORIGIN}/x`), null)
    expect([answer.status, answer.headers.get('evergrant-auth')]).toEqual([401, 'missing'])
  })

  test('errors of the handler and mistakes of the application pass through', async () => {
    const token = await issuer.token()
    const request = () => new Request(`${ORIGIN}/x`, { headers: { authorization: `Bearer ${token}` } })
    const failing = withSession(authenticator(), () => Promise.reject(new Error('in the handler')))
    await expect(failing(request(), null)).rejects.toThrow('in the handler')
    await expect(withSession(broken, () => new Response())(request(), null)).rejects.toThrow('a mistake of the application')
  })
})

test('what a route asks with a misspelt name is refused where the route is made', () => {
  const misspelt = { role: ['admin'] } as never
  expect(() => expressAdapter.requireSession(authenticator(), misspelt)).toThrow(/`role` is no requirement\. There are: roles, authenticatedWithin\./)
  expect(() => fastifyAdapter.requireSession(authenticator(), misspelt)).toThrow(/`role` is no requirement/)
  expect(() => withSession(authenticator(), () => new Response(), misspelt)).toThrow(/`role` is no requirement/)
})
