// Signing in, the second step, proving it again and signing out, by forms alone.
import { TOTP } from 'otpauth'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPeoplePages, PASSWORD, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
beforeAll(async () => {
  place = await openPeoplePages({ env: { EVERGRANT_ALLOWED_ORIGINS: 'https://app.example.com' } })
}, 60_000)
afterAll(() => place.close())

const codeOf = (secret: string, ahead = 0) => new TOTP({ secret }).generate({ timestamp: Date.now() + ahead })

describe('a password', () => {
  test('signs in, sets the cookie with a redirect, and leads to the page that was asked for', async () => {
    await place.person('ana@example.com')
    const visitor = place.browser()
    expect((await visitor.get('/me/devices')).location).toBe('/auth/sign-in?return_url=%2Fme%2Fdevices')
    const seen = await visitor.post('/auth/sign-in', { email: ' Ana@Example.com ', password: PASSWORD, return_url: '/me/devices' })
    expect([seen.status, seen.location]).toEqual([303, '/me/devices'])
    expect((await visitor.follow(seen)).body).toContain('This device')
  })

  test('leads back to an application of a listed origin, and to no other', async () => {
    await place.person('app@example.com')
    const to = async (return_url: string) => place.browser().post('/auth/sign-in', { email: 'app@example.com', password: PASSWORD, return_url })
    expect((await to('https://app.example.com/deep?x=1')).location).toBe('https://app.example.com/deep?x=1')
    expect((await to('https://evil.example/')).status).toBe(400)
  })

  test('that is wrong is refused like an unknown address, with the address kept and the password gone', async () => {
    await place.person('ben@example.com')
    const wrong = await place.browser().post('/auth/sign-in', { email: 'ben@example.com', password: 'not it at all' })
    const unknown = await place.browser().post('/auth/sign-in', { email: 'ben@example.org', password: 'not it at all' })
    expect([wrong.status, unknown.status]).toEqual([401, 401])
    expect(wrong.body).toContain('do not belong together')
    expect(wrong.body).toContain('value="ben@example.com"')
    expect(wrong.body).not.toContain('not it at all')
    expect(wrong.body.replaceAll('ben@example.com', 'x')).toBe(unknown.body.replaceAll('ben@example.org', 'x'))
  })

  test('that is forgotten forgets nobody where they were going', async () => {
    const visitor = place.browser()
    const back = 'href="/auth/sign-in?return_url=%2Fme%2Fdata"'
    expect((await visitor.get('/auth/sign-in?return_url=%2Fme%2Fdata')).body).toContain('href="/auth/forgot?return_url=%2Fme%2Fdata"')
    expect((await visitor.get('/auth/forgot?return_url=%2Fme%2Fdata')).body).toContain(back)
    const sent = await visitor.post('/auth/forgot', { email: 'dora@example.com', return_url: '/me/data' })
    expect((await visitor.follow(sent)).body).toContain(back)
    expect((await visitor.get('/auth/forgot?return_url=https%3A%2F%2Fevil.example')).status).toBe(400)
  })

  test('of a form of another site signs nobody in (S53)', async () => {
    await place.person('cleo@example.com')
    const visitor = place.browser()
    for (const origin of ['https://evil.example', 'null']) {
      expect((await visitor.postFrom(origin, '/auth/sign-in', { email: 'cleo@example.com', password: PASSWORD })).status).toBe(403)
    }
    expect(visitor.cookies.size).toBe(0)
  })

  test('is not asked of who is signed in already: the page says so, and leads on', async () => {
    await place.person('jana@example.com')
    const visitor = await place.signedIn('jana@example.com')
    const { body } = await visitor.get('/auth/sign-in?return_url=%2Fme%2Fdata')
    expect(body).toContain('You are signed in as')
    expect(body).toContain('href="/me/data"')
  })

  test.each([
    ['session_expired', 'You were signed out because you had not been here for a while.'],
    ['session_signed_out', 'You signed out in another tab.'],
    ['session_revoked', 'Your session was ended'],
    ['session_reuse_detected', 'We ended your session for safety: it was used from two places.'],
  ])('is asked for again with the reason why: %s', async (code, text) => {
    const { body } = await place.browser().get(`/auth/sign-in?return_url=%2Fme%2Fdata&ended=${code}`)
    expect(body).toContain(text)
    expect(body.includes('review where you are signed in')).toBe(code === 'session_reuse_detected')
    expect((await place.browser().get('/auth/sign-in?ended=toString')).body).not.toContain('class="notice"')
  })

  test('ends the session that this browser had before (S38)', async () => {
    const user = await place.person('dora@example.com')
    const visitor = await place.signedIn('dora@example.com')
    await visitor.post('/auth/sign-in', { email: 'dora@example.com', password: PASSWORD })
    expect(await place.store.sessions.listOf(user.id)).toHaveLength(1)
  })

  test('is hostile text on no page', async () => {
    const seen = await place.browser().post('/auth/sign-in', { email: '"><script>alert(1)</script>', password: '<b>' })
    expect(seen.body).not.toContain('<script>alert')
    expect(seen.headers['content-security-policy']).toContain("script-src 'self'")
    expect(seen.headers['x-frame-options']).toBe('DENY')
  })
})

