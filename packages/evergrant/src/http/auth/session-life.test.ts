import { beforeEach, describe, expect, test } from 'vitest'
import { composeSessions } from '../../compose-sessions.ts'
import { DAY, MINUTE, SECOND } from '../../core/time.ts'
import { systemEntropy } from '../../system.ts'
import { testSeal } from '../../testing/seal.ts'
import { cookieOf, createSessionLab, PAGE, type SessionLab } from '../../testing/session-lab.ts'

let lab: SessionLab
beforeEach(async () => {
  lab = await createSessionLab()
})

const events = async (type: 'session.reuse_detected' | 'session.ended' | 'session.reissued' | 'session.opened') =>
  (await lab.store.events.list(lab.organization, { type }, { limit: 50, cursor: null })).items

describe('a session in a cookie', () => {
  test('is renewed by the cookie alone: the answer has an access token, and its body never the credential', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    const answer = await lab.refresh(refreshCredential)
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      token_type: 'Bearer',
      expires_in: 600,
      generation: 2,
      replayed: false,
      server_time: '2026-01-01T00:00:00.000Z',
      session: { mode: 'cookie', created_at: '2026-01-01T00:00:00.000Z', idle_expires_at: '2026-01-31T00:00:00.000Z', expires_at: '2026-06-30T00:00:00.000Z' },
      user: {
        id: lab.ana.id,
        email: lab.ana.email,
        email_verified: true,
        name: 'Ana',
        owner: lab.ana.id,
        role: 'member',
        organization: { id: lab.organization, name: 'Acme' },
      },
      connections: [],
    })
    expect(answer.json).not.toHaveProperty('refresh_token')
    expect(answer.text).not.toContain('egr_1.')
    expect((await lab.validate(answer.json.access_token)).status).toBe(200)
  })

  test('has a cookie that no neighbour can set, no script can read, and no other site sends (S37)', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    const answer = await lab.refresh(refreshCredential)
    const line = String(answer.headers['set-cookie'])
    expect(line).toMatch(/^__Host-evergrant_session=egr_1\.[0-9a-f-]{36}\.2\.[A-Za-z0-9_-]{43}; Path=\/; Max-Age=15552000; HttpOnly; SameSite=Lax; Secure$/)
    expect(line.length).toBeLessThan(4_096)
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('has a plain name on this machine over http, where browsers take no `__Host-`', async () => {
    const local = await createSessionLab({ app: { publicUrl: 'http://localhost:4400' } })
    const { refreshCredential } = await local.signIn('cookie')
    const headers = { ...PAGE, origin: 'http://localhost:4400', 'sec-fetch-site': 'same-origin', cookie: `evergrant_session=${refreshCredential}` }
    const answer = await local.refresh(null, headers)
    expect([answer.status, String(answer.headers['set-cookie'])]).toEqual([200, expect.stringMatching(/^evergrant_session=egr_1\..*; HttpOnly; SameSite=Lax$/)])
  })

  test('with two cookies of its name the live one counts, and of one session the newest', async () => {
    const [over, live] = [await lab.signIn('cookie'), await lab.signIn('cookie')]
    await lab.services.sessions.signOut(over.refreshCredential, 'here', { address: null, userAgent: null })
    const next = await lab.services.sessions.refresh(live.refreshCredential, { address: null, userAgent: null })
    const cookie = [
      `a=1`,
      `__Host-evergrant_session=${live.refreshCredential}`,
      `__Host-evergrant_session=${next.refreshCredential}`,
      `__Host-evergrant_session=${over.refreshCredential}`,
    ]
    const answer = await lab.refresh(null, { ...PAGE, cookie: cookie.join('; ') })
    expect([answer.status, answer.json.generation, answer.json.replayed]).toEqual([200, 3, false])
  })

  test('is refused in a body, as a bearer session is in a cookie', async () => {
    const [cookie, bearer] = [await lab.signIn('cookie'), await lab.signIn('bearer')]
    const inBody = await lab.refreshBearer(cookie.refreshCredential)
    const inCookie = await lab.refresh(bearer.refreshCredential)
    expect([inBody.json.code, inCookie.json.code]).toEqual(['session_missing', 'session_missing'])
    expect(inBody.text + inCookie.text).not.toContain('egr_1.')
    expect((await lab.refresh(cookie.refreshCredential)).status).toBe(200)
  })
})

