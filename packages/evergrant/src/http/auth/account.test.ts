import { expect, test } from 'vitest'
import { DAY, HOUR, MINUTE } from '../../core/time.ts'
import { createIdentityLab, type IdentityLab, OWN_PAGE, PASSWORD, sharedIdentityLab } from '../../testing/identity-lab.ts'

const OTHER = 'green pears travel slowly'

const visit = sharedIdentityLab()
const visitOpen = sharedIdentityLab({ identity: { signUp: 'open' } })
const eventsOf = async (lab: IdentityLab, type: Parameters<IdentityLab['store']['events']['list']>[1]['type']) =>
  (await lab.store.events.list(lab.organization, type === undefined ? {} : { type }, { limit: 100, cursor: null })).items

test('where people join by invitation, a sign-up is refused and no letter goes out', async () => {
  const { lab, ANA } = await visit()
  expect((await lab.post('auth/sign-up', { email: ANA })).json).toMatchObject({ status: 403, code: 'sign_up_closed' })
  await lab.settled()
  expect(lab.letters).toEqual([])
})

test('a sign-up makes an account only when the link is used and a password chosen there; it is a member of the default organization', async () => {
  const { lab, ANA } = await visitOpen()
  const asked = await lab.post('auth/sign-up', { email: ` ${ANA}`, name: 'Ana' })
  expect(asked.status, asked.text).toBe(400)
  expect((await lab.post('auth/sign-up', { email: ANA.toUpperCase(), name: 'Ana' })).json).toEqual({ sent: true })
  const token = await lab.tokenTo(ANA)
  expect(await lab.store.users.byEmail(ANA)).toBeUndefined()
  expect(lab.letters[0]?.text).toContain(`https://evergrant.example/auth/verify#${token}`)
  expect((await lab.post('auth/verify-email', { token, mode: 'bearer' })).json).toMatchObject({ status: 400, field: '/password' })
  expect((await lab.post('auth/verify-email', { token, password: 'password1', mode: 'bearer' })).json).toMatchObject({
    status: 422,
    code: 'password_refused',
    field: '/password',
  })
  const made = await lab.post('auth/verify-email', { token, password: PASSWORD, mode: 'bearer' })
  expect(made.json.user, made.text).toMatchObject({ email: ANA, email_verified: true, name: 'Ana', role: 'member' })
  expect((await lab.login(ANA)).status).toBe(200)
  expect((await lab.post('auth/verify-email', { token, password: PASSWORD, mode: 'bearer' })).json).toMatchObject({ status: 410, code: 'link_spent' })
})

test('a sign-up with an address that has an account is answered alike, with the same work, and its letter says so (S65)', async () => {
  const { lab, ANA, BEN } = await visitOpen()
  await lab.addPerson(ANA)
  lab.hashed.count = 0
  const answers = [await lab.post('auth/sign-up', { email: ANA }), await lab.post('auth/sign-up', { email: BEN })]
  expect(answers.map(({ status, json }) => [status, json])).toEqual([
    [202, { sent: true }],
    [202, { sent: true }],
  ])
  expect(lab.hashed.count).toBe(0)
  await lab.settled()
  expect(lab.letters.map(({ to, text }) => [to, text.includes('There is an account for it already')])).toEqual([
    [ANA, true],
    [BEN, false],
  ])
})

test('of two sign-ups for one address the first link makes the account, and the other one does nothing', async () => {
  const { lab, ANA } = await visitOpen()
  await lab.post('auth/sign-up', { email: ANA, name: 'Mallory' })
  const mallory = await lab.tokenTo(ANA)
  await lab.post('auth/sign-up', { email: ANA, name: 'Ana' })
  const ana = await lab.tokenTo(ANA)
  expect(ana).not.toBe(mallory)
  expect((await lab.post('auth/verify-email', { token: ana, password: PASSWORD, mode: 'bearer' })).json.user.name).toBe('Ana')
  expect((await lab.post('auth/verify-email', { token: mallory, password: OTHER, mode: 'bearer' })).json.code).toBe('link_spent')
  expect((await lab.login(ANA, OTHER)).status).toBe(401)
})

