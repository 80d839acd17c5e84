// Joining without an invitation, where the switch is on: a letter for everybody who asks, and an account only behind its link.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPeoplePages, PASSWORD, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
let invited: PeoplePages
beforeAll(async () => {
  place = await openPeoplePages({ env: { EVERGRANT_SIGN_UP: 'open' } })
  invited = await openPeoplePages()
}, 60_000)
afterAll(async () => {
  await place.close()
  await invited.close()
})

test('the sign-in page leads to it where people may join, and nowhere else', async () => {
  expect((await place.browser().get('/auth/sign-in')).body).toContain('href="/auth/sign-up"')
  expect((await place.browser().get('/auth/sign-in?organization=another')).body).not.toContain('/auth/sign-up')
  expect((await invited.browser().get('/auth/sign-in')).body).not.toContain('/auth/sign-up')
  const closed = await invited.browser().get('/auth/sign-up')
  expect(closed.status).toBe(403)
  expect(closed.body).toContain('New people join by invitation')
  expect((await invited.browser().post('/auth/sign-up', { email: 'ana@example.com' })).status).toBe(403)
})

test('whoever has an account is answered like somebody new, and looking makes no account', async () => {
  await place.person('known@example.com')
  for (const email of ['known@example.com', ' New@Example.com ']) {
    const visitor = place.browser()
    expect((await visitor.get('/auth/sign-up')).body).toContain('Your name')
    const seen = await visitor.post('/auth/sign-up', { email, name: 'Ana\u0000 \ud800' })
    expect([seen.status, seen.location]).toEqual([303, '/auth/sign-up?done=signing_up'])
    expect((await visitor.follow(seen)).body).toContain('A letter is on its way')
    expect(visitor.cookies.size).toBe(0)
  }
  expect(await place.store.users.byEmail('new@example.com')).toBeUndefined()
})

test('what is no address is said beside its field, with everything that was typed kept', async () => {
  for (const email of ['no address', 'a@b@example.com', 'tab\t@example.com']) {
    const seen = await place.browser().post('/auth/sign-up', { email, name: 'Ana' })
    expect(seen.status).toBe(400)
    expect(seen.body).toContain('This is no e-mail address')
    expect(seen.body).toContain('value="Ana"')
  }
})

test('a form of another site asks for no letter (S53)', async () => {
  expect((await place.browser().postFrom('https://evil.example', '/auth/sign-up', { email: 'victim@example.com' })).status).toBe(403)
})

test('a person who joined is signed in by the link, and by their password after that', async () => {
  const token = await place.parts.services.identity.accounts.issue('sign_up', null, place.organization, { email: 'eve@example.com', name: 'Eve' })
  const visitor = place.browser()
  await visitor.follow(await visitor.post('/auth/verify', { token }))
  const done = await visitor.post('/auth/verify', { step: 'finish', password: PASSWORD })
  expect(done.location).toBe('/me?done=welcome')
  expect((await visitor.get('/me')).status).toBe(200)
  await place.signedIn('eve@example.com')
})
