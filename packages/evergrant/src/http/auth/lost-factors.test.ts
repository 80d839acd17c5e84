// Somebody who lost every second step and all recovery codes, and whoever runs the server, who lets them back in to what is theirs.
import { TOTP } from 'otpauth'
import { expect, test, vi } from 'vitest'
import { newId } from '../../core/ids.ts'
import { MINUTE } from '../../core/time.ts'
import type { User } from '../../core/user/user.ts'
import { type IdentityLab, ORIGIN, sharedIdentityLab } from '../../testing/identity-lab.ts'
import { SoftwareAuthenticator } from '../../testing/software-authenticator.ts'

const visit = sharedIdentityLab()

const local = (lab: IdentityLab): string => lab.services.apiKeys.issueLocal(lab.organization).text
const remove = (lab: IdentityLab, user: string, more: { readonly dry_run?: boolean } = {}) =>
  lab.call('POST', '/api/v1/users/factor-removals', { key: local(lab), body: { user, ...more } })

async function addTotp(lab: IdentityLab, token: string): Promise<TOTP> {
  const started = await lab.post('users/me/factors/totp', {}, { token })
  expect(started.status, started.text).toBe(201)
  const totp = new TOTP({ secret: started.json.secret })
  const confirmed = await lab.post(`users/me/factors/${started.json.id}/confirm`, { code: codeOf(lab, totp) }, { token })
  expect(confirmed.status, confirmed.text).toBe(200)
  return totp
}

const codeOf = (lab: IdentityLab, totp: TOTP): string => totp.generate({ timestamp: lab.time.clock.wall() })

async function addPasskey(lab: IdentityLab, token: string): Promise<SoftwareAuthenticator> {
  const device = new SoftwareAuthenticator({ origin: ORIGIN })
  const { ticket, options } = (await lab.post('users/me/factors/passkey/options', {}, { token })).json
  const added = await lab.post('users/me/factors/passkey', { ticket, passkey: device.create(options) }, { token })
  expect(added.status, added.text).toBe(201)
  return device
}

/** Ana with an authenticator, a passkey and ten codes, signed in. */
async function withFactors() {
  const { lab, ANA, BEN } = await visit()
  const ana = await lab.addPerson(ANA)
  const opened = (await lab.login(ANA)).json
  const totp = await addTotp(lab, opened.access_token)
  const device = await addPasskey(lab, opened.access_token)
  await lab.time.advance(MINUTE)
  return { lab, ANA, BEN, ana, opened, totp, device }
}

async function eventsAbout(lab: IdentityLab, user: User, type: string) {
  const { items } = await lab.store.events.list(lab.organization, { subject: user.id }, { limit: 100, cursor: null })
  return items.filter((event) => event.type === type)
}

test('the command line of the machine removes all of them at once: every session ends, the mailbox is told, and the password opens the account', async () => {
  const { lab, ANA, ana, opened, device } = await withFactors()
  const begun = (await lab.login(ANA)).json
  expect(begun.code).toBe('second_factor_required')
  lab.letters.length = 0
  const answer = await remove(lab, ANA)
  expect(answer.status, answer.text).toBe(200)
  expect(answer.json).toEqual({
    user: ana.id,
    email: ANA,
    name: null,
    removed: true,
    totp: 1,
    passkeys: 1,
    recovery_codes: 10,
    sessions_ended: 1,
    signs_in_with: ['password'],
  })
  expect((await lab.call('GET', '/api/v1/users/profile', { key: opened.access_token })).json).toMatchObject({ status: 401, code: 'session_revoked' })
  expect((await lab.post('auth/refresh', { refresh_token: opened.refresh_token })).status).toBe(401)
  await lab.settled()
  expect(lab.letters.map(({ to, subject }) => [to, subject])).toEqual([[ANA, 'All your second steps were removed']])

  const back = await lab.login(ANA)
  expect(back.status, back.text).toBe(200)
  expect((await lab.call('GET', '/api/v1/users/me/factors', { key: back.json.access_token })).json).toMatchObject({ items: [], recovery_codes_left: 0 })
  const { ticket, options } = (await lab.post('auth/login/passkey/options', {})).json
  expect((await lab.post('auth/login/passkey', { ticket, passkey: device.get(options), mode: 'bearer' })).json.code).toBe('sign_in_refused')
  await addTotp(lab, back.json.access_token)
  expect((await lab.login(ANA)).json.code).toBe('second_factor_required')
})