function branchOf(accessToken: string, refreshToken: string) {
  return lab.call('POST', '/api/v1/auth/branch', { key: accessToken, body: { refresh_token: refreshToken } })
}

describe('a session in memory', () => {
  test('is renewed by the text in the body, needs no origin, and sets no cookie', async () => {
    const { refreshCredential } = await lab.signIn('bearer')
    const answer = await lab.refreshBearer(refreshCredential)
    expect([answer.status, answer.json.generation, answer.json.session.mode]).toEqual([200, 2, 'bearer'])
    expect(answer.json.refresh_token).toMatch(/^egr_1\./)
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect((await lab.refreshBearer(answer.json.refresh_token)).json.generation).toBe(3)
  })

  test('branches for another tab; the branch lives by itself and ends with the first one', async () => {
    const first = await lab.signIn('bearer')
    const branch = await branchOf(first.accessToken, first.refreshCredential)
    expect([branch.status, branch.json.generation]).toEqual([200, 1])
    expect(branch.json.session.id).not.toBe(first.signedIn.session.id)
    expect(branch.json.session).toMatchObject({ expires_at: new Date(first.signedIn.session.expiresAt).toISOString(), mode: 'bearer' })
    const other = await branchOf(branch.json.access_token, branch.json.refresh_token)
    const renewed = await lab.refreshBearer(other.json.refresh_token)
    expect(renewed.status).toBe(200)
    const out = await lab.call('POST', '/api/v1/auth/logout', { key: null, body: { refresh_token: renewed.json.refresh_token } })
    expect(out.status).toBe(200)
    for (const text of [first.refreshCredential, branch.json.refresh_token, renewed.json.refresh_token])
      expect((await lab.refreshBearer(text)).json.code).toBe('session_signed_out')
  })

  test('a session in a cookie does not branch: its tabs share it already', async () => {
    const { accessToken, refreshCredential } = await lab.signIn('cookie')
    const answer = await branchOf(accessToken, refreshCredential)
    expect([answer.status, answer.json.code]).toEqual([409, 'conflict'])
  })

  test('an access token alone, which applications see too, never becomes a session of its own', async () => {
    const [first, other] = [await lab.signIn('bearer'), await lab.signIn('bearer')]
    expect((await lab.call('POST', '/api/v1/auth/branch', { key: first.accessToken })).json).toMatchObject({ code: 'invalid_request', field: '/refresh_token' })
    for (const text of [other.refreshCredential, `${first.refreshCredential}x`, 'egr_1.x']) {
      expect((await branchOf(first.accessToken, text)).json, text).toMatchObject({ status: 403, code: 'forbidden', field: '/refresh_token' })
    }
    expect((await lab.refreshBearer(first.refreshCredential)).json.generation).toBe(2)
    expect((await branchOf(first.accessToken, first.refreshCredential)).status).toBe(200)
    const current = await lab.refreshBearer(first.refreshCredential)
    expect((await branchOf(first.accessToken, first.refreshCredential)).status).toBe(200)
    // Nothing was rotated since, but the window of the old one is over.
    await lab.time.advance(MINUTE)
    expect((await branchOf(current.json.access_token, first.refreshCredential)).status).toBe(403)
    expect((await branchOf(current.json.access_token, current.json.refresh_token)).status).toBe(200)
    const next = await lab.refreshBearer((await lab.refreshBearer(current.json.refresh_token)).json.refresh_token)
    expect((await branchOf(next.json.access_token, first.refreshCredential)).status).toBe(403)
  })

  test('more than fifty tabs end the one that was not used for longest', async () => {
    const first = await lab.signIn('bearer')
    const oldest = await branchOf(first.accessToken, first.refreshCredential)
    await lab.time.advance(SECOND)
    for (let tab = 1; tab < 50; tab++) await lab.services.sessions.branch(first.signedIn, first.refreshCredential, { address: null, userAgent: null })
    expect((await lab.validate(oldest.json.access_token)).status).toBe(200)
    expect((await branchOf(first.accessToken, first.refreshCredential)).status).toBe(200)
    expect((await lab.refreshBearer(oldest.json.refresh_token)).json.code).toBe('session_signed_out')
    expect((await lab.refreshBearer(first.refreshCredential)).status).toBe(200)
  })
})

