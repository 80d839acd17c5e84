import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { composeIdentity } from '../../compose-identity.ts'
import { DAY, MINUTE, SECOND } from '../../core/time.ts'
import { cookieIn, createIdentityLab, OWN_PAGE, PASSWORD, sharedIdentityLab } from '../../testing/identity-lab.ts'
import { testSeal } from '../../testing/seal.ts'

const visit = sharedIdentityLab()
const DEVICE = '__Host-evergrant_device'

test('a password opens a session: in cookie mode the credential is in the cookie alone, in bearer mode in the body alone', async () => {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  const cookie = await lab.post('auth/login', { email: ` ${ANA.toUpperCase()} `, password: PASSWORD }, { headers: OWN_PAGE })
  expect(cookie.status, cookie.text).toBe(200)
  expect(cookie.json).toMatchObject({
    token_type: 'Bearer',
    session: { mode: 'cookie' },
    user: { id: ana.id, email: ANA, email_verified: true, role: 'member' },
  })
  expect(cookie.json.refresh_token).toBeUndefined()
  expect(cookieIn(cookie, '__Host-evergrant_session')).toMatch(/^egr_1\./)
  const bearer = await lab.login(ANA)
  expect(bearer.json.refresh_token).toMatch(/^egr_1\./)
  expect(bearer.headers['set-cookie']).toBeUndefined()
  expect(bearer.json.session.id).not.toBe(cookie.json.session.id)
  const validated = await lab.call('GET', '/api/v1/auth/validate', { key: bearer.json.access_token })
  expect(validated.json).toMatchObject({ active: true, user: { id: ana.id } })
})

test('a sign-in ends the session that this browser had, and signs nobody out who is still on the way with its cookie (S38)', async () => {
  const { lab, ANA, BEN } = await visit()
  await lab.addPerson(ANA)
  const ben = await lab.addPerson(BEN)
  const first = await lab.post('auth/login', { email: ANA, password: PASSWORD }, { headers: OWN_PAGE })
  const old = `${DEVICE.replace('device', 'session')}=${cookieIn(first, '__Host-evergrant_session')}`
  const second = await lab.post('auth/login', { email: BEN, password: PASSWORD }, { headers: { ...OWN_PAGE, cookie: old } })
  expect(second.json).toMatchObject({ user: { id: ben.id } })
  expect(second.json.session.id).not.toBe(first.json.session.id)
  expect((await lab.call('GET', '/api/v1/auth/validate', { key: first.json.access_token })).json.code).toBe('access_token_expired')
  const late = await lab.post('auth/refresh', {}, { headers: { ...OWN_PAGE, cookie: old } })
  expect([late.status, late.json.code]).toEqual([401, 'access_token_expired'])
  expect(late.headers['set-cookie']).toBeUndefined()
  expect((await lab.call('GET', '/api/v1/auth/validate', { key: second.json.access_token })).status).toBe(200)
  // The answer to the second sign-in never came: a browser that still has the old cookie a minute later is told to sign in, and not to try again for ever.
  await lab.time.advance(MINUTE)
  const unheard = await lab.post('auth/refresh', {}, { headers: { ...OWN_PAGE, cookie: old } })
  expect([unheard.status, unheard.json.code]).toEqual([401, 'session_signed_out'])
  expect(String(unheard.headers['set-cookie'])).toContain('Max-Age=0')
  expect((await lab.call('GET', '/api/v1/auth/validate', { key: second.json.access_token })).status).toBe(200)
})

test('a sign-in in cookie mode comes from a page that may use the cookie, else nothing happens (S53)', async () => {
  // Of its own: bodies that are refused unread are still being waited for when the next test moves the clock.
  const lab = await createIdentityLab()
  const ANA = 'ana@example.com'
  const ana = await lab.addPerson(ANA)
  const foreign = [
    {},
    { ...OWN_PAGE, origin: 'https://evil.example' },
    { ...OWN_PAGE, 'sec-fetch-site': 'cross-site' },
    { origin: OWN_PAGE.origin },
    { ...OWN_PAGE, origin: 'null' },
  ]
  for (const headers of foreign) {
    const answer = await lab.post('auth/login', { email: ANA, password: PASSWORD }, { headers })
    expect(answer.json.code, JSON.stringify(headers)).toBe('cross_site_request')
    expect(answer.headers['set-cookie']).toBeUndefined()
  }
  expect(await lab.store.sessions.listOf(ana.id)).toEqual([])
  const form = await lab.app.inject({
    method: 'POST',
    url: '/api/v1/auth/login',
    headers: { ...OWN_PAGE, 'content-type': 'text/plain' },
    payload: JSON.stringify({ email: ANA, password: PASSWORD }),
  })
  expect(form.statusCode).toBe(415)
})