test('the event says who did it and how much went, and nothing secret', async () => {
  const { lab, ana } = await withFactors()
  await remove(lab, ana.id)
  const [removed, ...others] = await eventsAbout(lab, ana, 'user.factors_removed')
  expect(others).toEqual([])
  expect(removed).toMatchObject({ actor: { kind: 'cli', id: null }, subject: ana.id, data: { totp: 1, passkeys: 1, recovery_codes: 10, sessions: 1 } })
  expect((await eventsAbout(lab, ana, 'session.ended')).map(({ actor, data }) => [actor.kind, data])).toEqual([['cli', { end: 'ended_by_admin' }]])
})

test('a dry run says what would go, and changes nothing', async () => {
  const { lab, ANA, ana, opened } = await withFactors()
  expect((await remove(lab, ANA.toUpperCase(), { dry_run: true })).json).toMatchObject({
    removed: false,
    totp: 1,
    passkeys: 1,
    recovery_codes: 10,
    sessions_ended: 0,
  })
  expect((await lab.post('auth/refresh', { refresh_token: opened.refresh_token })).status).toBe(200)
  expect((await lab.store.factors.listOf(ana.id)).length).toBe(2)
})

test('repeated, or for somebody who has none, it changes nothing: no session ends and nothing is told', async () => {
  const { lab, ANA, ana } = await withFactors()
  await remove(lab, ANA)
  const back = (await lab.login(ANA)).json
  await lab.post('users/me/factors/totp', {}, { token: back.access_token })
  await lab.settled()
  lab.letters.length = 0
  expect((await remove(lab, ANA)).json).toMatchObject({ removed: false, totp: 0, passkeys: 0, recovery_codes: 0, sessions_ended: 0 })
  await lab.settled()
  expect(lab.letters).toEqual([])
  expect((await eventsAbout(lab, ana, 'user.factors_removed')).length).toBe(1)
  expect((await lab.post('auth/refresh', { refresh_token: back.refresh_token })).status).toBe(200)
})

test('no owner, administrator or key can: they reach one organization, and the person may belong to others', async () => {
  const { lab, ANA, BEN, ana } = await withFactors()
  await lab.addPerson(BEN, 'owner')
  const owner = (await lab.login(BEN)).json.access_token
  for (const key of [owner, await lab.keyFor(['admin'])])
    for (const body of [{ user: ANA }, { user: ana.id, dry_run: true }, { user: 'nobody@example.com' }])
      expect((await lab.call('POST', '/api/v1/users/factor-removals', { key, body })).json).toMatchObject({ status: 403, code: 'forbidden' })
  expect((await lab.store.factors.listOf(ana.id)).length).toBe(2)
})

