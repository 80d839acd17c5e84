// How long a session lasts that began at a provider, as docs/guides/sign-in-through-a-provider.md says it (ASVS 7.6.1).
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../../core/ids.ts'
import type { User } from '../../core/user/user.ts'
import { systemEntropy } from '../../system.ts'
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

/** As a link to its mailbox does it: with a new password, and without the accounts elsewhere. */
async function takeOver(user: User): Promise<void> {
  const event = (type: 'user.password_changed' | 'session.ended') => ({
    id: newId('evt', systemEntropy),
    organization: place.organization,
    type,
    at: user.updatedAt,
    actor: { kind: 'cli', id: null } as const,
    connection: null,
    subject: user.id,
    data: {},
  })
  const ending = { end: 'password_changed', except: null, tickets: [], identities: true, at: user.updatedAt, event: event('session.ended') } as const
  const claimed = { ...user, passwordHash: 'of the owner', passwordChangedAt: user.updatedAt + 1, version: user.version + 1 }
  expect(await place.store.users.update(claimed, event('user.password_changed'), ending)).toBe('updated')
}

test('an account that its owner takes over while somebody signs in through a provider lets nobody in', async () => {
  await signIn(place.browser(), 'intruder')
  const user = (await place.userOf('intruder')) ?? expect.fail()
  const { commit } = place.store.signIns
  const overtaken = vi.spyOn(place.store.signIns, 'commit').mockImplementation(async (request) => {
    const outcome = await commit(request)
    await takeOver(user)
    return outcome
  })
  try {
    const visitor = place.browser()
    await signIn(visitor, 'intruder')
    expect(await isSignedIn(visitor)).toBe(false)
    expect(await place.store.sessions.listOf(user.id)).toEqual([])
  } finally {
    overtaken.mockRestore()
  }
})

test('nor does it by the callback of a sign-in whose session was never opened', async () => {
  const visitor = place.browser()
  const begun = await visitor.post(`/auth/sign-in/${through}`, {})
  const callback = await visitor.consent(begun.location ?? '', 'early')
  const open = vi.spyOn(place.store.sessions, 'open').mockRejectedValueOnce(new Error('the process ended here'))
  try {
    expect((await visitor.follow(callback)).status).toBe(500)
  } finally {
    open.mockRestore()
  }
  await takeOver((await place.userOf('early')) ?? expect.fail())
  await visitor.follow(callback)
  expect(await isSignedIn(visitor)).toBe(false)
}, 15_000)