test('unknown address, wrong password, no password and disabled user: the same answer and the same work (S65)', async () => {
  const { lab, ANA, BEN } = await visit()
  const ana = await lab.addPerson(ANA)
  const ben = await lab.addPerson(BEN)
  const cleo = await lab.addPerson('cleo@example.com')
  const event = () => ({
    id: `evt_${lab.services.entropy.uuid()}` as const,
    organization: lab.organization,
    type: 'user.updated' as const,
    at: 0,
    actor: { kind: 'cli', id: null } as const,
    connection: null,
    subject: null,
    data: {},
  })
  await lab.store.users.update({ ...ben, passwordHash: null, version: 2 }, event())
  await lab.store.users.update({ ...cleo, disabledAt: 1, version: 2 }, event())
  const answers = []
  for (const [index, [email, password]] of [
    [ANA, 'wrong words here'],
    ['nobody@example.com', PASSWORD],
    [BEN, PASSWORD],
    ['cleo@example.com', PASSWORD],
  ].entries()) {
    lab.hashed.count = 0
    const { status, json, headers } = await lab.login(email ?? '', password, { address: `203.0.113.${index}` })
    const { request_id: _, ...body } = json
    const names = Object.keys(headers).sort()
    answers.push({ status, body, names, hashed: lab.hashed.count })
  }
  expect(answers[0]).toMatchObject({ status: 401, hashed: 1, body: { code: 'sign_in_refused' } })
  // Forms show it as it is: words for the person, not for the operator.
  expect(answers[0]?.body.detail).toBe('E-mail address and password do not belong together. Check both, or reset your password.')
  for (const answer of answers) expect(answer).toEqual(answers[0])
  await lab.settled()
  const { items } = await lab.store.events.list(lab.organization, { type: 'session.refused' }, { limit: 10, cursor: null })
  const own = items.filter(({ subject }) => subject === ana.id || subject === ben.id || subject === cleo.id)
  expect(own.map(({ subject, data }) => [subject, data['reason']]).sort()).toEqual(
    [
      [ana.id, 'password'],
      [ben.id, 'password'],
      [cleo.id, 'disabled'],
    ].sort(),
  )
})

test('after five wrong passwords from one address the sixth waits, also with the right one; other addresses do not (S64)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  for (let attempt = 0; attempt < 5; attempt++) expect((await lab.login(ANA, 'wrong words here')).status).toBe(401)
  lab.hashed.count = 0
  const waiting = await lab.login(ANA)
  expect(waiting.status).toBe(429)
  expect(waiting.json).toMatchObject({ code: 'rate_limited', detail: expect.stringMatching(/Wait 12 s/) })
  expect(waiting.headers['retry-after']).toBe('12')
  expect(lab.hashed.count).toBe(0)
  expect((await lab.login(ANA, PASSWORD, { address: '198.51.100.9' })).status).toBe(200)
  await lab.time.advance(12 * SECOND)
  expect((await lab.login(ANA)).status).toBe(200)
  for (let attempt = 0; attempt < 5; attempt++) expect((await lab.login(ANA, 'wrong words here')).status).toBe(401)
})

test('an address that nobody has is slowed like one that somebody has', async () => {
  const { lab } = await visit()
  for (let attempt = 0; attempt < 5; attempt++) expect((await lab.login('nobody@example.com', 'wrong words here')).status).toBe(401)
  expect((await lab.login('nobody@example.com')).status).toBe(429)
})

test('one password tried at many accounts from one address ends after twenty; good sign-ins do not count (S64)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  for (let attempt = 0; attempt < 60; attempt++) expect((await lab.login(ANA)).status).toBe(200)
  let refused = 0
  for (let account = 0; account < 40; account++) if ((await lab.login(`user${account}@example.com`, 'Summer of 2026!')).status === 429) refused += 1
  expect(refused).toBe(20)
})