test('links end after the time that their letter says, and a token of one purpose is none of another', async () => {
  const { lab, ANA, BEN } = await visitOpen()
  await lab.addPerson(BEN)
  await lab.post('auth/sign-up', { email: ANA })
  await lab.post('auth/password/forgot', { email: BEN })
  const [signUp, reset] = [await lab.tokenTo(ANA), await lab.tokenTo(BEN)]
  expect((await lab.post('auth/password/reset', { token: signUp, password: OTHER, mode: 'bearer' })).json.code).toBe('link_spent')
  expect((await lab.post('auth/verify-email', { token: reset, password: OTHER, mode: 'bearer' })).json.code).toBe('link_spent')
  expect((await lab.post('auth/invitations/accept', { token: reset, password: OTHER, mode: 'bearer' })).json.code).toBe('link_spent')
  expect((await lab.post('auth/password/reset', { token: 'made up', password: OTHER, mode: 'bearer' })).json.code).toBe('link_spent')
  await lab.time.advance(HOUR)
  expect((await lab.post('auth/password/reset', { token: reset, password: OTHER, mode: 'bearer' })).json.code).toBe('link_spent')
  await lab.time.advance(DAY)
  expect((await lab.post('auth/verify-email', { token: signUp, password: OTHER, mode: 'bearer' })).json.code).toBe('link_spent')
})

test('a forgotten password: the same answer and work for every address, a letter for those who have one (S65)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  lab.hashed.count = 0
  const answers = [await lab.post('auth/password/forgot', { email: ANA }), await lab.post('auth/password/forgot', { email: 'nobody@example.com' })]
  expect(answers.map(({ status, json }) => [status, json])).toEqual([
    [202, { sent: true }],
    [202, { sent: true }],
  ])
  expect(lab.hashed.count).toBe(0)
  await lab.settled()
  expect(lab.letters.map(({ to }) => to)).toEqual([ANA])
})

test('a mailbox gets three letters at once and then one in minutes; the links of all of them stay good until one is used', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  for (let letter = 0; letter < 10; letter++) expect((await lab.post('auth/password/forgot', { email: ANA })).status).toBe(202)
  const token = await lab.tokenTo(ANA)
  expect(lab.letters.length).toBe(3)
  const first = /#([A-Za-z0-9_-]{43})/.exec(lab.letters[0]?.text ?? '')?.[1] ?? ''
  expect((await lab.post('auth/password/reset', { token: first, password: OTHER, mode: 'bearer' })).json).toEqual({ changed: true })
  expect((await lab.post('auth/password/reset', { token, password: PASSWORD, mode: 'bearer' })).json.code).toBe('link_spent')
})

test('a reset ends every session, signs nobody in, and cannot be done twice with one link, not even at the same time (S49, S61)', async () => {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  const before = (await lab.login(ANA)).json
  await lab.post('auth/password/forgot', { email: ANA })
  const token = await lab.tokenTo(ANA)
  const tries = await Promise.all(Array.from({ length: 5 }, () => lab.post('auth/password/reset', { token, password: OTHER, mode: 'bearer' })))
  expect(tries.map(({ status }) => status).sort()).toEqual([200, 410, 410, 410, 410])
  expect(tries.find(({ status }) => status === 200)?.json).toEqual({ changed: true })
  expect(await lab.store.sessions.listOf(ana.id)).toEqual([])
  expect((await lab.post('auth/refresh', { refresh_token: before.refresh_token })).json.code).toBe('session_signed_out')
  expect((await lab.login(ANA)).status).toBe(401)
  expect((await lab.login(ANA, OTHER)).status).toBe(200)
  await lab.settled()
  expect(lab.letters.at(-1)).toMatchObject({ to: ANA, subject: 'Your password was changed' })
})

test('a disabled person gets no letter, and a link from before does nothing', async () => {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  await lab.post('auth/password/forgot', { email: ANA })
  const token = await lab.tokenTo(ANA)
  expect((await lab.call('PATCH', `/api/v1/users/${ana.id}`, { body: { disabled: true } })).status).toBe(200)
  expect((await lab.post('auth/password/reset', { token, password: OTHER, mode: 'bearer' })).json.code).toBe('link_spent')
  const letters = lab.letters.length
  expect((await lab.post('auth/password/forgot', { email: ANA })).status).toBe(202)
  await lab.settled()
  expect(lab.letters.length).toBe(letters)
})

test('a new password with the old one: other sessions end, this one goes on with new credentials (S49)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const [mine, other] = [(await lab.login(ANA)).json, (await lab.login(ANA)).json]
  await lab.time.advance(MINUTE)
  const wrong = await lab.post('auth/password', { current_password: 'wrong words here', password: OTHER }, { token: mine.access_token })
  expect(wrong.json).toMatchObject({ status: 401, code: 'sign_in_refused' })
  const changed = await lab.post('auth/password', { current_password: PASSWORD, password: OTHER }, { token: mine.access_token })
  expect(changed.status, changed.text).toBe(200)
  expect(changed.json.session.id).toBe(mine.session.id)
  expect(changed.json.generation).toBeGreaterThan(mine.generation)
  expect((await lab.call('GET', '/api/v1/auth/validate', { key: changed.json.access_token })).status).toBe(200)
  expect((await lab.call('GET', '/api/v1/auth/validate', { key: other.access_token })).json.code).toBe('session_signed_out')
  expect((await lab.login(ANA, OTHER)).status).toBe(200)
})

