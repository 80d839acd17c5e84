// An organization that asks some of its people for a second factor: what a session without one may do, and how it gets out of that.
import { TOTP } from 'otpauth'
import { beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../core/ids.ts'
import { MINUTE } from '../../core/time.ts'
import type { Role } from '../../core/user/user.ts'
import { systemEntropy } from '../../system.ts'
import type { ApiAnswer } from '../../testing/api-lab.ts'
import { createIdentityLab, type IdentityLab, ORIGIN } from '../../testing/identity-lab.ts'
import { openFor } from '../../testing/people.ts'

let lab: IdentityLab
let people = 0
beforeAll(async () => {
  lab = await createIdentityLab()
})

/** While nobody is asked. */
async function fresh(role: Role): Promise<{ readonly email: string; readonly id: `usr_${string}` }> {
  await demand([])
  people += 1
  const email = `person${people}@example.com`
  return { email, id: (await lab.addPerson(email, role)).id }
}

const patch = (body: unknown, key?: string): Promise<ApiAnswer> =>
  lab.call('PATCH', `/api/v1/organizations/${lab.organization}`, { body, ...(key === undefined ? {} : { key }) })
const get = (path: string, key: string): Promise<ApiAnswer> => lab.call('GET', `/api/v1/${path}`, { key })

/** As the command line, which may decide about owners, too. */
async function demand(roles: readonly Role[]): Promise<void> {
  const governor = { organization: lab.organization, actor: { kind: 'cli', id: null }, role: 'owner', user: null } as const
  await lab.services.users.requireSecondFactor(governor, roles)
}

async function addTotp(token: string): Promise<TOTP> {
  const started = await lab.post('users/me/factors/totp', {}, { token })
  expect(started.status, started.text).toBe(201)
  const totp = new TOTP({ secret: started.json.secret })
  const confirmed = await lab.post(`users/me/factors/${started.json.id}/confirm`, { code: totp.generate({ timestamp: lab.time.clock.wall() }) }, { token })
  expect(confirmed.status, confirmed.text).toBe(200)
  expect(confirmed.json.recovery_codes).toHaveLength(10)
  return totp
}

describe('a person whose role is asked, without a second factor (S69)', () => {
  test('signs in, may add one and look at themselves, and is kept from everything else', async () => {
    const { email } = await fresh('admin')
    await demand(['owner', 'admin', 'operator'])
    const opened = (await lab.login(email)).json
    expect(opened).toMatchObject({ second_factor_missing: true, user: { role: 'admin' } })
    for (const path of ['connections', 'users', 'organizations', 'users/me/sessions', 'users/me/export', 'auth/token-status', 'auth/validate', 'events'])
      expect((await get(path, opened.access_token)).json, path).toMatchObject({ status: 403, code: 'second_factor_missing' })
    for (const path of ['users/profile', 'users/me/factors']) expect((await get(path, opened.access_token)).status, path).toBe(200)
    expect((await lab.post('auth/branch', { refresh_token: opened.refresh_token }, { token: opened.access_token })).json.code).toBe('second_factor_missing')
    const refreshed = await lab.post('auth/refresh', { refresh_token: opened.refresh_token })
    expect(refreshed.json).toMatchObject({ second_factor_missing: true, connections: [] })
  })

  test('has an access token that no application takes for its own', async () => {
    const { email } = await fresh('admin')
    await demand(['admin'])
    const claims = (text: string) => JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString())
    expect(claims((await lab.login(email)).json.access_token).aud).toBe(`${ORIGIN}/second-factor`)
    await demand([])
    expect(claims((await lab.login(email)).json.access_token).aud).toBe(ORIGIN)
  })

  test('adds one, and goes on with the next access token: nobody had to sign in again', async () => {
    const { email, id } = await fresh('owner')
    await demand(['owner'])
    const opened = (await lab.login(email)).json
    await addTotp(opened.access_token)
    expect((await get('connections', opened.access_token)).json.code, 'the token of before').toBe('access_token_expired')
    const refreshed = (await lab.post('auth/refresh', { refresh_token: opened.refresh_token })).json
    expect(refreshed.second_factor_missing).toBe(false)
    expect((await get('connections', refreshed.access_token)).status).toBe(200)
    expect((await lab.store.sessions.listOf(id)).map(({ methods }) => methods)).toEqual([['pwd', 'otp']])
  })

  test('is not let in by a factor that was added elsewhere: that session has to show it', async () => {
    const { email } = await fresh('admin')
    await demand(['admin'])
    const older = (await lab.login(email)).json
    const totp = await addTotp((await lab.login(email)).json.access_token)
    expect((await get('connections', older.access_token)).json.code).toBe('second_factor_missing')
    await lab.time.advance(MINUTE)
    const shown = await lab.post('auth/reauthenticate', { code: totp.generate({ timestamp: lab.time.clock.wall() }) }, { token: older.access_token })
    expect(shown.json, shown.text).toMatchObject({ second_factor_missing: false })
    expect((await get('connections', shown.json.access_token)).status).toBe(200)
  })

  test('confirms an address first where nobody did, and is not locked out by it', async () => {
    const { email, id } = await fresh('admin')
    await demand(['admin'])
    const user = await lab.store.users.get(id)
    if (user === undefined) throw new Error('nobody is there')
    const event = { id: 'evt_unconfirmed' as const, organization: lab.organization, type: 'user.updated' as const, at: 0 }
    const rest = { actor: { kind: 'cli', id: null }, connection: null, subject: id, data: {} } as const
    await lab.store.users.update({ ...user, emailVerifiedAt: null, version: user.version + 1 }, { ...event, ...rest })
    const token = (await lab.login(email)).json.access_token
    expect((await lab.post('users/me/factors/totp', {}, { token })).json.code).toBe('conflict')
    expect((await lab.post('auth/verify-email/send', {}, { token })).status).toBe(202)
    expect((await lab.post('auth/verify-email', { token: await lab.tokenTo(email) }, { headers: { origin: ORIGIN, 'evergrant-client': '1' } })).status).toBe(
      200,
    )
    await addTotp(token)
  })

  test('somebody whose role is not asked notices nothing', async () => {
    const { email } = await fresh('member')
    await demand(['owner', 'admin', 'operator'])
    const opened = (await lab.login(email)).json
    expect(opened.second_factor_missing).toBe(false)
    expect((await get('connections', opened.access_token)).status).toBe(200)
  })

  test('a passkey that checked who is there is enough by itself', async () => {
    const { id } = await fresh('admin')
    await demand(['admin'])
    const user = await lab.store.users.get(id)
    if (user === undefined) throw new Error('nobody is there')
    const facts = { organization: lab.organization, mode: 'bearer', userAgent: null, address: null } as const
    const opened = await lab.services.sessions.open({ user, methods: ['hwk'], ...facts })
    expect((await get('connections', opened.accessToken)).status).toBe(200)
    const vouched = await lab.services.sessions.open({ user, methods: ['fed'], ...facts })
    expect((await get('connections', vouched.accessToken)).json.code).toBe('second_factor_missing')
  })
})