describe('the cookie on pages', () => {
  test('looking rotates nothing, and counts as a sight of this generation', async () => {
    const user = await place.person('emil@example.com')
    const visitor = await place.signedIn('emil@example.com')
    const before = [...visitor.cookies.values()]
    await Promise.all(['/me', '/me/devices', '/me/security', '/me/data'].map((path) => visitor.get(path)))
    expect([...visitor.cookies.values()]).toEqual(before)
    const [session] = await place.store.sessions.listOf(user.id)
    expect(session?.generation).toBe(1)
    expect(session?.usedAt).not.toBeNull()
  })
})

describe('a second step', () => {
  test('is asked for after the password; a wrong code is refused, the right one signs in once, a recovery code too', async () => {
    await place.person('gina@example.com')
    const visitor = await place.signedIn('gina@example.com')
    const begun = await visitor.post('/me/security/totp')
    const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(begun.body)?.[1]?.replaceAll(' ', '') ?? ''
    const action = /action="(\/me\/security\/totp\/fct_[^"]+)"/.exec(begun.body)?.[1] ?? ''
    expect((await visitor.post(action, { code: '000000', secret })).status).toBe(400)
    const done = await visitor.post(action, { code: codeOf(secret), secret })
    expect(done.body).toContain('Your recovery codes')
    const recovery = /<ul class="codes"><li><code>([^<]+)</.exec(done.body)?.[1] ?? ''
    expect((await visitor.get('/me/security')).body).toContain('Authenticator app')
    expect((await visitor.get('/auth/confirm')).body, 'whoever has no code at hand is not stuck').toContain('<a href="/me">Cancel</a>')

    const another = place.browser()
    const step = await another.post('/auth/sign-in', { email: 'gina@example.com', password: PASSWORD, return_url: '/me/data' })
    expect(step.location).toBe('/auth/second-step?return_url=%2Fme%2Fdata')
    expect((await another.get('/me')).status).toBe(303)
    const { body } = await another.follow(step)
    expect(body).toContain('One more step')
    expect(body, 'whoever lost all of them is told whom to ask').toContain('Whoever runs its server can remove your second steps')
    const wrong = await another.post('/auth/second-step', { code: '111111', return_url: '/me/data' })
    expect(wrong.status).toBe(401)
    const right = await another.post('/auth/second-step', { code: codeOf(secret, 30_000), return_url: '/me/data' })
    expect([right.status, right.location]).toEqual([303, '/me/data'])
    expect((await another.get('/me')).status).toBe(200)

    const third = place.browser()
    await third.post('/auth/sign-in', { email: 'gina@example.com', password: PASSWORD })
    expect((await third.post('/auth/second-step', { recovery_code: recovery })).status).toBe(303)
    expect((await third.get('/me')).status).toBe(200)
  })

  test('cannot be walked around, and without a ticket it leads back', async () => {
    const visitor = place.browser()
    expect((await visitor.get('/auth/second-step')).location).toBe('/auth/sign-in')
    expect((await visitor.post('/auth/second-step', { code: '123456' })).location).toBe('/auth/sign-in')
  })
})

describe('passkeys', () => {
  test('options come to the script alone, of a form of ours', async () => {
    const seen = await place.browser().post('/auth/passkey', { step: 'options' })
    expect(seen.status).toBe(200)
    expect(JSON.parse(seen.body)).toMatchObject({ ticket: expect.any(String), options: { challenge: expect.any(String) } })
    expect((await place.browser().postFrom('https://evil.example', '/auth/passkey', { step: 'options' })).status).toBe(403)
  })

  test('a made-up passkey signs nobody in', async () => {
    const seen = await place.browser().post('/auth/passkey', { ticket: 'x', passkey: '{"id":"x"}' })
    expect(seen.status).toBe(401)
    expect((await place.browser().post('/auth/passkey', { ticket: 'x', passkey: 'no json' })).status).toBe(401)
  })
})

test('signing out ends the session, takes the cookie, and is done by our own form alone', async () => {
  const user = await place.person('hugo@example.com')
  const visitor = await place.signedIn('hugo@example.com')
  expect((await visitor.postFrom('https://evil.example', '/auth/sign-out')).status).toBe(403)
  expect((await visitor.get('/me')).status).toBe(200)
  const seen = await visitor.post('/auth/sign-out')
  expect([seen.location, seen.headers['clear-site-data']]).toEqual(['/auth/signed-out', '"cache"'])
  expect((await visitor.get('/auth/signed-out')).body).toContain('You are signed out')
  expect(await place.store.sessions.listOf(user.id)).toHaveLength(0)
  expect((await visitor.get('/me')).location).toContain('/auth/sign-in')
})

test('no page can be put into a frame, is kept by a cache, or tells other sites where somebody was (S15, S21)', async () => {
  await place.person('ida@example.com')
  const visitor = await place.signedIn('ida@example.com')
  const paths = ['/auth/sign-in', '/auth/forgot', '/auth/verify', '/auth/reset', '/auth/invitation', '/auth/setup', '/auth/signed-out', '/auth/confirm']
  for (const path of [...paths, '/me', '/me/devices', '/me/security', '/me/data', '/me/data/erase', '/me/visit']) {
    const { headers } = await visitor.get(path)
    expect(headers['content-security-policy'], path).toContain("default-src 'none'")
    expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'")
    expect([headers['x-frame-options'], headers['cache-control']], path).toEqual(['DENY', 'no-store'])
    expect(headers['referrer-policy'], path).toMatch(/^(?:same-origin|no-referrer)$/)
  }
})