test('a new password without the old one asks for a proof that is at most ten minutes old', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const first = (await lab.login(ANA)).json
  await lab.time.advance(11 * MINUTE)
  const later = (await lab.post('auth/refresh', { refresh_token: first.refresh_token })).json
  const refused = await lab.post('auth/password', { password: OTHER }, { token: later.access_token })
  expect(refused.json).toMatchObject({ status: 403, code: 'reauthentication_required' })
  const again = (await lab.post('auth/reauthenticate', { password: PASSWORD }, { token: later.access_token })).json
  expect((await lab.post('auth/password', { password: OTHER }, { token: again.access_token })).status).toBe(200)
})

test('an invited person chooses a password and is in, in the role and organization of the invitation, once', async () => {
  const { lab, BEN } = await visit()
  expect((await lab.call('POST', '/api/v1/users/invitations', { body: { email: BEN, role: 'operator', name: 'Ben' } })).status).toBe(201)
  const token = await lab.tokenTo(BEN)
  expect((await lab.post('auth/invitations/look', { token })).json).toMatchObject({ email: BEN, role: 'operator', known: false })
  const tries = await Promise.all(Array.from({ length: 4 }, () => lab.post('auth/invitations/accept', { token, password: PASSWORD, mode: 'bearer' })))
  expect(tries.map(({ status }) => status).sort()).toEqual([200, 410, 410, 410])
  expect(tries.find(({ status }) => status === 200)?.json.user).toMatchObject({ email: BEN, email_verified: true, name: 'Ben', role: 'operator' })
  expect((await eventsOf(lab, 'user.invited'))[0]?.data).toEqual({ role: 'operator' })
})

test('an invitation that no mail server takes is told to the organization that invites, and to no other', async () => {
  const { lab, ANA } = await visit()
  const inviting = await lab.anotherOrganization()
  lab.letters.push = () => {
    throw new Error('no mail server')
  }
  try {
    const sent = await lab.call('POST', '/api/v1/users/invitations', { key: await lab.keyFor(['admin'], inviting), body: { email: ANA, role: 'viewer' } })
    expect(sent.status).toBe(201)
    for (let attempt = 0; attempt < 5; attempt++) await lab.time.advance(11 * MINUTE)
    await lab.settled()
  } finally {
    Reflect.deleteProperty(lab.letters, 'push')
  }
  const told = async (organization: typeof inviting) =>
    (await lab.store.events.list(organization, { type: 'user.mail_failed' }, { limit: 5, cursor: null })).items.map(({ data }) => data)
  expect([await told(inviting), await told(lab.organization)]).toEqual([[{ purpose: 'invitation' }], []])
})

test('an invitation is listed until it is accepted or withdrawn, in its own organization alone', async () => {
  const { lab, ANA, BEN } = await visit()
  const other = await lab.keyFor(['admin'], await lab.anotherOrganization())
  for (const email of [ANA, BEN]) await lab.call('POST', '/api/v1/users/invitations', { body: { email, role: 'viewer' } })
  const [forAna, forBen] = [await lab.tokenTo(ANA), await lab.tokenTo(BEN)]
  const pending = async () =>
    (await lab.call('GET', '/api/v1/users/invitations')).json.items.filter(({ email }: { email: string }) => email === ANA || email === BEN)
  const items = await pending()
  expect(items.map(({ email, role }: { email: string; role: string }) => [email, role]).sort()).toEqual([
    [ANA, 'viewer'],
    [BEN, 'viewer'],
  ])
  expect(JSON.stringify(items)).not.toContain(forAna)
  const { id } = items.find(({ email }: { email: string }) => email === ANA)
  expect((await lab.call('GET', '/api/v1/users/invitations', { key: other })).json.items).toEqual([])
  expect((await lab.call('DELETE', `/api/v1/users/invitations/${id}`, { key: other })).status).toBe(404)
  expect((await lab.call('DELETE', `/api/v1/users/invitations/${id}`)).status).toBe(204)
  expect((await lab.call('DELETE', `/api/v1/users/invitations/${id}`)).status).toBe(404)
  expect((await lab.post('auth/invitations/accept', { token: forAna, password: PASSWORD, mode: 'bearer' })).json.code).toBe('link_spent')
  expect((await lab.post('auth/invitations/accept', { token: forBen, password: PASSWORD, mode: 'bearer' })).status).toBe(200)
  expect(await pending()).toEqual([])
})