describe('rotation over HTTP', () => {
  test('sixteen requests with one credential get one successor, and all of them get it (S41)', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    const answers = await Promise.all(Array.from({ length: 16 }, () => lab.refresh(refreshCredential)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200))
    expect(new Set(answers.map(cookieOf)).size).toBe(1)
    expect(answers.filter(({ json }) => json.replayed === false)).toHaveLength(1)
    expect((await lab.refresh(cookieOf(answers[0] ?? raise()) ?? '')).json.generation).toBe(3)
  })

  test('a lost answer is given again after a restart: the same successor, to the letter (S42)', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    const lost = await lab.refresh(refreshCredential)
    const { clock, timers } = lab.time
    const config = { publicUrl: 'https://evergrant.example', sessionIdleMs: 30 * DAY, sessionMs: 180 * DAY, serveWithoutDatabaseMs: 0 }
    const log = { info: () => {}, warn: () => {}, error: () => {} }
    const restarted = composeSessions({
      config,
      store: lab.store,
      seal: testSeal(),
      clock,
      timers,
      entropy: systemEntropy,
      log,
      organization: lab.organization,
    })
    const again = await restarted.sessions.refresh(refreshCredential, { address: null, userAgent: null })
    expect([again.refreshCredential, again.generation, again.replayed]).toEqual([cookieOf(lost), 2, true])
  })

  test.each([30 * SECOND - 1, 30 * SECOND, 30 * SECOND + 1])(
    'an old credential %i ms later signs nobody out while its successor was not seen (S51)',
    async (ms) => {
      const { refreshCredential } = await lab.signIn('cookie')
      const first = await lab.refresh(refreshCredential)
      lab.time.setWall(lab.time.clock.wall() + ms)
      const second = await lab.refresh(refreshCredential)
      expect(second.status).toBe(200)
      expect(second.json.replayed).toBe(ms <= 30 * SECOND)
      expect(cookieOf(second) === cookieOf(first)).toBe(ms <= 30 * SECOND)
      expect((await lab.refresh(cookieOf(second) ?? '')).status).toBe(200)
    },
  )

  test('an old credential after its successor was in use ends the session for both, with an event and an alert (S44)', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    // Nothing here may be taken for a slow tab (decision 0034).
    await lab.time.advance(2 * MINUTE)
    const victim = await lab.refresh(refreshCredential)
    expect((await lab.validate(victim.json.access_token)).status).toBe(200)
    await lab.time.advance(2 * MINUTE)
    const thief = await lab.refresh(refreshCredential)
    expect([thief.status, thief.json.code, thief.json.action, cookieOf(thief)]).toEqual([401, 'session_reuse_detected', 'sign_in', ''])
    const after = await lab.refresh(cookieOf(victim) ?? '')
    expect([after.json.code, cookieOf(after)]).toEqual(['session_reuse_detected', ''])
    const token = await lab.validate(victim.json.access_token)
    expect([token.status, token.json.code, token.headers['evergrant-auth']]).toEqual([401, 'session_reuse_detected', 'revoked'])
    expect(await events('session.reuse_detected')).toHaveLength(1)
    expect(lab.logged.filter(({ message }) => message.includes('came back after its successor was in use'))).toHaveLength(1)
  })

  test('inside its window an old credential brings no revoked session back (S45)', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    const next = await lab.refresh(refreshCredential)
    await lab.services.sessions.signOut(cookieOf(next) ?? '', 'here', { address: null, userAgent: null })
    const answer = await lab.refresh(refreshCredential)
    expect([answer.status, answer.json.code, cookieOf(answer)]).toEqual([401, 'session_signed_out', ''])
  })

  test('nothing that the database holds could be presented (S39)', async () => {
    const opened = await lab.signIn('cookie')
    const answer = await lab.refresh(opened.refreshCredential)
    const stored = JSON.stringify([
      await lab.store.sessions.get(opened.signedIn.session.id),
      await lab.store.events.list(lab.organization, {}, { limit: 200, cursor: null }),
    ])
    for (const text of [opened.refreshCredential, cookieOf(answer) ?? '', opened.accessToken, answer.json.access_token])
      expect(stored).not.toContain(text.split('.').at(-1))
  })

  test('a client in a loop is slowed, and not signed out', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    let cookie = refreshCredential
    for (let index = 0; index < 200; index++) {
      const answer = await lab.refresh(cookie)
      expect(answer.status).toBe(200)
      cookie = cookieOf(answer) ?? ''
    }
    const slowed = await lab.refresh(cookie)
    expect([slowed.status, slowed.headers['retry-after'], cookieOf(slowed)]).toEqual([429, '1', null])
    await lab.time.advance(SECOND)
    expect((await lab.refresh(cookie)).status).toBe(200)
  })
})

