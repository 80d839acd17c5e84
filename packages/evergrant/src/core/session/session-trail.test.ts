// What an administrator reads afterwards: who opened, ended and misused which session, from where.
import { beforeEach, expect, test } from 'vitest'
import { createSessionLab, type SessionLab } from '../../testing/session-lab.ts'
import type { EventType } from '../audit/event.ts'
import type { SessionId } from '../ids.ts'
import { HOUR } from '../time.ts'
import type { Opened } from './session-service.ts'

const FIRST = { address: '203.0.113.7', userAgent: 'Browser 1' }
const ELSEWHERE = { address: '198.51.100.9', userAgent: 'Browser 2' }

let lab: SessionLab
beforeEach(async () => {
  lab = await createSessionLab()
})

const told = async (type: EventType, subject: SessionId) => {
  const { items } = await lab.store.events.list(lab.organization, { type, subject }, { limit: 10, cursor: null })
  for (const { actor } of items) expect(actor).toEqual({ kind: 'user', id: lab.ana.id })
  return items.map(({ data }) => data)
}
const idOf = ({ signedIn }: Opened): SessionId => signedIn.session.id
const isLive = async (opened: Opened): Promise<boolean> => (await lab.store.sessions.listOf(lab.ana.id)).some(({ id }) => id === idOf(opened))

test('a session and its tab say how and from where they were opened', async () => {
  const first = await lab.signIn('bearer')
  const tab = await lab.services.sessions.branch(first.signedIn, first.refreshCredential, ELSEWHERE)
  const opened = { mode: 'bearer', methods: ['pwd'] }
  expect(await told('session.opened', idOf(first))).toEqual([{ ...opened, parent: null, address: FIRST.address, user_agent: FIRST.userAgent }])
  expect(await told('session.opened', idOf(tab))).toEqual([{ ...opened, parent: idOf(first), address: ELSEWHERE.address, user_agent: ELSEWHERE.userAgent }])
})

test('each way to sign out says what it meant and from where it came', async () => {
  const { sessions } = lab.services
  const [here, kept, one, everywhere] = [await lab.signIn('cookie'), await lab.signIn('bearer'), await lab.signIn('bearer'), await lab.signIn('bearer')]
  const tab = await sessions.branch(kept.signedIn, kept.refreshCredential, FIRST)
  const { address } = ELSEWHERE
  expect(await sessions.signOut(here.refreshCredential, 'here', ELSEWHERE)).toBe(1)
  expect(await told('session.ended', idOf(here))).toEqual([{ scope: 'here', address }])
  expect(await sessions.endById(kept.signedIn, idOf(one), ELSEWHERE)).toBe(1)
  expect(await told('session.ended', idOf(one))).toEqual([{ scope: 'one', address }])
  expect(await sessions.signOut(tab.refreshCredential, 'others', ELSEWHERE)).toBe(1)
  expect(await told('session.ended', idOf(tab))).toEqual([{ scope: 'others', address }])
  expect([await isLive(everywhere), await isLive(kept), await isLive(tab)]).toEqual([false, true, true])
  expect(await sessions.signOut(kept.refreshCredential, 'everywhere', ELSEWHERE)).toBe(2)
  expect(await told('session.ended', idOf(kept))).toEqual([{ scope: 'everywhere', address }])
})

test('a session that a newer sign-in in the same browser replaces names its successor, and the successor stays', async () => {
  const { sessions } = lab.services
  const [old, other, now] = [await lab.signIn('cookie'), await lab.signIn('cookie'), await lab.signIn('cookie')]
  const texts = [old.refreshCredential, 'not ours', now.refreshCredential]
  expect(await sessions.replace(texts, idOf(now), ELSEWHERE)).toBe(1)
  expect(await told('session.ended', idOf(old))).toEqual([{ scope: 'replaced', by: idOf(now), address: ELSEWHERE.address }])
  expect([await isLive(old), await isLive(other), await isLive(now)]).toEqual([false, true, true])
  // Again, and with sessions that are forgotten: nothing more ends.
  expect(await sessions.replace(texts, idOf(now), ELSEWHERE)).toBe(0)
  expect(await told('session.ended', idOf(old))).toHaveLength(1)
})

