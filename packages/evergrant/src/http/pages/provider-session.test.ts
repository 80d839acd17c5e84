// How long a session lasts that began at a provider, as docs/guides/sign-in-through-a-provider.md says it (ASVS 7.6.1).
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PageVisitor } from '../../testing/page-visitor.ts'
import { openPeoplePages, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
let through: string
beforeAll(async () => {
  place = await openPeoplePages()
  through = await place.integrate('practice')
}, 60_000)
afterAll(() => place.close())

async function signIn(visitor: PageVisitor, account: string): Promise<void> {
  const begun = await visitor.post(`/auth/sign-in/${through}`, {})
  await visitor.follow(await visitor.consent(begun.location ?? '', account))
}

const isSignedIn = async (visitor: PageVisitor) => (await visitor.get('/me')).status === 200

test('what ends at the provider ends the connection and no session; a session that is over here begins at the provider again', async () => {
  const visitor = place.browser()
  await signIn(visitor, 'leaver')
  const user = await place.userOf('leaver')
  const connection = async () =>
    (await place.store.connections.list(place.organization, { owner: user?.id ?? '' }, { limit: 1, cursor: null })).items[0]?.connection
  for (const grant of place.practice.control.grants({ account: 'leaver' })) place.practice.control.revoke(grant.id)
  await place.services.engine.refresh(place.organization, (await connection())?.id ?? 'con_').catch(() => {})
  expect((await connection())?.state).toBe('needs_reauth')
  expect(await isSignedIn(visitor)).toBe(true)

  const [session] = await place.store.sessions.listOf(user?.id ?? 'usr_')
  if (session !== undefined) await place.services.sessions.end(session, 'here', { address: null, userAgent: null })
  expect(await isSignedIn(visitor)).toBe(false)
  const exchanged = place.practice.control.counts('p4').exchange
  await signIn(visitor, 'leaver')
  expect([await isSignedIn(visitor), place.practice.control.counts('p4').exchange]).toEqual([true, exchanged + 1])
  expect((await connection())?.state).toBe('active')
})