test('somebody who has an account joins by the link and is not signed in by it: it is no way past their password', async () => {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  const other = await lab.anotherOrganization()
  const key = await lab.keyFor(['admin'], other)
  expect((await lab.call('POST', '/api/v1/users/invitations', { key, body: { email: ANA, role: 'viewer' } })).status).toBe(201)
  const token = await lab.tokenTo(ANA)
  const accepted = await lab.post('auth/invitations/accept', { token, password: OTHER, mode: 'bearer' })
  expect(accepted.json).toEqual({ joined: true })
  expect((await lab.store.users.membershipsOf(ana.id)).map(({ role }) => role).sort()).toEqual(['member', 'viewer'])
  expect((await lab.login(ANA, OTHER)).status).toBe(401)
  expect((await lab.post('auth/login', { email: ANA, password: PASSWORD, mode: 'bearer', organization: other })).json.user.role).toBe('viewer')
})

test('an account that somebody else made for an address falls to whoever proves to have the mailbox, without its maker', async () => {
  const { lab, ANA } = await visit()
  const made = await lab.call('POST', '/api/v1/users', {
    body: { email: ANA, password: OTHER, role: 'member' },
    key: await lab.keyFor(['admin'], await lab.anotherOrganization()),
  })
  expect(made.json, made.text).toMatchObject({ email: ANA, email_verified: false })
  const maker = (await lab.login(ANA, OTHER)).json
  expect((await lab.post('users/me/factors/totp', {}, { token: maker.access_token })).json.code).toBe('conflict')
  await lab.call('POST', '/api/v1/users/invitations', { body: { email: ANA, role: 'member' } })
  const token = await lab.tokenTo(ANA)
  expect((await lab.post('auth/invitations/look', { token })).json.known).toBe(false)
  expect((await lab.post('auth/invitations/accept', { token, password: PASSWORD, mode: 'bearer' })).json.user).toMatchObject({
    email: ANA,
    email_verified: true,
  })
  expect((await lab.login(ANA, OTHER)).status).toBe(401)
  expect((await lab.post('auth/refresh', { refresh_token: maker.refresh_token })).json.code).toBe('session_signed_out')
})

test('nobody invites or makes somebody above their own role, and members invite nobody', async () => {
  // Of its own: a body that is refused unread is still being waited for when the next test moves the clock.
  const lab = await createIdentityLab()
  const [ANA, BEN] = ['ana@example.com', 'ben@example.com']
  await lab.addPerson(ANA, 'admin')
  await lab.addPerson(BEN)
  const [admin, member] = [(await lab.login(ANA)).json.access_token, (await lab.login(BEN)).json.access_token]
  expect((await lab.post('users', { email: 'c@example.com', password: PASSWORD, role: 'owner' }, { token: admin })).json).toMatchObject({
    status: 403,
    code: 'role_missing',
  })
  expect((await lab.post('users/invitations', { email: 'c@example.com', role: 'owner' }, { token: admin })).json.code).toBe('role_missing')
  expect((await lab.post('users/invitations', { email: 'c@example.com', role: 'admin' }, { token: admin })).status).toBe(201)
  expect((await lab.post('users/invitations', { email: 'c@example.com', role: 'viewer' }, { token: member })).status).toBe(403)
  expect((await lab.post('users/invitation-links', { email: 'c@example.com', role: 'viewer' }, { token: admin })).json.code).toBe('forbidden')
})

test('while there is nobody, the token of a start makes the first owner, once; all other tokens end with it (S70)', async () => {
  const lab = await createIdentityLab()
  const [ANA, BEN] = ['ana@example.com', 'ben@example.com']
  const { joining } = lab.services.identity
  const [first, second] = [await joining.setupToken(), await joining.setupToken()]
  const body = (token: string | null, email: string) => ({ token, email, password: PASSWORD, name: 'Ana', mode: 'bearer' })
  expect((await lab.post('auth/setup', body('x'.repeat(43), ANA))).json.code).toBe('link_spent')
  expect((await lab.post('auth/setup', { ...body(first, ANA), password: 'password1' })).json.code).toBe('password_refused')
  const made = await Promise.all([lab.post('auth/setup', body(first, ANA)), lab.post('auth/setup', body(second, BEN))])
  expect(made.map(({ status }) => status).sort()).toEqual([200, 410])
  expect(made.find(({ status }) => status === 200)?.json.user).toMatchObject({ role: 'owner', email_verified: true })
  expect((await lab.post('auth/setup', body(first, 'c@example.com'))).json.code).toBe('link_spent')
  expect(await joining.setupToken()).toBeNull()
})