test('when a device is one too many, the session that gives way says why', async () => {
  const first = await lab.signIn('bearer')
  for (let device = 0; device < 100; device += 1) {
    await lab.time.advance(1)
    await lab.signIn('bearer')
  }
  expect(await told('session.ended', idOf(first))).toEqual([{ scope: 'oldest_device' }])
})

test('a credential that is used twice says which, what was recorded, and both addresses; the person and the operators are told', async () => {
  const { sessions } = lab.services
  const first = await lab.signIn('bearer')
  const second = await sessions.refresh(first.refreshCredential, FIRST)
  const third = await sessions.refresh(second.refreshCredential, FIRST)
  await sessions.refresh(third.refreshCredential, FIRST)
  await lab.time.advance(HOUR)
  await expect(sessions.refresh(first.refreshCredential, ELSEWHERE)).rejects.toMatchObject({ code: 'session_reuse_detected' })
  expect(await told('session.reuse_detected', idOf(first))).toEqual([
    { presented: 1, recorded: 4, address: ELSEWHERE.address, address_before: FIRST.address, user_agent: ELSEWHERE.userAgent },
  ])
  // Who is refused does not become the last who was here.
  expect((await lab.store.sessions.get(idOf(first)))?.session).toMatchObject(FIRST)
})

test('a caller that says nothing of itself leaves what is known of the device', async () => {
  const { sessions } = lab.services
  const first = await lab.signIn('bearer')
  const next = await sessions.refresh(first.refreshCredential, { address: null, userAgent: null })
  expect(next.signedIn.session).toMatchObject(FIRST)
  const moved = await sessions.refresh(next.refreshCredential, { ...ELSEWHERE, userAgent: null })
  expect(moved.signedIn.session).toMatchObject({ address: ELSEWHERE.address, userAgent: FIRST.userAgent })
})

test('signing out of one device leaves the tabs of another', async () => {
  const { sessions } = lab.services
  const [laptop, phone] = [await lab.signIn('bearer'), await lab.signIn('bearer')]
  const tabs = [await sessions.branch(laptop.signedIn, laptop.refreshCredential, FIRST), await sessions.branch(phone.signedIn, phone.refreshCredential, FIRST)]
  expect(await sessions.signOut(tabs[0]?.refreshCredential ?? '', 'here', FIRST)).toBeGreaterThan(0)
  expect(await Promise.all([laptop, ...tabs, phone].map(isLive))).toEqual([false, false, true, true])
})

test('a credential of a session that is over has no say in the others, and one that is made up ends nothing', async () => {
  const { sessions } = lab.services
  const [over, other] = [await lab.signIn('bearer'), await lab.signIn('bearer')]
  await sessions.signOut(over.refreshCredential, 'here', FIRST)
  for (const scope of ['here', 'others', 'everywhere'] as const) {
    expect(await sessions.signOut(over.refreshCredential, scope, FIRST)).toBe(0)
    expect(await sessions.signOut('made up', scope, FIRST)).toBe(0)
  }
  expect(await isLive(other)).toBe(true)
})

test('the list of devices names each as it was signed in, with the time of its newest tab', async () => {
  const { sessions } = lab.services
  const laptop = await lab.signIn('bearer')
  await lab.time.advance(HOUR)
  const tab = await sessions.branch(laptop.signedIn, laptop.refreshCredential, ELSEWHERE)
  const listed = await sessions.list(lab.ana.id)
  expect(listed.map(({ id, address, issuedAt }) => [id, address, issuedAt])).toEqual([[idOf(laptop), FIRST.address, tab.signedIn.session.issuedAt]])
  expect(tab.signedIn.session.issuedAt).toBe(laptop.signedIn.session.issuedAt + HOUR)
})