describe('the setting', () => {
  test('counts at once in sessions that are open, in both directions, and signs nobody out', async () => {
    const { email, id } = await fresh('operator')
    const opened = (await lab.login(email)).json
    expect((await get('connections', opened.access_token)).status).toBe(200)
    expect((await patch({ require_second_factor: ['operator'] })).json).toMatchObject({ require_second_factor: ['operator'] })
    expect((await get('connections', opened.access_token)).json.code).toBe('access_token_expired')
    const limited = (await lab.post('auth/refresh', { refresh_token: opened.refresh_token })).json
    expect((await get('connections', limited.access_token)).json.code).toBe('second_factor_missing')
    await patch({ require_second_factor: [] })
    expect((await get('connections', limited.access_token)).json.code).toBe('access_token_expired')
    const free = (await lab.post('auth/refresh', { refresh_token: limited.refresh_token })).json
    expect((await get('connections', free.access_token)).status).toBe(200)
    expect(await lab.store.sessions.listOf(id)).toHaveLength(1)
  })

  test('is written down once for each change, with who made it', async () => {
    const { id } = await fresh('owner')
    const user = await lab.store.users.get(id)
    if (user === undefined) throw new Error('nobody is there')
    const { token } = await openFor(lab, user, { organization: lab.organization })
    const told = async () => (await lab.store.events.list(lab.organization, { type: 'organization.updated' }, { limit: 200, cursor: null })).items
    const before = (await told()).length
    for (let repeated = 0; repeated < 2; repeated++) expect((await patch({ require_second_factor: ['viewer', 'member'] }, token)).status).toBe(200)
    const [newest, ...others] = await told()
    expect(others).toHaveLength(before)
    expect(newest).toMatchObject({ actor: { kind: 'user', id }, data: { require_second_factor: ['member', 'viewer'] } })
  })

  test('of roles above one’s own is not for an administrator to change; a member changes nothing', async () => {
    const { email } = await fresh('admin')
    const admin = (await lab.login(email)).json.access_token
    expect((await patch({ require_second_factor: ['owner'] }, admin)).json).toMatchObject({ status: 403, code: 'role_missing' })
    await demand(['owner'])
    expect((await patch({ require_second_factor: [] }, admin)).json.code).toBe('role_missing')
    expect((await patch({ require_second_factor: ['owner', 'viewer'] }, admin)).status).toBe(200)
    const member = await fresh('member')
    expect((await patch({ require_second_factor: ['member'] }, (await lab.login(member.email)).json.access_token)).json.code).toBe('role_missing')
    expect((await patch({ require_second_factor: ['nobody'] })).json.code).toBe('invalid_request')
  })

  test('keeps the last factor of those who are asked: it is replaced, not removed', async () => {
    const { email } = await fresh('admin')
    await demand(['admin'])
    const opened = (await lab.login(email)).json
    await addTotp(opened.access_token)
    const token = (await lab.post('auth/refresh', { refresh_token: opened.refresh_token })).json.access_token
    const { items } = (await get('users/me/factors', token)).json
    const remove = () => lab.call('DELETE', `/api/v1/users/me/factors/${items[0].id}`, { key: token })
    expect((await remove()).json).toMatchObject({ status: 409, code: 'conflict' })
    await demand([])
    expect((await remove()).status).toBe(204)
  })

  test('keeps one of the last two factors of those who are asked, also when both are removed at the same moment', async () => {
    const { email, id: person } = await fresh('admin')
    await demand(['admin'])
    const opened = (await lab.login(email)).json
    await addTotp(opened.access_token)
    const token = (await lab.post('auth/refresh', { refresh_token: opened.refresh_token })).json.access_token
    const [first] = await lab.store.factors.listOf(person)
    if (first === undefined) throw new Error('a factor was added')
    await lab.store.factors.insert({ ...first, id: newId('fct', systemEntropy) }, null, null)
    const factors = async (): Promise<{ id: string }[]> => (await get('users/me/factors', token)).json.items
    const both = await Promise.all((await factors()).map(({ id }) => lab.call('DELETE', `/api/v1/users/me/factors/${id}`, { key: token })))
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409])
    expect(both.find(({ status }) => status === 409)?.json.detail).toMatch(/asks you for a second step, and this is your only one/)
    expect(await factors()).toHaveLength(1)
  })
})
