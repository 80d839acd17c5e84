// The examples for backends, each against one real server in this process: who is signed in comes in, tokens are read, and what is broken says its next step.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createApp as createExpress } from '../examples/express/app.ts'
import { createApp as createFastify } from '../examples/fastify/app.ts'
import { createWorker, type Outcome } from '../examples/worker/worker.ts'
import { openPeoplePages, type PeoplePages } from '../packages/evergrant/src/testing/people-place.ts'
import { freePort } from '../packages/lab/src/free-port.ts'
import { createClient } from '../packages/sdk/src/index.ts'

const PASSWORD = 'correct kettle battery orbit'
let place: PeoplePages
let api: Server
let apiBase: string
let evergrantUrl: string
let apiKey: string
let session: string
/** Of somebody who has connected nothing yet. */
let newcomer: string
let connection: string
/** What the provider's API was asked with. */
const seen: string[] = []
let refuseOnce = false

const listen = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const close = async (server: Server | undefined): Promise<void> => {
  if (server === undefined) return
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

beforeAll(async () => {
  api = createServer((request, response) => {
    seen.push(request.headers.authorization ?? '')
    if (request.url === '/nothing') return void response.writeHead(204).end()
    response.writeHead(refuseOnce ? 401 : 200, { 'content-type': 'application/json' }).end('{"name":"Ada"}')
    refuseOnce = false
  })
  apiBase = await listen(api)
  const port = await freePort()
  evergrantUrl = `http://127.0.0.1:${port}`
  place = await openPeoplePages({ env: { EVERGRANT_PORT: String(port), EVERGRANT_PUBLIC_URL: evergrantUrl } })
  await place.evergrant.listen()
  await place.integrate('notes', { signIn: null, returnUrls: ['http://localhost:3000/connected'] })
  const ana = await place.person('ana@example.com')
  const scopes = ['tokens:read', 'connect', 'connections:write'] as const
  apiKey = (await place.parts.services.apiKeys.create(place.organization, { name: 'example', scopes: [...scopes], expiresAt: null }, { kind: 'cli', id: null }))
    .text
  await place.person('ben@example.com')
  const signedIn = async (email: string) =>
    (await place.ask('POST', '/api/v1/auth/login', null, { email, password: PASSWORD, mode: 'bearer' })).json.access_token
  session = await signedIn('ana@example.com')
  newcomer = await signedIn('ben@example.com')
  const expires_at = new Date(Date.now() + 3_600_000).toISOString()
  const grant = { integration: 'notes', owner: ana.id, account: 'ada', access_token: 'token-of-the-provider', refresh_token: 'r1', expires_at }
  connection = (await place.ask('POST', '/api/v1/connections', apiKey, grant)).json.id
}, 60_000)
afterAll(async () => {
  await place?.close()
  await close(api)
})

const settings = () => ({ evergrantUrl, apiKey, integration: 'notes', apiBase, ownUrl: 'http://localhost:3000' })
const asNewcomer = () => ({ headers: { authorization: `Bearer ${newcomer}` } })
const bearer = (): { readonly headers: { readonly authorization: string } } => ({ headers: { authorization: `Bearer ${session}` } })

describe('Express', () => {
  let server: Server
  let url: string
  beforeAll(async () => {
    server = createServer(createExpress(settings()))
    url = await listen(server)
  })
  afterAll(() => close(server))

  test('nobody comes in without a session, and the answer is the one that the browser client understands', async () => {
    const answer = await fetch(`${url}/api/profile`)
    expect([answer.status, answer.headers.get('evergrant-auth')]).toEqual([401, 'missing'])
  })

  test('somebody who is signed in gets what the provider says, with the token of their own connection', async () => {
    seen.length = 0
    const answer = await fetch(`${url}/api/profile`, bearer())
    expect([answer.status, await answer.json()]).toEqual([200, { profile: { name: 'Ada' } }])
    expect(seen).toEqual(['Bearer token-of-the-provider'])
  })

  test('somebody who has connected nothing yet is told so, and it is no trouble of the server', async () => {
    const answer = await fetch(`${url}/api/profile`, asNewcomer())
    expect([answer.status, (await answer.json()).code]).toEqual([404, 'not_found'])
  })

  test('a link is made for the person who is signed in', async () => {
    const answer = await fetch(`${url}/api/connect`, { method: 'POST', ...bearer() })
    expect(answer.status).toBe(201)
    expect((await answer.json()).url).toMatch(new RegExp(`^${evergrantUrl}/connect/`))
  })
})

describe('Fastify', () => {
  test('a session opens the scope; a role that is missing does not open the route that asks for it', async () => {
    const app = createFastify(settings())
    expect((await app.inject('/api/me')).statusCode).toBe(401)
    const me = await app.inject({ url: '/api/me', ...bearer() })
    expect([me.statusCode, me.json().role]).toEqual([200, 'member'])
    expect((await app.inject({ url: '/api/profile', ...bearer() })).json()).toEqual({ profile: { name: 'Ada' } })
    expect((await app.inject({ url: '/api/profile', ...asNewcomer() })).statusCode).toBe(404)
    const refused = await app.inject({ method: 'DELETE', url: '/api/everything', ...bearer() })
    expect([refused.statusCode, refused.headers['evergrant-auth'], refused.json().code]).toEqual([403, 'scope', 'role_missing'])
    await app.close()
  })
})

describe('Next', () => {
  // Other files have the same process.
  afterAll(() => vi.unstubAllEnvs())

  test('the middleware stops who is not signed in, and lets the others on; the route gives what the provider says', async () => {
    const env = { EVERGRANT_URL: evergrantUrl, EVERGRANT_API_KEY: apiKey, INTEGRATION: 'notes', PROVIDER_API: apiBase }
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    const { middleware, config } = await import('../examples/nextjs/middleware.ts')
    const { GET } = await import('../examples/nextjs/app/api/profile/route.ts')
    const request = new Request('http://localhost:3000/api/profile', bearer())
    const refused = await middleware(new Request('http://localhost:3000/api/profile'))
    expect([refused?.status, refused?.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
    expect(await middleware(request)).toBeUndefined()
    expect(config.matcher).toBe('/api/:path*')
    const answer = await GET(request, {})
    expect([answer.status, await answer.json()]).toEqual([200, { profile: { name: 'Ada' } }])
    expect((await GET(new Request('http://localhost:3000/api/profile', asNewcomer()), {})).status).toBe(404)
  })
})

describe('a worker', () => {
  const work = (id: string, path = '/me', base = apiBase): Promise<Outcome> => {
    const run = createWorker({ evergrant: createClient({ url: evergrantUrl, apiKey }), apiBase: base })
    return run({ id: 'job-1', connection: id, path })
  }

  test('does a job with a token that is valid now', async () => {
    expect(await work(connection)).toEqual({ kind: 'done', answer: { name: 'Ada' } })
  })

  test('a connection that is not there parks the job, and nothing is tried again', async () => {
    expect(await work('con_01990f7e-0000-7000-8000-000000000000')).toMatchObject({ kind: 'parked', why: 'not_found' })
  })

  test('a provider that cannot be reached is a job for later, and an answer without a body is an answer', async () => {
    expect(await work(connection, '/me', 'http://127.0.0.1:1')).toMatchObject({ kind: 'later', why: 'the provider did not answer' })
    expect(await work(connection, '/nothing')).toEqual({ kind: 'done', answer: '' })
  })

  // Last: the provider knows no such refresh token, so the grant is over.
  test('a token that the provider refuses is renewed once; a grant that is over parks the job with the link that repairs it', async () => {
    refuseOnce = true
    const outcome = await work(connection)
    expect(outcome).toMatchObject({ kind: 'parked', why: 'connection_revoked' })
    expect(outcome.kind === 'parked' && outcome.reconnectUrl).toMatch(new RegExp(`^${evergrantUrl}/connect/`))
  })
})
