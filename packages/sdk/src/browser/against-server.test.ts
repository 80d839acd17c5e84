import { afterAll, beforeAll, expect, test } from 'vitest'
import { MINUTE } from '../../../evergrant/src/core/time.ts'
import { PASSWORD, sharedIdentityLab } from '../../../evergrant/src/testing/identity-lab.ts'
import { bearerSession, createEvergrant, type Evergrant } from './index.ts'

const visit = sharedIdentityLab()
const PUBLIC = 'https://evergrant.example'
const OTHER = 'seven lanterns by the harbour'
let place: Awaited<ReturnType<typeof visit>>
let client: Evergrant
const statuses: string[] = []

beforeAll(async () => {
  place = await visit()
  const { lab } = place
  const local = await lab.app.listen({ host: '127.0.0.1', port: 0 })
  const clock = { now: () => lab.time.clock.wall(), mono: () => lab.time.clock.wall() }
  const toLocal: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const { method, headers, url } = request
    const response = await fetch(url.replace(new URL(url).origin, local), { method, headers, ...(method === 'POST' && { body: await request.text() }) })
    statuses.push(`${new URL(url).pathname.slice('/api/v1/'.length)} ${response.status}`)
    return response
  }
  client = createEvergrant({ baseUrl: PUBLIC, session: bearerSession(), coordination: 'none', fetch: toLocal, clock })
})
afterAll(() => client.dispose())

/** The recipe of the guide. */
const prove = (password: string): Promise<Response> =>
  client.fetch(`${PUBLIC}/api/v1/auth/reauthenticate`, {
    method: 'POST',
    credentials: 'include',
    headers: { 'content-type': 'application/json', 'evergrant-client': '1' },
    body: JSON.stringify({ password }),
    evergrant: { replay: 'never' },
  })
const changePassword = (): Promise<Response> =>
  client.fetch(`${PUBLIC}/api/v1/auth/password`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ password: OTHER }),
  })

test('a proof of identity by the recipe of the guide opens what was refused; a wrong one is tried once and signs nobody out', async () => {
  const { lab, ANA } = place
  await lab.addPerson(ANA)
  expect(await client.signIn({ email: ANA, password: PASSWORD })).toMatchObject({ kind: 'signed_in' })
  await lab.time.advance(11 * MINUTE)
  const early = await changePassword()
  expect([early.status, (await early.json()).code]).toEqual([403, 'reauthentication_required'])

  statuses.length = 0
  expect((await prove('wrong words here')).status).toBe(401)
  expect(statuses.filter((line) => line.startsWith('auth/reauthenticate'))).toEqual(['auth/reauthenticate 401'])

  expect((await prove(PASSWORD)).status).toBe(200)
  expect(await client.refresh({ force: true })).toMatchObject({ kind: 'ok' })
  expect((await changePassword()).status).toBe(200)
  expect(client.getState().status).toBe('authenticated')
})
