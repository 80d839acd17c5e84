import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SECOND } from '../../core/time.ts'
import { createSessionLab, type SessionLab } from '../../testing/session-lab.ts'
import { RateLimiter } from '../rate-limit.ts'
import { ValidateLane } from './validate-lane.ts'

let lab: SessionLab
let url: string
beforeEach(async () => {
  lab = await createSessionLab()
  url = await lab.app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(() => lab.app.close())

const NOT_COMPARED = ['request-id', 'date', 'connection', 'keep-alive', 'content-length']

async function overSocket(token: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}/api/v1/auth/validate`, { headers: { authorization: `Bearer ${token}`, ...headers } })
  return { status: answer.status, json: await answer.json(), headers: Object.fromEntries([...answer.headers].filter(([name]) => !NOT_COMPARED.includes(name))) }
}

test('the fast lane on a socket and the route give the same answer', async () => {
  const { accessToken } = await lab.signIn('cookie')
  const route = await lab.validate(accessToken)
  const lane = await overSocket(accessToken)
  expect([lane.status, lane.json]).toEqual([200, route.json])
  expect(lane.headers).toEqual(Object.fromEntries(Object.entries(route.headers).filter(([name]) => !NOT_COMPARED.includes(name))))
})

test('what memory has is answered without routing, and nothing else is', async () => {
  const { accessToken } = await lab.signIn('cookie')
  await lab.validate(accessToken)
  const routed = vi.spyOn(lab.services.sessions, 'organizationOf')
  lab.database.asked.length = 0
  for (let index = 0; index < 5; index++) expect((await overSocket(accessToken)).status).toBe(200)
  expect([routed.mock.calls.length, lab.database.asked]).toEqual([0, []])
  expect((await overSocket(accessToken, { origin: 'https://elsewhere.example' })).status).toBe(200)
  expect(routed).toHaveBeenCalledTimes(1)
})

test('a session that ended is refused at once on the lane, too', async () => {
  const { accessToken, refreshCredential } = await lab.signIn('cookie')
  await lab.validate(accessToken)
  expect((await overSocket(accessToken)).status).toBe(200)
  await lab.services.sessions.signOut(refreshCredential, 'here', { address: null, userAgent: null })
  const refused = await overSocket(accessToken)
  expect([refused.status, refused.json.code, refused.headers['evergrant-auth']]).toEqual([401, 'session_signed_out', 'revoked'])
})

test('a person who changed is shown as they are now', async () => {
  const { accessToken, signedIn } = await lab.signIn('cookie')
  await lab.validate(accessToken)
  expect((await overSocket(accessToken)).json.user.name).toBe('Ana')
  const { user } = signedIn
  const event = {
    id: 'evt_1',
    organization: lab.organization,
    type: 'user.updated',
    at: 0,
    actor: { kind: 'user', id: user.id },
    connection: null,
    subject: user.id,
    data: {},
  } as const
  await lab.store.users.update({ ...user, name: 'Anna', version: user.version + 1 }, event)
  expect((await overSocket(accessToken)).json.user.name).toBe('Anna')
})

test('an expired token and a page of another origin are left to the route', async () => {
  const { accessToken } = await lab.signIn('cookie')
  await lab.validate(accessToken)
  const page = await overSocket(accessToken, { origin: 'https://app.evergrant.example' })
  expect([page.status, page.headers['access-control-allow-origin']]).toEqual([200, 'https://app.evergrant.example'])
  await lab.time.advance(606 * SECOND)
  expect((await overSocket(accessToken)).json.code).toBe('access_token_expired')
})

test('a person over the limit, an organization that memory does not have and a request without a token are left to the route', async () => {
  const { accessToken, signedIn } = await lab.signIn('cookie')
  const person = await lab.services.guard.lookUp(accessToken, 'not_asked')
  let organization: ReturnType<typeof lab.services.sessions.peekOrganization> = lab.services.sessions.peekOrganization(person)
  const services = { guard: { peek: () => person }, sessions: { peekOrganization: () => organization } }
  const limit = new RateLimiter({ perSecond: 0.001, capacity: 1 }, () => 0)
  const lane = new ValidateLane(services as unknown as ConstructorParameters<typeof ValidateLane>[0], limit, {}, () => 'req-1')
  const asked = (headers: Record<string, string>): 'routed' | 'answered' => {
    let said: 'routed' | 'answered' = 'answered'
    const request = { url: '/api/v1/auth/validate', method: 'GET', headers } as unknown as IncomingMessage
    lane.before(() => {
      said = 'routed'
    })(request, { writeHead: () => {}, end: () => {} } as unknown as ServerResponse)
    return said
  }
  const withToken = { authorization: `Bearer ${accessToken}` }
  const known = organization
  organization = undefined
  expect(asked(withToken)).toBe('routed')
  organization = known
  expect(asked({})).toBe('routed')
  expect([asked(withToken), asked(withToken)]).toEqual(['answered', 'routed'])
  expect(signedIn.session.id).toBe(person.session.id)
})