describe('the end of a session', () => {
  test('comes after its idle lifetime, and after its whole lifetime however much it is used (S40, S48)', async () => {
    const idle = await lab.signIn('cookie')
    lab.time.setWall(lab.time.clock.wall() + 30 * DAY)
    const answer = await lab.refresh(idle.refreshCredential)
    expect([answer.status, answer.json.code, cookieOf(answer)]).toEqual([401, 'session_expired', ''])
    expect(answer.json.detail).toContain('idle')

    const used = await lab.signIn('cookie')
    let cookie = used.refreshCredential
    for (let day = 20; day < 180; day += 20) {
      lab.time.setWall(lab.time.clock.wall() + 20 * DAY)
      const next = await lab.refresh(cookie)
      expect([next.status, next.json.session.expires_at]).toEqual([200, new Date(used.signedIn.session.expiresAt).toISOString()])
      cookie = cookieOf(next) ?? ''
    }
    lab.time.setWall(used.signedIn.session.expiresAt)
    expect((await lab.refresh(cookie)).json.code).toBe('session_expired')
  })

  test('a wall clock that jumps back does not lengthen it (S40)', async () => {
    const { refreshCredential, signedIn } = await lab.signIn('cookie')
    const start = lab.time.clock.wall()
    lab.time.setWall(start - 400 * DAY)
    const answer = await lab.refresh(refreshCredential)
    expect(Date.parse(answer.json.session.expires_at)).toBe(signedIn.session.expiresAt)
    lab.time.setWall(signedIn.session.expiresAt + 1)
    expect((await lab.refresh(cookieOf(answer) ?? '')).json.code).toBe('session_expired')
  })

  test('each sign-in has an id of its own, and an older session of the same person stays as it is (S38)', async () => {
    const [first, second] = [await lab.signIn('cookie'), await lab.signIn('cookie')]
    expect(first.signedIn.session.id).not.toBe(second.signedIn.session.id)
    expect((await lab.refresh(first.refreshCredential)).status).toBe(200)
    expect(await events('session.opened')).toHaveLength(2)
  })

  test.each([
    ['here', [401, 200, 200], 1],
    ['others', [200, 401, 401], 2],
    ['everywhere', [401, 401, 401], 3],
  ] as const)('signing out `%s` ends what it says at once, and no more (S49)', async (scope, expected, count) => {
    const opened = [await lab.signIn('cookie'), await lab.signIn('cookie'), await lab.signIn('bearer')]
    const stranger = await lab.signIn('cookie', await lab.addUser('member'))
    const tokens = opened.map(({ accessToken }) => accessToken)
    for (const token of tokens) expect((await lab.validate(token)).status).toBe(200)
    const answer = await lab.call('POST', '/api/v1/auth/logout', {
      key: null,
      body: { scope },
      headers: { ...PAGE, cookie: `__Host-evergrant_session=${opened[0]?.refreshCredential}` },
    })
    expect([answer.status, answer.json, cookieOf(answer)]).toEqual([200, { signed_out: count }, scope === 'others' ? null : ''])
    expect((await Promise.all(tokens.map((token) => lab.validate(token)))).map(({ status }) => status)).toEqual(expected)
    expect((await lab.validate(stranger.accessToken)).status).toBe(200)
    expect((await events('session.ended')).map(({ data, actor }) => [data['scope'], actor])).toEqual([[scope, { kind: 'user', id: lab.ana.id }]])
  })

  test('signing the others out and staying needs a proof of the last ten minutes; signing out here or everywhere never does (S56)', async () => {
    const [mine, other] = [await lab.signIn('bearer'), await lab.signIn('bearer')]
    lab.time.setWall(lab.time.clock.wall() + 11 * MINUTE)
    const out = (scope: string) => lab.call('POST', '/api/v1/auth/logout', { key: null, body: { refresh_token: mine.refreshCredential, scope } })
    const refused = await out('others')
    expect([refused.status, refused.json.code]).toEqual([403, 'reauthentication_required'])
    expect((await lab.refreshBearer(other.refreshCredential)).status).toBe(200)
    expect((await out('everywhere')).json).toEqual({ signed_out: 2 })
    expect((await out('others')).json).toEqual({ signed_out: 0 })
  })

  test('what a browser keeps of our answers goes with the cookie; cookies and storage of neighbours stay (S91, ASVS 14.3.1)', async () => {
    const [mine, others, over] = [await lab.signIn('cookie'), await lab.signIn('cookie'), await lab.signIn('cookie')]
    const cookie = ({ refreshCredential }: { readonly refreshCredential: string }) => ({ ...PAGE, cookie: `__Host-evergrant_session=${refreshCredential}` })
    const out = (from: typeof mine, scope: string) => lab.call('POST', '/api/v1/auth/logout', { key: null, body: { scope }, headers: cookie(from) })
    expect((await out(others, 'others')).headers['clear-site-data']).toBeUndefined()
    expect((await lab.refresh(others.refreshCredential)).headers['clear-site-data']).toBeUndefined()
    expect((await out(others, 'here')).headers['clear-site-data']).toBe('"cache"')
    const refused = await lab.refresh(over.refreshCredential)
    expect([refused.json.code, refused.headers['clear-site-data']]).toEqual(['session_signed_out', '"cache"'])
  })

  test('signing out twice, or with nothing at all, is no error and takes the cookie away', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    const out = (cookie: string) => lab.call('POST', '/api/v1/auth/logout', { key: null, headers: { ...PAGE, cookie: `__Host-evergrant_session=${cookie}` } })
    expect((await out(refreshCredential)).json).toEqual({ signed_out: 1 })
    for (const cookie of [refreshCredential, 'egr_1.made-up', '']) {
      const answer = await out(cookie)
      expect([answer.status, answer.json, cookieOf(answer)]).toEqual([200, { signed_out: 0 }, ''])
    }
  })

  test('the credential of a session that is over has no say in the others', async () => {
    const [first, second] = [await lab.signIn('bearer'), await lab.signIn('bearer')]
    await lab.services.sessions.signOut(first.refreshCredential, 'here', { address: null, userAgent: null })
    const answer = await lab.call('POST', '/api/v1/auth/logout', { key: null, body: { refresh_token: first.refreshCredential, scope: 'everywhere' } })
    expect(answer.json).toEqual({ signed_out: 0 })
    expect((await lab.refreshBearer(second.refreshCredential)).status).toBe(200)
  })

  test('an access token is refused from the moment its session ends (S49)', async () => {
    const { accessToken, refreshCredential, signedIn } = await lab.signIn('cookie')
    expect(await lab.validate(accessToken)).toMatchObject({
      status: 200,
      json: { active: true, user: { id: lab.ana.id }, session: { id: signedIn.session.id }, expires_at: '2026-01-01T00:10:00.000Z' },
    })
    await lab.services.sessions.signOut(refreshCredential, 'here', { address: null, userAgent: null })
    const refused = await lab.validate(accessToken)
    expect([refused.status, refused.json.code, refused.headers['evergrant-auth'], refused.headers['www-authenticate']]).toEqual([
      401,
      'session_signed_out',
      'revoked',
      'Bearer error="invalid_token"',
    ])
  })
})