test('somebody of another organization is found as well: people belong to the server', async () => {
  const { lab, ana } = await withFactors()
  const other = (await lab.services.users.createOrganization(ana.id, { name: 'Other', slug: `other-${ana.id.slice(-12)}` })).organization.id
  await lab.services.users.removeMember({ organization: lab.organization, actor: { kind: 'cli', id: null }, role: 'owner', user: null }, ana.id)
  expect((await remove(lab, ana.id)).json).toMatchObject({ removed: true, totp: 1 })
  const { items } = await lab.store.events.list(other, { subject: ana.id }, { limit: 100, cursor: null })
  expect(items.map(({ type }) => type)).toContain('user.factors_removed')
  // The link for a new password, which somebody with a passkey alone needs next.
  const reset = (key: string) => lab.call('POST', `/api/v1/users/${ana.id}/password-reset`, { key })
  expect((await reset(local(lab))).json.link).toMatch(/\/auth\/reset#/)
  expect((await reset(await lab.keyFor(['admin']))).json.code, 'an administrator of this organization').toBe('not_found')
  expect((await remove(lab, 'nobody@example.com')).json).toMatchObject({ status: 404, code: 'not_found', detail: expect.stringContaining('on this server') })
})

test('an organization that asks for a second step asks for a new one at the next sign-in', async () => {
  const { lab, ANA } = await withFactors()
  const governor = { organization: lab.organization, actor: { kind: 'cli', id: null }, role: 'owner', user: null } as const
  await lab.services.users.requireSecondFactor(governor, ['member'])
  try {
    await remove(lab, ANA)
    const back = (await lab.login(ANA)).json
    expect(back.second_factor_missing).toBe(true)
    expect((await lab.call('GET', '/api/v1/auth/validate', { key: back.access_token })).json.code).toBe('second_factor_missing')
    await addTotp(lab, back.access_token)
    expect((await lab.post('auth/refresh', { refresh_token: back.refresh_token })).json.second_factor_missing).toBe(false)
  } finally {
    await lab.services.users.requireSecondFactor(governor, [])
  }
})

test('whoever has a passkey and no password is told to need a link, which still works; with no address at all nothing is taken', async () => {
  const { lab, ANA, ana } = await withFactors()
  const stored = await lab.store.users.get(ana.id)
  if (stored === undefined) throw new Error('Ana is not stored')
  const event = () => ({
    id: newId('evt', lab.services.entropy),
    organization: lab.organization,
    type: 'user.updated' as const,
    at: 1,
    actor: { kind: 'cli' as const, id: null },
    connection: null,
    subject: ana.id,
    data: {},
  })
  const bare = { ...stored, passwordHash: null, version: stored.version + 1 }
  expect(await lab.store.users.update({ ...bare, email: null }, event())).toBe('updated')
  expect((await remove(lab, ana.id)).json).toMatchObject({ status: 409, code: 'conflict', detail: expect.stringContaining('only way in') })
  expect((await lab.store.factors.listOf(ana.id)).length).toBe(2)

  expect(await lab.store.users.update({ ...bare, version: bare.version + 1 }, event())).toBe('updated')
  const { link } = (await lab.call('POST', `/api/v1/users/${ana.id}/password-reset`, { key: local(lab) })).json
  expect((await remove(lab, ANA)).json).toMatchObject({ removed: true, signs_in_with: [] })
  const password = 'green pears travel slowly'
  expect((await lab.post('auth/password/reset', { token: link.split('#')[1], password, mode: 'bearer' })).json).toEqual({ changed: true })
  expect((await lab.login(ANA, password)).status).toBe(200)
})

test('a second step that was proven while it was taken away opens nothing', async () => {
  const { lab, ANA, ana, totp } = await withFactors()
  const spend = lab.store.tickets.spend
  const overtaken = vi.spyOn(lab.store.tickets, 'spend').mockImplementation(async (hash, purpose) => {
    const spent = await spend(hash, purpose)
    if (purpose === 'second_factor') await remove(lab, ANA)
    return spent
  })
  try {
    const begun = (await lab.login(ANA)).json
    const answer = await lab.post('auth/login/second-factor', { ticket: begun.ticket, code: codeOf(lab, totp) })
    expect(answer.json).toMatchObject({ status: 401, code: 'sign_in_refused' })
    expect((await lab.store.sessions.listOf(ana.id)).filter(({ revokedAt }) => revokedAt === null)).toEqual([])
  } finally {
    overtaken.mockRestore()
  }
})

test.each([
  [
    'a passkey',
    async (lab: IdentityLab, token: string) => {
      const { ticket, options } = (await lab.post('users/me/factors/passkey/options', {}, { token })).json
      const device = new SoftwareAuthenticator({ origin: ORIGIN })
      return () => lab.post('users/me/factors/passkey', { ticket, passkey: device.create(options) }, { token })
    },
  ],
  [
    'an authenticator app',
    async (lab: IdentityLab, token: string) => {
      const { id, secret } = (await lab.post('users/me/factors/totp', {}, { token })).json
      return () => lab.post(`users/me/factors/${id}/confirm`, { code: codeOf(lab, new TOTP({ secret })) }, { token })
    },
  ],
  ['a secret for an app', async (lab: IdentityLab, token: string) => () => lab.post('users/me/factors/totp', {}, { token })],
  ['a set of recovery codes', async (lab: IdentityLab, token: string) => () => lab.post('users/me/factors/recovery-codes', {}, { token })],
])('%s that is added in the moments in which all of them are taken away is not there afterwards', async (_what, begin) => {
  const { lab, ANA, ana, opened } = await withFactors()
  const finish = await begin(lab, opened.access_token)
  const { insert, confirm, replaceCodes } = lab.store.factors
  // Everything was looked at by then; what is left is the write.
  const late =
    <Given extends readonly unknown[], Outcome>(write: (...given: Given) => Promise<Outcome>) =>
    async (...given: Given) => {
      await remove(lab, ANA)
      return write(...given)
    }
  const watched = [
    vi.spyOn(lab.store.factors, 'insert').mockImplementation(late(insert)),
    vi.spyOn(lab.store.factors, 'confirm').mockImplementation(late(confirm)),
    vi.spyOn(lab.store.factors, 'replaceCodes').mockImplementation(late(replaceCodes)),
  ]
  try {
    expect((await finish()).json).toMatchObject({ status: 401, code: 'session_revoked' })
    expect([await lab.store.factors.listOf(ana.id), await lab.store.factors.codesLeft(ana.id)]).toEqual([[], 0])
  } finally {
    for (const one of watched) one.mockRestore()
  }
  expect((await lab.login(ANA)).status).toBe(200)
})