test('strangers from a thousand addresses cannot keep a known browser out, and never lock anybody out for longer than 30 s', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const known = await lab.post('auth/login', { email: ANA, password: PASSWORD }, { headers: OWN_PAGE })
  const device = cookieIn(known, DEVICE) ?? ''
  let waited = 0
  for (let address = 0; address < 1_000; address++)
    if ((await lab.login(ANA, 'wrong words here', { address: `10.0.${address >> 8}.${address & 255}` })).status === 429) waited += 1
  expect(waited).toBe(980)
  const stranger = await lab.login(ANA, PASSWORD, { address: '198.51.100.9' })
  expect(stranger.status).toBe(429)
  expect(Number(stranger.headers['retry-after'])).toBeLessThanOrEqual(30)
  const mine = await lab.post('auth/login', { email: ANA, password: PASSWORD }, { headers: { ...OWN_PAGE, cookie: `${DEVICE}=${device}` } })
  expect(mine.status).toBe(200)
  const made = await lab.post('auth/login', { email: ANA, password: PASSWORD }, { headers: { ...OWN_PAGE, cookie: `${DEVICE}=${device.slice(0, -1)}A` } })
  expect(made.status).toBe(429)
})

test('a known browser has its own limit, and a bearer client is known by the header that it was given', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const device = String((await lab.login(ANA)).headers['evergrant-device'])
  const here = { headers: { 'evergrant-device': device } }
  for (let attempt = 0; attempt < 10; attempt++) expect((await lab.login(ANA, 'wrong words here', here)).status).toBe(401)
  expect((await lab.login(ANA, PASSWORD, here)).status).toBe(429)
  expect((await lab.login(ANA)).status).toBe(200)
})

test('X-Forwarded-For counts from configured proxies only, and there its right-most foreign hop (S66)', async () => {
  const { lab: spoofed, ANA } = await visit()
  const proxied = await createIdentityLab({ app: { trustedProxies: ['10.0.0.1'] } })
  for (let attempt = 0; attempt < 5; attempt++) {
    await spoofed.login(ANA, 'wrong words here', { headers: { 'x-forwarded-for': `198.51.100.${attempt}` } })
    await proxied.login(ANA, 'wrong words here', { address: '10.0.0.1', headers: { 'x-forwarded-for': `198.51.100.${attempt}, 203.0.113.50` } })
  }
  expect((await spoofed.login(ANA, PASSWORD, { headers: { 'x-forwarded-for': '198.51.100.99' } })).status).toBe(429)
  expect((await proxied.login(ANA, PASSWORD, { address: '10.0.0.1', headers: { 'x-forwarded-for': '198.51.100.99, 203.0.113.50' } })).status).toBe(429)
  expect((await proxied.login(ANA, PASSWORD, { address: '10.0.0.1', headers: { 'x-forwarded-for': '203.0.113.51' } })).status).toBe(401)
})

test('limits are in the database: three nodes let through no more than one, and a restarted one no more (S67)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const { clock, timers, entropy, sessions } = lab.services
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const node = () =>
    composeIdentity({
      config: {
        publicUrl: 'https://evergrant.example',
        allowedOrigins: [],
        signUp: 'invited',
        organizationName: 'Example',
        passwordWords: [],
        breachedPasswordsDir: null,
      },
      store: lab.store,
      sessions,
      mailer: { send: async () => {} },
      seal: testSeal(),
      clock,
      timers,
      entropy,
      log,
      organization: lab.organization,
      derive: async () => new Uint8Array(32),
    }).identity
  const nodes = [node(), node(), node()]
  const visitor = { address: '203.0.113.7', userAgent: null, bucket: '203.0.113.7', device: null }
  const attempt = (at: number) =>
    nodes[at % 3]?.signIn
      .withPassword({ email: ANA, password: 'wrong words here', mode: 'bearer', organization: null, key: null }, visitor)
      .catch((error: { code: string }) => error.code)
  const outcomes = await Promise.all(Array.from({ length: 30 }, (_, index) => attempt(index)))
  expect(outcomes.filter((code) => code === 'sign_in_refused').length).toBe(5)
  expect(outcomes.filter((code) => code === 'rate_limited').length).toBe(25)
  nodes[0] = node()
  expect(await attempt(0)).toBe('rate_limited')
})