describe("a person's own list of devices", () => {
  test('shows each device once, with its tabs, and says which one asks', async () => {
    const laptop = await lab.signIn('cookie')
    await lab.time.advance(SECOND)
    const program = await lab.signIn('bearer')
    const tab = await lab.services.sessions.branch(program.signedIn, program.refreshCredential, { address: '198.51.100.1', userAgent: 'Tab' })
    await lab.signIn('cookie', await lab.addUser('member'))
    const answer = await lab.call('GET', '/api/v1/users/me/sessions', { key: tab.accessToken })
    expect(answer.json.items.map((item: { id: string; current: boolean }) => [item.id, item.current])).toEqual([
      [program.signedIn.session.id, true],
      [laptop.signedIn.session.id, false],
    ])
    expect(answer.json.items[0]).toMatchObject({ user_agent: 'Browser 1', address: '203.0.113.7', mode: 'bearer' })
  })

  test('ends one of them, or all others; what is not theirs is not found', async () => {
    const [mine, other, third] = [await lab.signIn('cookie'), await lab.signIn('cookie'), await lab.signIn('cookie')]
    const stranger = await lab.signIn('cookie', await lab.addUser('member'))
    const end = (id: string) => lab.call('DELETE', `/api/v1/users/me/sessions${id}`, { key: mine.accessToken })
    expect((await end(`/${other.signedIn.session.id}`)).json).toEqual({ signed_out: 1 })
    expect((await end(`/${other.signedIn.session.id}`)).json).toEqual({ signed_out: 0 })
    expect((await lab.refresh(other.refreshCredential)).json.code).toBe('session_signed_out')
    const [foreign, unknown] = [await end(`/${stranger.signedIn.session.id}`), await end(`/ses_${'0192'.padEnd(8, '0')}-0000-7000-8000-000000000000`)]
    expect([foreign.status, foreign.json.code, unknown.status, unknown.json.code]).toEqual([404, 'not_found', 404, 'not_found'])
    expect((await lab.validate(stranger.accessToken)).status).toBe(200)
    expect((await end('')).json).toEqual({ signed_out: 1 })
    expect((await lab.refresh(third.refreshCredential)).json.code).toBe('session_signed_out')
    expect((await lab.validate(mine.accessToken)).status).toBe(200)
  })

  test('ends another one only after a proof of the last ten minutes, and its own at any time (S56)', async () => {
    const [mine, other] = [await lab.signIn('bearer'), await lab.signIn('bearer')]
    const tab = await lab.services.sessions.branch(mine.signedIn, mine.refreshCredential, { address: null, userAgent: null })
    lab.time.setWall(lab.time.clock.wall() + 10 * MINUTE - SECOND)
    const { json: late } = await lab.refreshBearer(tab.refreshCredential)
    const end = (id: string) => lab.call('DELETE', `/api/v1/users/me/sessions${id}`, { key: late.access_token })
    lab.time.setWall(lab.time.clock.wall() + 2 * SECOND)
    for (const id of [`/${other.signedIn.session.id}`, '']) {
      const refused = await end(id)
      expect([id, refused.status, refused.json.code]).toEqual([id, 403, 'reauthentication_required'])
    }
    expect((await lab.refreshBearer(other.refreshCredential)).status).toBe(200)
    expect((await end(`/${mine.signedIn.session.id}`)).json).toEqual({ signed_out: 1 })
    expect((await lab.refreshBearer(late.refresh_token)).json.code).toBe('session_signed_out')
  })
})

function raise(): never {
  throw new Error('there is no answer')
}
