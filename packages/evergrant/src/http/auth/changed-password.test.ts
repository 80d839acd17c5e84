import { createHash } from 'node:crypto'
import { TOTP } from 'otpauth'
import { expect, test } from 'vitest'
import { MINUTE, SECOND } from '../../core/time.ts'
import type { Derive } from '../../seal/password-hash.ts'
import { createIdentityLab, type IdentityLab, PASSWORD } from '../../testing/identity-lab.ts'

const ANA = 'ana@example.com'
const OTHER = 'seven lanterns by the harbour'

interface Slow {
  readonly lab: IdentityLab
  /** The next computation of a hash is reached, and waits until it is let go. */
  hold(): { readonly reached: Promise<void>; letGo(): void }
}

function signal(): { readonly given: Promise<void>; give(): void } {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give: () => give() }
}

/** Two sign-ins never take the same time: here one is as slow as a test likes. */
async function slowHashes(): Promise<Slow> {
  let next: { reach(): void; readonly gate: Promise<void> } | null = null
  const derive: Derive = async (password, salt) => {
    const held = next
    next = null
    held?.reach()
    await held?.gate
    return createHash('sha256').update(password).update(salt).digest()
  }
  const hold: Slow['hold'] = () => {
    const [reached, gate] = [signal(), signal()]
    next = { reach: reached.give, gate: gate.given }
    return { reached: reached.given, letGo: gate.give }
  }
  return { lab: await createIdentityLab({ identity: { derive } }), hold }
}

async function reset(lab: IdentityLab): Promise<void> {
  await lab.post('auth/password/forgot', { email: ANA })
  const done = await lab.post('auth/password/reset', { token: await lab.tokenTo(ANA), password: OTHER, mode: 'bearer' })
  expect(done.status, done.text).toBe(200)
}

/** A thief's sign-in with the old password, overtaken by the owner's reset. */
async function overtaken({ lab, hold }: Slow) {
  const held = hold()
  const thief = lab.login(ANA, PASSWORD, { address: '198.51.100.9' })
  await held.reached
  await lab.time.advance(SECOND)
  await reset(lab)
  held.letGo()
  return thief
}

test('a sign-in with the old password that a reset overtakes opens no session that survives it (S49)', async () => {
  const slow = await slowHashes()
  const ana = await slow.lab.addPerson(ANA)
  const thief = await overtaken(slow)
  expect([thief.status, thief.json.code]).toEqual([401, 'sign_in_refused'])
  expect(thief.headers['evergrant-device']).toBeUndefined()
  expect(await slow.lab.store.sessions.listOf(ana.id)).toEqual([])
  expect((await slow.lab.login(ANA, OTHER)).status).toBe(200)
})

test('a second step that began with the old password leads nowhere after a reset (S49, S60)', async () => {
  const slow = await slowHashes()
  const { lab } = slow
  const ana = await lab.addPerson(ANA)
  const token = (await lab.login(ANA)).json.access_token
  const { id, secret } = (await lab.post('users/me/factors/totp', {}, { token })).json
  const code = () => new TOTP({ secret }).generate({ timestamp: lab.time.clock.wall() })
  await lab.post(`users/me/factors/${id}/confirm`, { code: code() }, { token })
  await lab.time.advance(MINUTE)
  const late = await overtaken(slow)
  expect(late.json.code).toBe('second_factor_required')
  const refused = await lab.post('auth/login/second-factor', { ticket: late.json.ticket, code: code() })
  expect([refused.status, refused.json.code]).toEqual([401, 'sign_in_refused'])
  expect(await lab.store.sessions.listOf(ana.id)).toEqual([])
  const own = await lab.login(ANA, OTHER)
  expect((await lab.post('auth/login/second-factor', { ticket: own.json.ticket, code: code() })).status, 'the code was not used up').toBe(200)
})

test('whoever proves to have the mailbox of an account for the first time also ends the ways in that its maker added', async () => {
  const { lab } = await slowHashes()
  const made = (await lab.call('POST', '/api/v1/users', { body: { email: ANA, password: PASSWORD, role: 'member' } })).json
  const identity = (subject: string) => ({ issuer: 'provider:acme', subject, user: made.id, createdAt: 0 })
  const added = () => ({
    id: `evt_${lab.services.entropy.uuid()}` as const,
    organization: lab.organization,
    type: 'user.identity_added' as const,
    at: 0,
    actor: { kind: 'user', id: made.id } as const,
    connection: null,
    subject: made.id,
    data: {},
  })
  await lab.store.users.addIdentity(identity('the maker'), added())
  await reset(lab)
  expect(await lab.store.users.identitiesOf(made.id)).toEqual([])
  expect((await lab.store.users.get(made.id))?.emailVerifiedAt).not.toBeNull()
  await lab.store.users.addIdentity(identity('the owner'), added())
  await lab.time.advance(MINUTE)
  await reset(lab)
  expect(await lab.store.users.identitiesOf(made.id), 'a later reset leaves what the owner added').toHaveLength(1)
})
