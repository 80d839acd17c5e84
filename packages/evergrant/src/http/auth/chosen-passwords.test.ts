import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { breachedFolder, breachedHash } from '../../testing/breached-folder.ts'
import { createIdentityLab, type IdentityLab, PASSWORD } from '../../testing/identity-lab.ts'

const ANA = 'ana@example.com'
const BREACHED = 'correct horse battery staple'
const GOOD = 'green pears travel slowly'
/** Neither common nor about the person: only the list of the operator knows the word. */
const ABOUT_US = 'Zephyrus!22'

const folder = breachedFolder({ [BREACHED]: 384 }, [PASSWORD, GOOD, 'brown pears travel slowly', 'kettle and Zephyrus and pears'])
const lists = { passwordWords: ['zephyrus', 'blue-heron'], breachedPasswordsDir: folder }
afterAll(() => rmSync(folder, { recursive: true }))

let lab: IdentityLab
beforeEach(async () => {
  lab = await createIdentityLab({ identity: { signUp: 'open', ...lists } })
})

type Try = (
  password: string,
) => Promise<{ readonly status: number; readonly json: { readonly code?: string; readonly field?: string; readonly detail?: string } }>

/** Every place where somebody chooses a password; what it gives may be tried more than once. */
const PLACES: Readonly<Record<string, () => Promise<Try>>> = {
  'the first owner': async () => {
    const token = await lab.services.identity.joining.setupToken()
    return (password) => lab.post('auth/setup', { token, email: ANA, name: 'Ana', password, mode: 'bearer' })
  },
  'a sign-up': async () => {
    await lab.post('auth/sign-up', { email: ANA, name: 'Ana' })
    const token = await lab.tokenTo(ANA)
    return (password) => lab.post('auth/verify-email', { token, password, mode: 'bearer' })
  },
  'an invitation': async () => {
    await lab.call('POST', '/api/v1/users/invitations', { body: { email: ANA, role: 'member', name: 'Ana' } })
    const token = await lab.tokenTo(ANA)
    return (password) => lab.post('auth/invitations/accept', { token, password, mode: 'bearer' })
  },
  'a reset by mail': async () => {
    await lab.addPerson(ANA)
    await lab.post('auth/password/forgot', { email: ANA })
    const token = await lab.tokenTo(ANA)
    return (password) => lab.post('auth/password/reset', { token, password, mode: 'bearer' })
  },
  'a change': async () => {
    await lab.addPerson(ANA)
    const token = (await lab.login(ANA)).json.access_token
    return (password) => lab.post('auth/password', { current_password: PASSWORD, password }, { token })
  },
  'an account made by hand': async () => (password) => lab.call('POST', '/api/v1/users', { body: { email: ANA, name: 'Ana', role: 'member', password } }),
}

describe('wherever a password is chosen', () => {
  test.each(Object.keys(PLACES))('%s: words of the operator, names of roles and breached passwords are refused, and another one is taken', async (place) => {
    const attempt = (await PLACES[place]?.()) as Try
    for (const password of [ABOUT_US, 'blue-heron', 'heron2024', 'Viewer2024', 'Evergrant1', BREACHED]) {
      const refused = await attempt(password)
      expect([refused.status, refused.json.code, refused.json.field], password).toEqual([422, 'password_refused', '/password'])
    }
    expect((await attempt(ABOUT_US)).json.detail).toContain('a word that is known here')
    expect((await attempt(BREACHED)).json.detail).toContain('was stolen from somebody')
    expect((await attempt(GOOD)).status).toBeLessThan(300)
  })
})

test('a longer password may have such a word in it: it is more than that', async () => {
  const attempt = (await PLACES['an account made by hand']?.()) as Try
  expect((await attempt('kettle and Zephyrus and pears')).status).toBe(201)
})

test('the name of the organization that somebody is invited to is a word of theirs, too', async () => {
  const other = await lab.anotherOrganization()
  await lab.store.organizations.rename(other, 'Silver Otters')
  const { link } = await lab.services.identity.joining.invite(
    { organization: other, email: ANA, role: 'member', name: null, actor: { kind: 'cli', id: null }, inviter: null },
    false,
  )
  const accept = (password: string) => lab.post('auth/invitations/accept', { token: link.split('#')[1], password, mode: 'bearer' })
  expect((await accept('SilverOtters12')).json).toMatchObject({ code: 'password_refused', detail: expect.stringContaining('little more than') })
  expect((await accept(GOOD)).status).toBe(200)
})

test('who has a password that was breached since signs in with it as ever, and cannot choose it again', async () => {
  const own = breachedFolder({}, [PASSWORD, GOOD])
  const since = await createIdentityLab({ identity: { breachedPasswordsDir: own } })
  await since.addPerson(ANA)
  appendFileSync(join(own, `${breachedHash(PASSWORD).slice(0, 5)}.txt`), `\r\n${breachedHash(PASSWORD).slice(5)}:1`)
  const signedIn = await since.login(ANA)
  expect(signedIn.status).toBe(200)
  const change = (password: string) => since.post('auth/password', { current_password: PASSWORD, password }, { token: signedIn.json.access_token })
  expect((await change(PASSWORD)).json.code).toBe('password_refused')
  expect((await change(GOOD)).status).toBe(200)
  rmSync(own, { recursive: true })
})

test('while the list cannot be read nobody chooses a password, the link stays good, and people sign in', async () => {
  await lab.addPerson(ANA)
  await lab.post('auth/password/forgot', { email: ANA })
  const token = await lab.tokenTo(ANA)
  const password = 'brown pears travel slowly'
  const reset = () => lab.post('auth/password/reset', { token, password, mode: 'bearer' })
  rmSync(join(folder, `${breachedHash(password).slice(0, 5)}.txt`))
  const answer = await reset()
  expect([answer.status, answer.json.code]).toEqual([503, 'password_list_unavailable'])
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  expect((await lab.login(ANA)).status).toBe(200)
  expect((await lab.post('auth/password/reset', { token, password: GOOD, mode: 'bearer' })).json).toEqual({ changed: true })
})
