import { expect, test, vi } from 'vitest'
import { newId } from '../../core/ids.ts'
import type { User } from '../../core/user/user.ts'
import { PASSWORD, sharedIdentityLab } from '../../testing/identity-lab.ts'

const visit = sharedIdentityLab()

test.each([
  ['confirmed', true],
  ['never confirmed', false],
])('nobody brings an external id into another organization, where it may name the owner of connections: an account %s', async (_what, confirmed) => {
  const { lab, BEN } = await visit()
  const elsewhere = await lab.keyFor(['admin'], await lab.anotherOrganization())
  const made = (await lab.call('POST', '/api/v1/users', { key: elsewhere, body: { email: BEN, password: PASSWORD, role: 'member' } })).json
  if (confirmed) {
    const { access_token: token } = (await lab.login(BEN)).json
    await lab.post('auth/verify-email/send', {}, { token })
    expect((await lab.post('auth/verify-email', { token: await lab.tokenTo(BEN), mode: 'bearer' })).json).toEqual({ verified: true })
  }
  const name = (external_id: string | null) => lab.call('PATCH', `/api/v1/users/${made.id}`, { key: elsewhere, body: { external_id } })
  expect((await name('owner-1')).json.external_id).toBe('owner-1')
  await lab.call('POST', '/api/v1/users/invitations', { body: { email: BEN, role: 'member' } })
  const accept = async (token: string) => lab.post('auth/invitations/accept', { token, password: OTHER, mode: 'bearer' })
  const token = await lab.tokenTo(BEN)
  const refused = await accept(token)
  expect([refused.status, refused.json.code]).toEqual([409, 'conflict'])
  expect(refused.json.detail).toContain('external id')
  expect((await lab.store.users.membershipsOf(made.id)).map(({ organization }) => organization)).not.toContain(lab.organization)
  expect((await lab.login(BEN)).status, 'nothing was changed').toBe(200)
  expect((await name(null)).json.external_id).toBeNull()
  expect((await accept(token)).status, 'the invitation was not used up').toBe(200)
  expect((await lab.store.users.membershipsOf(made.id)).map(({ organization }) => organization)).toContain(lab.organization)
})

test.each([
  ['confirmed', true],
  ['never confirmed', false],
])('nor one that is given while the link of an invitation is used: an account %s', async (_what, confirmed) => {
  const { lab, BEN } = await visit()
  const elsewhere = await lab.anotherOrganization()
  const cli = { kind: 'cli', id: null } as const
  const membership = { organization: elsewhere, role: 'member' } as const
  const ben = await lab.services.identity.joining.create({ email: BEN, name: null, password: PASSWORD }, membership, cli)
  let version = ben.version
  const store = async (changes: Partial<User>) => {
    version += 1
    const event = {
      id: newId('evt', lab.services.entropy),
      organization: elsewhere,
      type: 'user.updated',
      at: 1,
      connection: null,
      subject: ben.id,
      data: {},
    } as const
    expect(await lab.store.users.update({ ...ben, ...changes, version }, { ...event, actor: cli })).toBe('updated')
  }
  const verified = { emailVerifiedAt: confirmed ? 1 : null }
  await store(verified)
  await lab.call('POST', '/api/v1/users/invitations', { body: { email: BEN, role: 'member' } })
  const token = await lab.tokenTo(BEN)
  const { byEmail } = lab.store.users
  const looked = vi.spyOn(lab.store.users, 'byEmail').mockImplementation(async (email) => {
    const found = await byEmail(email)
    if (version === 2) await store({ ...verified, externalId: `owner of ${BEN}` })
    return found
  })
  try {
    const refused = await lab.post('auth/invitations/accept', { token, password: OTHER, mode: 'bearer' })
    expect([refused.status, refused.json.code]).toEqual([409, 'conflict'])
  } finally {
    looked.mockRestore()
  }
  expect((await lab.store.users.membershipsOf(ben.id)).map(({ organization }) => organization)).toEqual([elsewhere])
})
const OTHER = 'seven lanterns by the harbour'