test('there is no default user: nobody can sign in before somebody was made (S70)', async () => {
  const lab = await createIdentityLab()
  expect(await lab.store.users.none()).toBe(true)
  for (const email of ['admin', 'admin@localhost', 'root@evergrant.example']) expect((await lab.login(email, 'admin')).status).toBe(401)
})

test('links are requests that are counted: guessing at tokens from one address ends after thirty', async () => {
  const { lab } = await visit()
  const answers = []
  for (let guess = 0; guess < 40; guess++)
    answers.push((await lab.post('auth/password/reset', { token: String(guess).padStart(43, 'A'), password: OTHER, mode: 'bearer' })).status)
  expect(answers.filter((status) => status === 429).length).toBe(10)
})

test('every route that may set the cookie comes from a page that may use it (S53)', async () => {
  const { lab, ANA, BEN } = await visitOpen()
  await lab.addPerson(BEN)
  await lab.post('auth/sign-up', { email: ANA })
  await lab.post('auth/password/forgot', { email: BEN })
  const [signUp, reset] = [await lab.tokenTo(ANA), await lab.tokenTo(BEN)]
  for (const [path, body] of [
    ['auth/verify-email', { token: signUp, password: PASSWORD }],
    ['auth/password/reset', { token: reset, password: OTHER }],
    ['auth/invitations/accept', { token: signUp, password: PASSWORD }],
    ['auth/setup', { token: signUp, email: ANA, password: PASSWORD }],
    ['auth/login/passkey', { ticket: signUp, passkey: {} }],
  ] as const) {
    expect((await lab.post(path, body)).json.code, path).toBe('cross_site_request')
    expect((await lab.post(path, body, { headers: { ...OWN_PAGE, origin: 'https://evil.example' } })).json.code, path).toBe('cross_site_request')
  }
  expect((await lab.post('auth/verify-email', { token: signUp, password: PASSWORD }, { headers: OWN_PAGE })).status).toBe(200)
})

test('an address is confirmed by a link that its owner asked for, which signs nobody in', async () => {
  const { lab, ANA } = await visit()
  await lab.call('POST', '/api/v1/users', { body: { email: ANA, password: PASSWORD, role: 'member' }, key: await lab.keyFor(['admin']) })
  const { access_token: token } = (await lab.login(ANA)).json
  expect((await lab.post('auth/verify-email/send', {}, { token })).status).toBe(202)
  const link = await lab.tokenTo(ANA)
  expect((await lab.post('auth/verify-email', { token: link, mode: 'bearer' })).json).toEqual({ verified: true })
  expect((await lab.store.users.byEmail(ANA))?.emailVerifiedAt).not.toBeNull()
  expect((await lab.post('auth/verify-email/send', {}, { token })).json.code).toBe('conflict')
})

test('an administrator may send a reset and never sees its link; the command line does', async () => {
  const { lab, ANA } = await visit()
  const ana = await lab.addPerson(ANA)
  expect((await lab.call('POST', `/api/v1/users/${ana.id}/password-reset`)).json).toEqual({ link: null })
  const token = await lab.tokenTo(ANA)
  const local = lab.services.apiKeys.issueLocal(lab.organization).text
  const { link } = (await lab.call('POST', `/api/v1/users/${ana.id}/password-reset`, { key: local })).json
  expect(link).toMatch(/^https:\/\/evergrant\.example\/auth\/reset#[A-Za-z0-9_-]{43}$/)
  expect(link).not.toContain(token)
  expect((await lab.post('auth/password/reset', { token: link.split('#')[1], password: OTHER, mode: 'bearer' })).status).toBe(200)
})

test('tickets are stored as hashes: nothing in the database opens an account (S39, S61)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  await lab.post('auth/password/forgot', { email: ANA })
  const token = await lab.tokenTo(ANA)
  const stored = await lab.store.tickets.find(token, 'reset_password')
  expect(stored).toBeUndefined()
  const events = JSON.stringify(await eventsOf(lab, undefined))
  expect(events).not.toContain(token)
  expect(JSON.stringify(lab.logged)).not.toContain(token)
})
