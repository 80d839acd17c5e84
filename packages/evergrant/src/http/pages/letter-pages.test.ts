// The pages behind mailed links: the token goes from the fragment into a form, then into a cookie, and never into an address.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PageVisitor } from '../../testing/page-visitor.ts'
import { openPeoplePages, PASSWORD, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
beforeAll(async () => {
  place = await openPeoplePages()
}, 60_000)
afterAll(() => place.close())

const ACTOR = { kind: 'cli', id: null } as const
const tokenOf = (link: string): string => link.split('#')[1] ?? ''

async function inviteLink(email: string): Promise<string> {
  const { joining } = place.parts.services.identity
  return (await joining.invite({ organization: place.organization, email, role: 'operator', name: null, actor: ACTOR, inviter: null }, false)).link
}

/** What the script does with the fragment. */
async function read(path: string, token: string, visitor = place.browser()): Promise<PageVisitor> {
  const seen = await visitor.post(path, { token })
  expect([seen.status, seen.location]).toEqual([303, path])
  return visitor
}

describe('an invitation', () => {
  test('is read without being spent, then accepted with a password, which signs in', async () => {
    const link = await inviteLink('ana@example.com')
    expect(link).toMatch(/\/auth\/invitation#[A-Za-z0-9_-]{43}$/)
    const visitor = await read('/auth/invitation', tokenOf(link))
    for (let look = 0; look < 3; look += 1) expect((await visitor.get('/auth/invitation')).body).toContain('ana@example.com')
    const weak = await visitor.post('/auth/invitation', { step: 'finish', password: 'short', name: 'Ana' })
    expect(weak.status).toBe(422)
    expect(weak.body).toContain('value="Ana"')
    expect(weak.body).not.toContain('value="short"')
    const done = await visitor.post('/auth/invitation', { step: 'finish', password: PASSWORD, name: 'Ana' })
    expect([done.status, done.location]).toEqual([303, '/me?done=welcome'])
    expect((await visitor.follow(done)).body).toContain('Your account is ready')
    expect((await (await read('/auth/invitation', tokenOf(link))).get('/auth/invitation')).status).toBe(410)
  })

  test('of somebody who has an account asks for no password, and is no way past it', async () => {
    const user = await place.person('ben@example.com')
    const maker = await place.person('maker@example.com', 'owner')
    const { organization } = await place.parts.services.users.createOrganization(maker.id, { name: 'Elsewhere', slug: 'elsewhere' })
    const { joining } = place.parts.services.identity
    const { link } = await joining.invite(
      { organization: organization.id, email: 'ben@example.com', role: 'member', name: null, actor: ACTOR, inviter: null },
      false,
    )
    const visitor = await read('/auth/invitation', tokenOf(link))
    const page = await visitor.get('/auth/invitation')
    expect(page.body).toContain('Join Elsewhere')
    expect(page.body).not.toContain('type="password"')
    expect((await visitor.post('/auth/invitation', { step: 'finish' })).location).toBe('/auth/sign-in?done=joined')
    expect((await visitor.get('/me')).status).toBe(303)
    expect(await place.store.users.membershipsOf(user.id)).toHaveLength(2)
  })

  test('that is unknown, pasted whole or cut says so', async () => {
    const link = await inviteLink('pasted@example.com')
    const visitor = await read('/auth/invitation', link)
    expect((await visitor.get('/auth/invitation')).body).toContain('pasted@example.com')
    expect((await place.browser().post('/auth/invitation', { token: 'short' })).status).toBe(410)
    expect((await place.browser().get('/auth/invitation')).body).toContain('Code of your link')
  })

  test('is never taken from a form of another site', async () => {
    expect((await place.browser().postFrom('https://evil.example', '/auth/invitation', { token: tokenOf(await inviteLink('x@example.com')) })).status).toBe(403)
  })
})

describe('a forgotten password', () => {
  test('is answered alike for every address', async () => {
    await place.person('cleo@example.com')
    for (const email of ['cleo@example.com', 'nobody@example.com']) {
      const seen = await place.browser().post('/auth/forgot', { email })
      expect(seen.location).toBe('/auth/forgot?done=sent')
    }
    expect((await place.browser().get('/auth/forgot?done=sent')).body).toContain('If there is an account')
    expect((await place.browser().get('/auth/forgot?done=<b>')).body).not.toContain('<b>')
  })

  test('is chosen anew by the link, which signs nobody in and ends every session', async () => {
    const user = await place.person('dora@example.com')
    await place.signedIn('dora@example.com')
    const link = await place.parts.services.identity.accounts.resetFor(user.id, 'link')
    const visitor = await read('/auth/reset', tokenOf(link ?? ''))
    expect((await visitor.get('/auth/reset')).body).toContain('Choose a new password')
    const done = await visitor.post('/auth/reset', { step: 'finish', password: 'another kettle battery orbit' })
    expect(done.location).toBe('/auth/sign-in?done=password_changed')
    expect(await place.store.sessions.listOf(user.id)).toHaveLength(0)
    expect((await visitor.get('/me')).status).toBe(303)
    await place.signedIn('dora@example.com', 'another kettle battery orbit')
    expect((await (await read('/auth/reset', tokenOf(link ?? ''))).get('/auth/reset')).status).toBe(410)
  })
})

test('an address that nobody confirmed yet is confirmed by a letter that the page sends', async () => {
  const actor = { kind: 'api_key', id: 'key_x' } as const
  await place.parts.services.identity.joining.create(
    { email: 'new@example.com', name: null, password: PASSWORD },
    { organization: place.organization, role: 'member' },
    actor,
  )
  const visitor = await place.signedIn('new@example.com')
  expect((await visitor.get('/me/security')).body).toContain('not confirmed yet')
  expect((await visitor.post('/me/security/totp')).status).toBe(409)
  expect((await visitor.post('/me/security/verify')).location).toBe('/me/security?done=letter')
})

test('the first owner is made once, by the token of the start', async () => {
  const fresh = await openPeoplePages()
  try {
    const token = (await fresh.parts.services.identity.joining.setupToken()) ?? ''
    const visitor = await read('/auth/setup', token, fresh.browser())
    expect((await visitor.get('/auth/setup')).body).toContain('Make the first owner')
    expect((await visitor.post('/auth/setup', { step: 'finish', email: 'no address', password: PASSWORD })).status).toBe(400)
    const done = await visitor.post('/auth/setup', { step: 'finish', email: 'owner@example.com', password: PASSWORD, name: 'Olga' })
    expect(done.location).toBe('/console/welcome')
    expect((await fresh.store.users.list(fresh.organization, { limit: 5, cursor: null })).items.map(({ membership }) => membership.role)).toEqual(['owner'])
    expect((await (await read('/auth/setup', token, fresh.browser())).get('/auth/setup')).status).toBe(410)
  } finally {
    await fresh.close()
  }
}, 60_000)

test('no page of a letter puts its token into an address or a body', async () => {
  const token = tokenOf(await inviteLink('quiet@example.com'))
  const visitor = place.browser()
  const carried = await visitor.post('/auth/invitation', { token })
  expect(carried.location).not.toContain(token)
  expect((await visitor.get('/auth/invitation')).body).not.toContain(token)
})
