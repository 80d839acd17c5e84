import { beforeEach, expect, test } from 'vitest'
import { composeSessions } from '../../compose-sessions.ts'
import { DAY, SECOND } from '../../core/time.ts'
import { systemEntropy } from '../../system.ts'
import { testSeal } from '../../testing/seal.ts'
import { cookieOf, createSessionLab, PAGE, type SessionLab } from '../../testing/session-lab.ts'

const NOBODY = { address: null, userAgent: null }

let lab: SessionLab
beforeEach(async () => {
  lab = await createSessionLab()
})

test('a database that is away for 20 seconds signs nobody out, and touches no cookie', async () => {
  const [cookie, bearer] = [await lab.signIn('cookie'), await lab.signIn('bearer')]
  expect((await lab.validate(cookie.accessToken)).status).toBe(200)
  lab.database.down = true
  for (let second = 0; second < 20; second += 4) {
    for (const answer of [await lab.refresh(cookie.refreshCredential), await lab.refreshBearer(bearer.refreshCredential)]) {
      expect([answer.status, answer.json.code, answer.json.action, cookieOf(answer)]).toEqual([503, 'store_unavailable', 'retry', null])
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expect(answer.headers['evergrant-auth']).toBeUndefined()
    }
    await lab.time.advance(4 * SECOND)
    const checked = await lab.validate(cookie.accessToken)
    expect([checked.status, checked.json.code]).toEqual([503, 'store_unavailable'])
  }
  lab.database.down = false
  expect((await lab.validate(cookie.accessToken)).status).toBe(200)
  expect((await lab.refresh(cookie.refreshCredential)).json).toMatchObject({ generation: 2, replayed: false })
  expect((await lab.refreshBearer(bearer.refreshCredential)).json).toMatchObject({ generation: 2, replayed: false })
})

test('signing out while the database is away says so, and keeps the cookie: the session still lives', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  lab.database.down = true
  const answer = await lab.call('POST', '/api/v1/auth/logout', { key: null, headers: { ...PAGE, cookie: `__Host-evergrant_session=${refreshCredential}` } })
  expect([answer.status, cookieOf(answer)]).toEqual([503, null])
  lab.database.down = false
  expect((await lab.refresh(refreshCredential)).status).toBe(200)
})

test('a database that goes away right after the rotation costs one answer, and the next is the same successor', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  const { clock, timers } = lab.time
  const config = { publicUrl: 'https://evergrant.example', sessionIdleMs: 30 * DAY, sessionMs: 180 * DAY, serveWithoutDatabaseMs: 0 }
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  // A node that has just started has no key and no name in memory, so it needs the database for the rest of the answer.
  const { sessions } = composeSessions({
    config,
    store: lab.store,
    seal: testSeal(),
    clock,
    timers,
    entropy: systemEntropy,
    log,
    organization: lab.organization,
  })
  lab.database.after = (call) => {
    if (call === 'sessions.present') lab.database.down = true
  }
  await expect(sessions.refresh(refreshCredential, NOBODY)).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(lab.database.down).toBe(true)
  Object.assign(lab.database, { down: false, after: null })
  expect(await sessions.refresh(refreshCredential, NOBODY)).toMatchObject({ generation: 2, replayed: true })
})

test('a credential that this server did not make is refused without one look at the database', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  const [version, uuid, generation, mac = ''] = refreshCredential.split('.')
  const forged = [
    `${version}.${uuid}.2.${mac}`,
    `${version}.${uuid}.${generation}.${mac.slice(0, -1)}${mac.endsWith('A') ? 'B' : 'A'}`,
    `${version}.${uuid}.${generation}.${'A'.repeat(43)}`,
    `egr_2.${uuid}.${generation}.${mac}`,
    `${version}.${uuid}.01.${mac}`,
    `${version}.${uuid}.-1.${mac}`,
    `${version}.${'0'.repeat(36)}.1.${mac}`,
    `${refreshCredential}.x`,
    'x',
    'a'.repeat(500),
  ]
  lab.database.asked.length = 0
  lab.database.down = true
  for (const text of forged) {
    for (const answer of [await lab.refresh(text), await lab.refreshBearer(text)])
      expect([answer.status, answer.json.code], text).toEqual([401, 'session_missing'])
    const out = await lab.call('POST', '/api/v1/auth/logout', { key: null, body: { refresh_token: text, scope: 'everywhere' } })
    expect([out.status, out.json], text).toEqual([200, { signed_out: 0 }])
  }
  expect(lab.database.asked).toEqual([])
  lab.database.down = false
  expect((await lab.refresh(refreshCredential)).status).toBe(200)
})

test('a body that is refused takes no cookie away', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  const headers = { ...PAGE, cookie: `__Host-evergrant_session=${refreshCredential}` }
  const answer = await lab.call('POST', '/api/v1/auth/refresh', { key: null, body: { nonsense: true }, headers })
  expect([answer.status, cookieOf(answer)]).toEqual([400, null])
})

test('trouble with connections keeps nobody from their session', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  Object.assign(lab.services, { dueConnections: () => Promise.reject(new Error('the engine is in trouble')) })
  expect((await lab.refresh(refreshCredential)).json).toMatchObject({ generation: 2, connections: [] })
})
