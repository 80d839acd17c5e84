import { TOTP } from 'otpauth'
import { expect, test, vi } from 'vitest'
import { MINUTE, SECOND } from '../../core/time.ts'
import { type IdentityLab, ORIGIN, sharedIdentityLab } from '../../testing/identity-lab.ts'
import { SoftwareAuthenticator } from '../../testing/software-authenticator.ts'

const visit = sharedIdentityLab()

interface WithTotp {
  readonly lab: IdentityLab
  readonly ANA: string
  readonly BEN: string
  readonly token: string
  readonly codes: readonly string[]
  readonly factor: string
  /** The code of an instant so many seconds from now. */
  code(secondsFromNow?: number): string
}

async function withTotp(): Promise<WithTotp> {
  const { lab, ANA, BEN } = await visit()
  await lab.addPerson(ANA)
  const token = (await lab.login(ANA)).json.access_token
  const started = await lab.post('users/me/factors/totp', { name: 'Phone' }, { token })
  expect(started.status, started.text).toBe(201)
  expect(started.json.uri).toMatch(/^otpauth:\/\/totp\//)
  const totp = new TOTP({ secret: started.json.secret })
  const code = (seconds = 0) => totp.generate({ timestamp: lab.time.clock.wall() + seconds * SECOND })
  const confirmed = await lab.post(`users/me/factors/${started.json.id}/confirm`, { code: code() }, { token })
  expect(confirmed.status, confirmed.text).toBe(200)
  await lab.time.advance(MINUTE)
  return { lab, ANA, BEN, token, codes: confirmed.json.recovery_codes, factor: started.json.id, code }
}

/** A ticket for the second step. */
async function firstStep({ lab, ANA }: Pick<WithTotp, 'lab' | 'ANA'>): Promise<string> {
  const answer = await lab.login(ANA)
  expect(answer.json, answer.text).toMatchObject({ status: 401, code: 'second_factor_required' })
  return answer.json.ticket
}

test('an authenticator counts once a code of it was confirmed; then a password alone opens nothing', async () => {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  const token = (await lab.login(ANA)).json.access_token
  const { id, secret } = (await lab.post('users/me/factors/totp', {}, { token })).json
  expect((await lab.login(ANA)).status).toBe(200)
  expect((await lab.post(`users/me/factors/${id}/confirm`, { code: '000000' }, { token })).json).toMatchObject({
    status: 401,
    code: 'sign_in_refused',
    field: '/code',
  })
  const code = new TOTP({ secret }).generate({ timestamp: lab.time.clock.wall() })
  const confirmed = await lab.post(`users/me/factors/${id}/confirm`, { code }, { token })
  expect(confirmed.json.recovery_codes).toHaveLength(10)
  const before = (await lab.store.sessions.listOf(ana.id)).length
  const answer = await lab.login(ANA)
  expect(answer.json).toMatchObject({ code: 'second_factor_required', methods: ['totp', 'recovery_code'], ticket: expect.any(String) })
  expect((await lab.store.sessions.listOf(ana.id)).length).toBe(before)
  expect((await lab.call('GET', '/api/v1/users/me/factors', { key: token })).json).toMatchObject({
    items: [{ id, kind: 'totp', name: 'Authenticator' }],
    recovery_codes_left: 10,
  })
  await lab.settled()
  expect(lab.letters.at(-1)?.subject).toBe('A second step was added')
})

test('a code opens the session, one step early or late as well, and each only once (S69)', async () => {
  const { lab, ANA, code } = await withTotp()
  const now = code()
  const opened = await lab.post('auth/login/second-factor', { ticket: await firstStep({ lab, ANA }), code: now })
  expect(opened.status, opened.text).toBe(200)
  const methods = async () => (await lab.store.sessions.get(opened.json.session.id))?.session.methods
  expect(await methods()).toEqual(['pwd', 'otp'])
  const ticket = await firstStep({ lab, ANA })
  expect((await lab.post('auth/login/second-factor', { ticket, code: now })).json.code).toBe('sign_in_refused')
  expect((await lab.post('auth/login/second-factor', { ticket, code: code(-30) })).json.code, 'an older step after a newer one').toBe('sign_in_refused')
  expect((await lab.post('auth/login/second-factor', { ticket, code: code(90) })).json.code, 'three steps ahead').toBe('sign_in_refused')
  expect((await lab.post('auth/login/second-factor', { ticket, code: code(30) })).status, 'one step ahead').toBe(200)
})

test('of four who send one code at once, one gets in', async () => {
  const { lab, ANA, code } = await withTotp()
  const tickets = []
  for (let index = 0; index < 4; index++) tickets.push(await firstStep({ lab, ANA }))
  const now = code()
  const answers = await Promise.all(tickets.map((ticket) => lab.post('auth/login/second-factor', { ticket, code: now })))
  expect(answers.filter(({ status }) => status === 200).length).toBe(1)
})

test('a ticket takes five answers, lives five minutes and opens one session; guessing is slowed whatever ticket it comes with', async () => {
  const { lab, ANA, code } = await withTotp()
  const ticket = await firstStep({ lab, ANA })
  for (let guess = 0; guess < 5; guess++) expect((await lab.post('auth/login/second-factor', { ticket, code: '000000' })).status).toBe(401)
  const fresh = await firstStep({ lab, ANA })
  for (let tried = 0; tried < 6; tried++) {
    const slowed = await lab.post('auth/login/second-factor', { ticket: fresh, code: code() })
    expect(slowed.json, 'an answer that has to wait is not one of the five').toMatchObject({ status: 429, code: 'rate_limited' })
  }
  await lab.time.advance(30 * SECOND)
  expect((await lab.post('auth/login/second-factor', { ticket, code: code() })).json.detail, 'a sixth answer').toContain('Start again')
  expect((await lab.post('auth/login/second-factor', { ticket: fresh, code: code() })).status).toBe(200)
  expect((await lab.post('auth/login/second-factor', { ticket: fresh, code: code(30) })).json.detail).toContain('Start again')
  const late = await firstStep({ lab, ANA })
  await lab.time.advance(5 * MINUTE)
  expect((await lab.post('auth/login/second-factor', { ticket: late, code: code() })).json.detail).toContain('Start again')
})

test('a recovery code works once, however it is typed; new ones end the old', async () => {
  const { lab, ANA, codes, token } = await withTotp()
  const [first = '', second = '', third = ''] = codes
  expect(
    (await lab.post('auth/login/second-factor', { ticket: await firstStep({ lab, ANA }), recovery_code: first.toUpperCase().replaceAll('-', ' ') })).status,
  ).toBe(200)
  expect((await lab.post('auth/login/second-factor', { ticket: await firstStep({ lab, ANA }), recovery_code: first })).json.code).toBe('sign_in_refused')
  const renewed = await lab.post('users/me/factors/recovery-codes', {}, { token })
  expect(renewed.json.recovery_codes).toHaveLength(10)
  expect((await lab.post('auth/login/second-factor', { ticket: await firstStep({ lab, ANA }), recovery_code: second })).json.code).toBe('sign_in_refused')
  expect(third).toMatch(/^[0-9a-z]{7}-[0-9a-z]{7}-[0-9a-z]{7}-[0-9a-z]{5}$/)
  expect((await lab.post('auth/login/second-factor', { ticket: await firstStep({ lab, ANA }), recovery_code: renewed.json.recovery_codes[4] })).status).toBe(
    200,
  )
})

test('a reset of the password does not pass by the second factor (S60)', async () => {
  const { lab, ANA, code } = await withTotp()
  const before = await firstStep({ lab, ANA })
  await lab.post('auth/password/forgot', { email: ANA })
  const token = await lab.tokenTo(ANA)
  expect((await lab.post('auth/password/reset', { token, password: 'green pears travel slowly', mode: 'bearer' })).json).toEqual({ changed: true })
  expect((await lab.login(ANA, 'green pears travel slowly')).json.code).toBe('second_factor_required')
  expect((await lab.post('auth/login/second-factor', { ticket: before, code: code() })).json.detail, 'a step begun with the old password').toContain(
    'Start again',
  )
})

test('factors are changed only with a proof of identity of the last ten minutes (S56)', async () => {
  const { lab, ANA, factor, code } = await withTotp()
  const opened = (await lab.post('auth/login/second-factor', { ticket: await firstStep({ lab, ANA }), code: code() })).json
  await lab.time.advance(10 * MINUTE + SECOND)
  const token = (await lab.post('auth/refresh', { refresh_token: opened.refresh_token })).json.access_token
  for (const [method, path] of [
    ['POST', 'totp'],
    ['POST', 'passkey/options'],
    ['POST', 'recovery-codes'],
    ['DELETE', factor],
  ] as const)
    expect((await lab.call(method, `/api/v1/users/me/factors/${path}`, { key: token, ...(method === 'POST' ? { body: {} } : {}) })).json.code, path).toBe(
      'reauthentication_required',
    )
  const again = (await lab.post('auth/reauthenticate', { code: code() }, { token })).json
  expect((await lab.call('DELETE', `/api/v1/users/me/factors/${factor}`, { key: again.access_token })).status).toBe(204)
  expect((await lab.login(ANA)).status).toBe(200)
  expect((await lab.call('GET', '/api/v1/users/me/factors', { key: again.access_token })).json).toMatchObject({ items: [], recovery_codes_left: 0 })
})

test('nobody sees or changes the factors of another', async () => {
  const { lab, BEN, factor } = await withTotp()
  await lab.addPerson(BEN, 'owner')
  const ben = (await lab.login(BEN)).json.access_token
  expect((await lab.call('DELETE', `/api/v1/users/me/factors/${factor}`, { key: ben })).status).toBe(404)
  expect((await lab.post(`users/me/factors/${factor}/confirm`, { code: '000000' }, { token: ben })).status).toBe(404)
  expect((await lab.call('GET', '/api/v1/users/me/factors')).json.code, 'a key is no person').toBe('forbidden')
})

async function withPasskey(device = new SoftwareAuthenticator({ origin: ORIGIN })) {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  const token = (await lab.login(ANA)).json.access_token
  const { ticket, options } = (await lab.post('users/me/factors/passkey/options', {}, { token })).json
  const added = await lab.post('users/me/factors/passkey', { ticket, passkey: device.create(options), name: 'Laptop' }, { token })
  const discover = async () => (await lab.post('auth/login/passkey/options', {})).json
  return { lab, ANA, ana, token, device, added, discover }
}

test('a passkey that checks who is there signs in without a password, and its challenge works once', async () => {
  const { lab, ana, device, added, discover } = await withPasskey()
  expect(added.status, added.text).toBe(201)
  expect(added.json).toMatchObject({ kind: 'passkey', name: 'Laptop' })
  expect(added.json.recovery_codes).toHaveLength(10)
  const { ticket, options } = await discover()
  expect(options).toMatchObject({ rpId: 'evergrant.example', userVerification: 'preferred' })
  expect(options.allowCredentials ?? []).toEqual([])
  const passkey = device.get(options)
  const opened = await lab.post('auth/login/passkey', { ticket, passkey, mode: 'bearer' })
  expect(opened.status, opened.text).toBe(200)
  expect(opened.json.user.id).toBe(ana.id)
  expect((await lab.store.sessions.get(opened.json.session.id))?.session.methods).toEqual(['hwk'])
  expect((await lab.post('auth/login/passkey', { ticket, passkey, mode: 'bearer' })).json.code).toBe('sign_in_refused')
})

test('an answer that was seen is good for no other ticket, also of a device that does not count', async () => {
  const { lab, ANA, device, discover } = await withPasskey(new SoftwareAuthenticator({ origin: ORIGIN, count: null }))
  const first = await discover()
  const seen = device.get(first.options)
  expect((await lab.post('auth/login/passkey', { ticket: first.ticket, passkey: seen, mode: 'bearer' })).status).toBe(200)
  const second = await discover()
  expect((await lab.post('auth/login/passkey', { ticket: second.ticket, passkey: seen, mode: 'bearer' })).json.code).toBe('sign_in_refused')
  expect((await lab.post('auth/login/second-factor', { ticket: await firstStep({ lab, ANA }), passkey: seen })).json.code).toBe('sign_in_refused')
})

test('a passkey that checks nobody is a second step and no first', async () => {
  const { lab, ANA, device, discover } = await withPasskey(new SoftwareAuthenticator({ origin: ORIGIN, userVerified: false }))
  const alone = await discover()
  expect((await lab.post('auth/login/passkey', { ticket: alone.ticket, passkey: device.get(alone.options), mode: 'bearer' })).json).toMatchObject({
    code: 'sign_in_refused',
    detail: expect.stringMatching(/second step/),
  })
  const step = await lab.login(ANA)
  expect(step.json.methods).toEqual(['passkey', 'recovery_code'])
  const { ticket, options } = (await lab.post('auth/login/passkey/options', { ticket: step.json.ticket })).json
  expect(options.allowCredentials).toEqual([{ id: device.id.toString('base64url'), transports: ['internal'], type: 'public-key' }])
  expect((await lab.post('auth/login/second-factor', { ticket, passkey: device.get(options) })).status).toBe(200)
})

test('a passkey of another site, another challenge, another key or a copy that counts behind is refused', async () => {
  const { lab, device, discover } = await withPasskey()
  const attempt = async (change: (options: { challenge: string; rpId: string }) => ReturnType<SoftwareAuthenticator['get']>) => {
    const { ticket, options } = await discover()
    return (await lab.post('auth/login/passkey', { ticket, passkey: change(options), mode: 'bearer' })).json.code
  }
  expect(await attempt((options) => device.get({ ...options, challenge: Buffer.alloc(32).toString('base64url') }))).toBe('sign_in_refused')
  expect(await attempt((options) => device.get({ ...options, rpId: 'evil.example' }))).toBe('sign_in_refused')
  device.origin = 'https://evil.example'
  expect(await attempt((options) => device.get(options))).toBe('sign_in_refused')
  device.origin = ORIGIN
  const stranger = new SoftwareAuthenticator({ origin: ORIGIN })
  stranger.create({ challenge: 'AAAA', rp: { id: 'evergrant.example' } })
  expect(await attempt((options) => stranger.get(options))).toBe('sign_in_refused')
  expect(await attempt((options) => ({ ...stranger.get(options), id: device.id.toString('base64url'), rawId: device.id.toString('base64url') }))).toBe(
    'sign_in_refused',
  )
  device.count = 40
  expect(await attempt((options) => device.get(options))).toBeUndefined()
  device.count = 10
  expect(await attempt((options) => device.get(options)), 'a copy that counts behind').toBe('sign_in_refused')
  expect(await attempt(() => ({ id: 'x', response: { clientDataJSON: '!!!' } }))).toBe('sign_in_refused')
})

test('a passkey is added once, for its own request, and a device that does not count is welcome', async () => {
  const { lab, token, device } = await withPasskey(new SoftwareAuthenticator({ origin: ORIGIN, count: null }))
  const begin = async () => (await lab.post('users/me/factors/passkey/options', {}, { token })).json
  const again = await begin()
  expect(again.options.excludeCredentials).toHaveLength(1)
  expect((await lab.post('users/me/factors/passkey', { ticket: again.ticket, passkey: device.create(again.options) }, { token })).json.code).toBe(
    'already_exists',
  )
  const foreign = await begin()
  const phished = new SoftwareAuthenticator({ origin: 'https://evil.example' })
  expect((await lab.post('users/me/factors/passkey', { ticket: foreign.ticket, passkey: phished.create(foreign.options) }, { token })).json).toMatchObject({
    code: 'invalid_request',
    field: '/passkey',
  })
  const other = new SoftwareAuthenticator({ origin: ORIGIN })
  expect((await lab.post('users/me/factors/passkey', { ticket: foreign.ticket, passkey: other.create(foreign.options) }, { token })).json.code).toBe(
    'link_spent',
  )
})

test('a passkey proves it again, with a challenge of its own', async () => {
  const { lab, token, device } = await withPasskey()
  const { ticket, options } = (await lab.post('auth/reauthenticate/passkey/options', {}, { token })).json
  const passkey = device.get(options)
  const again = await lab.post('auth/reauthenticate', { ticket, passkey }, { token })
  expect(again.status, again.text).toBe(200)
  expect((await lab.post('auth/reauthenticate', { ticket, passkey }, { token: again.json.access_token })).json.code).toBe('sign_in_refused')
})

test('of two factors that are the first at once, one comes with recovery codes, and these work', async () => {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  const token = (await lab.login(ANA)).json.access_token
  const { id, secret } = (await lab.post('users/me/factors/totp', {}, { token })).json
  const { ticket, options } = (await lab.post('users/me/factors/passkey/options', {}, { token })).json
  const code = new TOTP({ secret }).generate({ timestamp: lab.time.clock.wall() })
  const passkey = new SoftwareAuthenticator({ origin: ORIGIN }).create(options)
  const { insert, confirm } = lab.store.factors
  let arrived = 0
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const together =
    <Given extends readonly unknown[], Outcome>(write: (...given: Given) => Promise<Outcome>) =>
    async (...given: Given) => {
      arrived += 1
      if (arrived === 2) release()
      await released
      return write(...given)
    }
  const watched = [
    vi.spyOn(lab.store.factors, 'insert').mockImplementation(together(insert)),
    vi.spyOn(lab.store.factors, 'confirm').mockImplementation(together(confirm)),
  ]
  const added = await Promise.all([
    lab.post(`users/me/factors/${id}/confirm`, { code }, { token }),
    lab.post('users/me/factors/passkey', { ticket, passkey }, { token }),
  ])
  for (const one of watched) one.mockRestore()
  expect(added.map(({ status }) => status)).toEqual([200, 201])
  const shown = added.flatMap(({ json }) => json.recovery_codes ?? [])
  expect(shown).toHaveLength(10)
  expect(await lab.store.factors.codesLeft(ana.id)).toBe(10)
  const begun = (await lab.login(ANA)).json
  expect((await lab.post('auth/login/second-factor', { ticket: begun.ticket, recovery_code: shown[0] })).status).toBe(200)
})