test('when too many sign in at once, the rest is told to come back, and that is not held against them (S68)', async () => {
  let open: (() => void)[] = []
  const lab = await createIdentityLab({
    identity: {
      derive: async () => {
        await new Promise<void>((resolve) => open.push(resolve))
        return new Uint8Array(32)
      },
    },
  })
  const crowd = Array.from({ length: 19 }, (_, index) => lab.login(`user${index}@example.com`, PASSWORD, { address: `10.0.0.${index}` }))
  const first = await Promise.race(crowd)
  expect(first.status).toBe(503)
  expect(first.json.code).toBe('overloaded')
  expect(Number(first.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  let settled = 0
  for (const answer of crowd) void answer.then(() => (settled += 1))
  await expect
    .poll(() => {
      const now = open
      open = []
      for (const resolve of now) resolve()
      return settled
    })
    .toBe(19)
  expect((await Promise.all(crowd)).map(({ status }) => status).sort()).toEqual([...Array<number>(18).fill(401), 503])
})

test('a hash of weaker times is made again at the next sign-in', async () => {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  const old = (ana.passwordHash ?? '').replace('m=19456,t=2', 'm=8192,t=1')
  await lab.store.users.update(
    { ...ana, passwordHash: old, version: 2 },
    {
      id: `evt_${lab.services.entropy.uuid()}`,
      organization: lab.organization,
      type: 'user.updated',
      at: 0,
      actor: { kind: 'cli', id: null },
      connection: null,
      subject: null,
      data: {},
    },
  )
  expect((await lab.login(ANA)).status).toBe(200)
  await expect.poll(async () => (await lab.store.users.get(ana.id))?.passwordHash).toMatch(/m=19456,t=2,p=1/)
  expect((await lab.login(ANA)).status).toBe(200)
})

test('the organization can be chosen by slug or id; one that the person is not in is refused after the password', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const other = await lab.anotherOrganization()
  const login = (organization: string, password = PASSWORD) => lab.post('auth/login', { email: ANA, password, mode: 'bearer', organization })
  expect((await login(lab.organization)).json.user.organization.id).toBe(lab.organization)
  expect((await login(other)).json).toMatchObject({ status: 403, code: 'role_missing' })
  expect((await login('no-such-one')).json.code).toBe('role_missing')
  expect((await login(other, 'wrong words here')).json.code).toBe('sign_in_refused')
})

test('a bearer sign-in that is proven with a key binds the session to it (RFC 9449 section 5)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const claims = {
    htm: 'POST',
    htu: 'https://evergrant.example/api/v1/auth/login',
    jti: lab.services.entropy.uuid(),
    iat: Math.floor(lab.time.clock.wall() / 1_000),
  }
  const proof = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk }).sign(privateKey)
  const bound = await lab.login(ANA, PASSWORD, { headers: { dpop: proof } })
  expect(bound.status, bound.text).toBe(200)
  const stored = await lab.store.sessions.get(bound.json.session.id)
  expect(stored?.session.keyThumbprint).toBe(await calculateJwkThumbprint(jwk, 'sha256'))
  const replayed = await lab.login(ANA, PASSWORD, { headers: { dpop: proof } })
  expect(replayed.json.code).toBe('dpop_proof_invalid')
})

test('proving it again moves the time of proof and the generation; the old access token stays that of the same session (S38)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const signedIn = (await lab.login(ANA)).json
  await lab.time.advance(20 * MINUTE)
  const { access_token: token, refresh_token: second } = (await lab.post('auth/refresh', { refresh_token: signedIn.refresh_token })).json
  const wrong = await lab.post('auth/reauthenticate', { password: 'wrong words here' }, { token })
  expect(wrong.json).toMatchObject({ status: 401, code: 'sign_in_refused' })
  const again = await lab.post('auth/reauthenticate', { password: PASSWORD }, { token })
  expect(again.status, again.text).toBe(200)
  expect(again.json.session.id).toBe(signedIn.session.id)
  expect(again.json.generation).toBe(3)
  expect(Date.parse(again.json.session.authenticated_at) - Date.parse(signedIn.session.authenticated_at)).toBe(20 * MINUTE)
  expect(again.json.refresh_token).not.toBe(second)
  const { items } = await lab.store.events.list(
    lab.organization,
    { type: 'session.reauthenticated', subject: signedIn.session.id },
    { limit: 10, cursor: null },
  )
  expect(items).toHaveLength(1)
  expect((await lab.post('auth/reauthenticate', {}, { token: again.json.access_token })).json).toMatchObject({ status: 400, field: '/code' })
  expect((await lab.post('auth/reauthenticate', { password: PASSWORD })).status).toBe(401)
})

test('a password is good for as long as its person keeps it: nothing ends one because time went by (ASVS 6.2.10)', async () => {
  // Of its own: years pass.
  const lab = await createIdentityLab()
  await lab.addPerson('ana@example.com')
  for (let year = 0; year < 12; year += 1) {
    lab.time.setWall(lab.time.clock.wall() + 365 * DAY)
    const { status, json } = await lab.login('ana@example.com')
    expect([year, status, json.methods, json.user?.email]).toEqual([year, 200, undefined, 'ana@example.com'])
  }
})
