// A link is used up with what it was for, or not at all: whoever met a crash follows it once more.
import { beforeAll, expect, test } from 'vitest'
import { createIdentityLab, type IdentityLab, PASSWORD } from '../../testing/identity-lab.ts'

const OTHER = 'another kettle battery orbit'

let lab: IdentityLab
beforeAll(async () => {
  lab = await createIdentityLab()
})

/** The next write of this kind is lost as in a crash: it never happened. */
function crashNext(write: 'insert' | 'addMember' | 'update'): void {
  const { users } = lab.store
  const original = users[write]
  const lost = async () => {
    Object.assign(users, { [write]: original })
    throw new Error('the process ended here')
  }
  Object.assign(users, { [write]: lost })
}

async function invited(email: string): Promise<string> {
  const answer = await lab.call('POST', '/api/v1/users/invitations', { body: { email, role: 'viewer' } })
  expect(answer.status, answer.text).toBe(201)
  return lab.tokenTo(email)
}

const accept = (token: string) => lab.post('auth/invitations/accept', { token, password: OTHER, mode: 'bearer' })

test('an invitation of somebody new', async () => {
  const token = await invited('new@example.com')
  crashNext('insert')
  expect((await accept(token)).status).toBeGreaterThanOrEqual(500)
  expect((await accept(token)).json).toMatchObject({ user: { role: 'viewer', email: 'new@example.com' } })
  expect((await accept(token)).json.code).toBe('link_spent')
})

test('an invitation of somebody who has an account elsewhere', async () => {
  const elsewhere = await lab.anotherOrganization()
  const { id } = await lab.services.identity.joining.create(
    { email: 'known@example.com', name: null, password: PASSWORD },
    { organization: elsewhere, role: 'member' },
    { kind: 'cli', id: null },
  )
  const token = await invited('known@example.com')
  crashNext('addMember')
  expect((await accept(token)).status).toBeGreaterThanOrEqual(500)
  expect(await lab.store.users.membershipsOf(id)).toHaveLength(1)
  expect((await accept(token)).json).toEqual({ joined: true })
  expect(await lab.store.users.membershipsOf(id)).toHaveLength(2)
  expect((await accept(token)).json.code).toBe('link_spent')
})

test('an invitation that makes an account its owner’s, whoever made it', async () => {
  const elsewhere = await lab.anotherOrganization()
  const { id } = await lab.services.identity.joining.create(
    { email: 'claimed@example.com', name: null, password: PASSWORD },
    { organization: elsewhere, role: 'member' },
    { kind: 'api_key', id: 'key_maker' },
  )
  const token = await invited('claimed@example.com')
  crashNext('update')
  expect((await accept(token)).status).toBeGreaterThanOrEqual(500)
  expect(await lab.store.users.membershipsOf(id)).toHaveLength(1)
  expect((await accept(token)).json).toMatchObject({ user: { id, role: 'viewer' } })
  expect(await lab.store.users.membershipsOf(id)).toHaveLength(2)
  expect((await accept(token)).json.code).toBe('link_spent')
})

test('a link for a new password', async () => {
  await lab.addPerson('reset@example.com')
  await lab.post('auth/password/forgot', { email: 'reset@example.com' })
  const token = await lab.tokenTo('reset@example.com')
  const reset = () => lab.post('auth/password/reset', { token, password: OTHER, mode: 'bearer' })
  crashNext('update')
  expect((await reset()).status).toBeGreaterThanOrEqual(500)
  expect((await reset()).status).toBe(200)
  expect((await reset()).json.code).toBe('link_spent')
  expect((await lab.login('reset@example.com', OTHER)).status).toBe(200)
})
