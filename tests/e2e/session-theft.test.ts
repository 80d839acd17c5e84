import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Stage } from '../../packages/lab/src/conformance/stage.ts'
import { at, JsonClient, type JsonReply, textAt } from '../../packages/lab/src/http.ts'
import { until } from '../../packages/lab/src/until.ts'

/** An old credential is answered for this long with what its first presentation got; a little more. */
const WINDOW_MS = 45_000

// The application checks access tokens offline, so the server sees nothing of a session but its refreshes.
describe('a thief who copied a refresh credential', () => {
  let stage: Stage
  let api: JsonClient
  let admin: JsonClient

  beforeAll(async () => {
    stage = await Stage.start()
    api = new JsonClient(`${stage.server.url}/api/v1`)
    admin = await stage.server.client()
  }, 60_000)
  afterAll(async () => await stage?.dispose())

  const refresh = (credential: string): Promise<JsonReply> => api.post('/auth/refresh', { refresh_token: credential })
  const offline = (reply: JsonReply): Promise<Response> =>
    fetch(`${stage.recorder.url}/app/data`, { headers: { authorization: `Bearer ${textAt(reply, 'access_token')}` } })

  async function signIn(person: number): Promise<JsonReply> {
    const { email, password } = await stage.person(person)
    const reply = await api.post('/auth/login', { email, password, mode: 'bearer' })
    expect(reply.status, reply.text).toBe(200)
    return reply
  }

  async function next(credential: string): Promise<JsonReply> {
    const reply = await refresh(credential)
    expect(reply.status, reply.text).toBe(200)
    expect((await offline(reply)).status).toBe(200)
    return reply
  }

  async function written(session: string): Promise<unknown> {
    const { body } = await admin.get('/events?type=session.reuse_detected&limit=50')
    const items: unknown = at(body, 'items') ?? at(body, 'events')
    return Array.isArray(items) ? items.find((event: unknown) => JSON.stringify(event).includes(session)) : undefined
  }

  test('and shares a generation with the victim is caught one refresh later, and both are signed out', { timeout: 120_000 }, async () => {
    const signedIn = await signIn(0)
    const session = textAt(signedIn, 'session.id')
    const shared = textAt(signedIn, 'refresh_token')
    const victim = await next(shared)
    let thief = await next(shared)
    // Inside the window they are one: the same successor.
    expect(textAt(thief, 'refresh_token')).toBe(textAt(victim, 'refresh_token'))
    // The thief tries until the window has passed: then the successor that nobody was seen with is taken back.
    await until(
      'the thief to get a generation of their own',
      async () => {
        thief = await refresh(shared)
        return thief.status !== 200 || at(thief.body, 'generation') !== at(victim.body, 'generation')
      },
      { timeoutMs: WINDOW_MS, pollMs: 500 },
    )
    expect(thief.status, thief.text).toBe(200)
    const caught = await refresh(textAt(victim, 'refresh_token'))
    expect(caught).toMatchObject({ status: 401, body: { code: 'session_reuse_detected' } })
    expect(await refresh(textAt(thief, 'refresh_token'))).toMatchObject({ status: 401, body: { code: 'session_reuse_detected' } })
    await expect.poll(() => written(session)).toBeDefined()
    // Our own routes refuse its access tokens at once; the application's API does so within their ten minutes.
    const validate = await api.get('/auth/validate', { headers: { authorization: `Bearer ${textAt(thief, 'access_token')}` } })
    expect(validate.status, validate.text).toBe(401)
  })

  test('and comes with an older one is refused, and the family is ended', { timeout: 120_000 }, async () => {
    const signedIn = await signIn(1)
    const session = textAt(signedIn, 'session.id')
    const stolen = textAt(signedIn, 'refresh_token')
    const second = await next(stolen)
    const third = await next(textAt(second, 'refresh_token'))
    let answer = await refresh(stolen)
    await until(
      'the old credential to be refused',
      async () => {
        answer = await refresh(stolen)
        return answer.status !== 200
      },
      { timeoutMs: WINDOW_MS, pollMs: 500 },
    )
    expect(answer).toMatchObject({ status: 401, body: { code: 'session_reuse_detected', action: 'sign_in' } })
    expect(await refresh(textAt(third, 'refresh_token'))).toMatchObject({ status: 401, body: { code: 'session_reuse_detected' } })
    await expect.poll(() => written(session)).toBeDefined()
  })

  test('and changes a single character of it gets nowhere, and does no harm', async () => {
    const signedIn = await signIn(2)
    const genuine = textAt(signedIn, 'refresh_token')
    for (let place = 6; place < genuine.length; place += 5) {
      const forged = `${genuine.slice(0, place)}${genuine[place] === '0' ? '1' : '0'}${genuine.slice(place + 1)}`
      expect((await refresh(forged)).status, forged).toBe(401)
    }
    await next(genuine)
  })
})
