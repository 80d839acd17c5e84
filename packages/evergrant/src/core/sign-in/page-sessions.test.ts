import { beforeEach, expect, test } from 'vitest'
import { testSeal } from '../../testing/seal.ts'
import { createSessionLab, type SessionLab } from '../../testing/session-lab.ts'
import { DAY, MINUTE } from '../time.ts'
import { PageSessions } from './page-sessions.ts'

const FACTS = { address: '203.0.113.9', userAgent: null }

let lab: SessionLab
let pages: PageSessions
beforeEach(async () => {
  lab = await createSessionLab()
  pages = new PageSessions({ seal: testSeal(), sessions: lab.store.sessions, service: lab.services.sessions, clock: lab.time.clock })
})

test('a page sees who the cookie says, rotates nothing, and notes that this generation was seen', async () => {
  const { refreshCredential, signedIn } = await lab.signIn('cookie')
  expect((await pages.look([refreshCredential], FACTS))?.user.id).toBe(lab.ana.id)
  const now = await lab.store.sessions.get(signedIn.session.id)
  expect(now?.session).toMatchObject({ generation: 1 })
  expect(now?.session.usedAt).not.toBeNull()
})

test('the credential before the last rotation is honest for a moment: pages load side by side', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  await lab.services.sessions.refresh(refreshCredential, FACTS)
  expect((await pages.look([refreshCredential], FACTS))?.user.id).toBe(lab.ana.id)
})

test('an old one that comes back after its successor was seen ends the session for everybody who holds it', async () => {
  const { refreshCredential: stolen } = await lab.signIn('cookie')
  const own = await lab.services.sessions.refresh(stolen, FACTS)
  expect(await pages.look([own.refreshCredential], FACTS)).not.toBeNull()
  await lab.time.advance(10 * MINUTE)
  expect(await pages.look([stolen], FACTS)).toBeNull()
  expect(await pages.look([own.refreshCredential], FACTS)).toBeNull()
  const { items } = await lab.store.events.list(lab.organization, { type: 'session.reuse_detected' }, { limit: 5, cursor: null })
  expect(items).toHaveLength(1)
})

test('a forged text costs no look at the database, and a bearer session is nobody on a page', async () => {
  const { refreshCredential } = await lab.signIn('bearer')
  expect(await pages.look([refreshCredential], FACTS)).toBeNull()
  lab.database.asked.length = 0
  expect(await pages.look([`${refreshCredential.slice(0, -4)}AAAA`, 'x'.repeat(500)], FACTS)).toBeNull()
  expect(lab.database.asked).toEqual([])
})

test('while the database is away nobody is taken for signed out', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  lab.database.down = true
  await expect(pages.look([refreshCredential], FACTS)).rejects.toMatchObject({ code: 'store_unavailable' })
})

test('who uses pages alone gets new credentials once a day', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  const person = await pages.look([refreshCredential], FACTS)
  expect(person && (await pages.renew([refreshCredential], person, FACTS))).toBeNull()
  await lab.time.advance(DAY)
  const later = await pages.look([refreshCredential], FACTS)
  expect(later && (await pages.renew([refreshCredential], later, FACTS))?.generation).toBe(2)
})
