import { beforeEach, describe, expect, test } from 'vitest'
import { createSessionLab, type SessionLab } from '../../testing/session-lab.ts'
import { Fault } from '../fault/fault.ts'
import { DAY, MINUTE } from '../time.ts'
import type { Session, SessionEnd } from './session.ts'
import { endedFault, endOf, refusalOf, SIGN_OUT_CODES } from './session-refusals.ts'

const NOBODY = { address: null, userAgent: null }

let lab: SessionLab
beforeEach(async () => {
  lab = await createSessionLab()
})

describe('opening and branching', () => {
  test('nobody is signed in to an organization that they are no member of', async () => {
    const organization = await lab.anotherOrganization()
    const opening = lab.services.sessions.open({ user: lab.ana, organization, mode: 'cookie', methods: ['pwd'], ...NOBODY })
    await expect(opening).rejects.toMatchObject({ code: 'role_missing' })
    expect(await lab.store.sessions.listOf(lab.ana.id)).toEqual([])
  })

  test('a branch that is made while its session ends is over, too', async () => {
    const first = await lab.signIn('bearer')
    lab.database.after = async (call) => {
      if (call !== 'sessions.open') return
      lab.database.after = null
      await lab.services.sessions.signOut(first.refreshCredential, 'here', NOBODY)
    }
    await expect(lab.services.sessions.branch(first.signedIn, first.refreshCredential, NOBODY)).rejects.toMatchObject({ code: 'session_signed_out' })
    expect(await lab.store.sessions.listOf(lab.ana.id)).toEqual([])
  })

  test('a person has a hundred devices at most: the one that was not used for longest gives way to a new one (S57)', async () => {
    const opened = []
    for (let device = 0; device < 100; device++) {
      opened.push(await lab.signIn('bearer'))
      await lab.time.advance(1)
    }
    const [first, second] = opened
    await lab.services.sessions.refresh(first?.refreshCredential ?? '', NOBODY)
    const tab = await lab.services.sessions.branch(opened[2]?.signedIn ?? expect.fail(), opened[2]?.refreshCredential ?? '', NOBODY)
    const newest = await lab.signIn('cookie')
    const live = (await lab.store.sessions.listOf(lab.ana.id)).map(({ id }) => id)
    expect(live).toHaveLength(101)
    expect(live).toEqual(expect.arrayContaining([newest, first, tab].map((one) => one?.signedIn.session.id)))
    expect(live).not.toContain(second?.signedIn.session.id)
    expect(await lab.services.sessions.list(lab.ana.id)).toHaveLength(100)
  })

  test('a branch neither outlives its session nor proves more than it did', async () => {
    const first = await lab.signIn('bearer')
    lab.time.setWall(lab.time.clock.wall() + 20 * DAY)
    const { signedIn } = await lab.services.sessions.branch(first.signedIn, first.refreshCredential, NOBODY)
    const { expiresAt, authenticatedAt, methods, parent, idleExpiresAt } = signedIn.session
    expect({ expiresAt, authenticatedAt, methods, parent }).toEqual({
      expiresAt: first.signedIn.session.expiresAt,
      authenticatedAt: first.signedIn.session.authenticatedAt,
      methods: ['pwd'],
      parent: first.signedIn.session.id,
    })
    expect(idleExpiresAt).toBe(lab.time.clock.wall() + 30 * DAY)
  })

  test.each([0, 1, 2])('tabs go on when the first one is over by itself and forgotten, and end together whichever asks: %i', async (asking) => {
    const { sessions } = lab.services
    const first = await lab.signIn('bearer')
    let tabs = [await sessions.branch(first.signedIn, first.refreshCredential, NOBODY), await sessions.branch(first.signedIn, first.refreshCredential, NOBODY)]
    for (let day = 0; day < 70; day += 14) {
      lab.time.setWall(lab.time.clock.wall() + 14 * DAY)
      tabs = await Promise.all(tabs.map(({ refreshCredential }) => sessions.refresh(refreshCredential, NOBODY)))
    }
    expect(await lab.store.sessions.purge(lab.time.clock.wall() - 30 * DAY, 10)).toBe(1)
    const asked = tabs[0] ?? first
    const third = await sessions.branch(asked.signedIn, asked.refreshCredential, NOBODY)
    expect(await sessions.list(lab.ana.id)).toHaveLength(1)
    const all = [...tabs, third]
    const elsewhere = await lab.signIn('bearer')
    expect(await sessions.end((all[asking] ?? first).signedIn.session, 'others', NOBODY)).toBe(1)
    await expect(sessions.refresh(elsewhere.refreshCredential, NOBODY)).rejects.toMatchObject({ code: 'session_signed_out' })
    expect(await sessions.signOut(all[asking]?.refreshCredential ?? '', 'here', NOBODY)).toBeGreaterThan(0)
    for (const { refreshCredential } of all) await expect(sessions.refresh(refreshCredential, NOBODY)).rejects.toMatchObject({ code: 'session_signed_out' })
  })

  test('who stole the credential of one tab and opened another with it loses both when the theft is seen: all tabs of the device end, and no other device', async () => {
    const { sessions } = lab.services
    const first = await lab.signIn('bearer')
    const tab = await sessions.branch(first.signedIn, first.refreshCredential, NOBODY)
    const elsewhere = await lab.signIn('bearer')
    const stolen = await sessions.refresh(tab.refreshCredential, NOBODY)
    const thiefs = await sessions.branch(stolen.signedIn, stolen.refreshCredential, NOBODY)
    await sessions.refresh(stolen.refreshCredential, NOBODY)
    await lab.time.advance(MINUTE)
    await expect(sessions.refresh(tab.refreshCredential, NOBODY)).rejects.toMatchObject({ code: 'session_reuse_detected' })
    for (const { refreshCredential } of [thiefs, first])
      await expect(sessions.refresh(refreshCredential, NOBODY)).rejects.toMatchObject({ code: 'session_reuse_detected' })
    expect((await sessions.refresh(elsewhere.refreshCredential, NOBODY)).generation).toBe(2)
  })

  test('the current credentials of a session are given again without a rotation', async () => {
    const opened = await lab.signIn('bearer')
    const current = await lab.services.sessions.current(opened.signedIn.session.id)
    expect([current.refreshCredential, current.generation]).toEqual([opened.refreshCredential, 1])
    await lab.services.sessions.signOut(opened.refreshCredential, 'here', NOBODY)
    await expect(lab.services.sessions.current(opened.signedIn.session.id)).rejects.toMatchObject({ code: 'session_signed_out' })
  })
})

test.each(['here', 'others', 'everywhere'] as const)(
  'an old credential that was copied has no say in the other sessions of its person: a sign-out with it (%s) is seen as theft',
  async (scope) => {
    const { sessions } = lab.services
    const [first, other] = [await lab.signIn('cookie'), await lab.signIn('cookie')]
    await sessions.refresh((await sessions.refresh(first.refreshCredential, NOBODY)).refreshCredential, NOBODY)
    await lab.time.advance(2 * MINUTE)
    expect(await sessions.signOut(first.refreshCredential, scope, NOBODY)).toBe(1)
    expect((await lab.store.sessions.get(first.signedIn.session.id))?.session.end).toBe('reuse_detected')
    expect((await sessions.refresh(other.refreshCredential, NOBODY)).generation).toBe(2)
  },
)

test('a sign-out with a copied credential while the store is away says so, and is no sign-out', async () => {
  const { sessions } = lab.services
  const first = await lab.signIn('cookie')
  await sessions.refresh((await sessions.refresh(first.refreshCredential, NOBODY)).refreshCredential, NOBODY)
  await lab.time.advance(2 * MINUTE)
  lab.database.after = (call) => {
    if (call === 'sessions.present') throw new Fault('store_unavailable')
  }
  await expect(sessions.signOut(first.refreshCredential, 'here', NOBODY)).rejects.toMatchObject({ code: 'store_unavailable' })
})

test('a sign-in stands though the session that the browser had before could not be ended', async () => {
  const [older, old, next] = [await lab.signIn('cookie'), await lab.signIn('cookie'), await lab.signIn('cookie')]
  let tries = 0
  lab.database.after = (call) => {
    tries += call === 'sessions.end' ? 1 : 0
    if (call === 'sessions.end' && tries === 1) throw new Fault('store_unavailable')
  }
  const texts = [older.refreshCredential, old.refreshCredential]
  expect(await lab.services.sessions.replace(texts, next.signedIn.session.id, NOBODY)).toBe(1)
  expect(tries).toBe(2)
})

test('of several credentials the genuine ones count, of one session the highest generation, the newest session first', async () => {
  const { sessions } = lab.services
  const [older, newer] = [await lab.signIn('cookie'), await lab.signIn('cookie')]
  const next = await sessions.refresh(older.refreshCredential, NOBODY)
  const texts = [older.refreshCredential, 'x', next.refreshCredential, newer.refreshCredential, `${newer.refreshCredential}x`]
  expect(sessions.genuine(texts)).toEqual([newer.refreshCredential, next.refreshCredential])
  expect(sessions.genuine([...texts].reverse())).toEqual([newer.refreshCredential, next.refreshCredential])
})

describe('why a session is over', () => {
  const ENDS: Readonly<Record<Exclude<SessionEnd, 'replaced'> | 'idle' | 'absolute', string>> = {
    signed_out: 'session_signed_out',
    signed_out_elsewhere: 'session_signed_out',
    password_changed: 'session_signed_out',
    ended_by_admin: 'session_revoked',
    user_disabled: 'session_revoked',
    membership_ended: 'session_revoked',
    erased: 'session_revoked',
    reuse_detected: 'session_reuse_detected',
    idle: 'session_expired',
    absolute: 'session_expired',
  }

  test.each(Object.entries(ENDS))('%s is told as %s, which signs a client out', (why, code) => {
    const fault = endedFault(why as keyof typeof ENDS)
    expect(fault.code).toBe(code)
    expect(SIGN_OUT_CODES.has(fault.code)).toBe(true)
    expect(fault.definition).toMatchObject({ status: 401, action: 'sign_in' })
  })

  test('replaced by a newer sign-in in the same browser is told as a stale token, which signs nobody out', () => {
    const fault = endedFault('replaced')
    expect(fault.code).toBe('access_token_expired')
    expect(SIGN_OUT_CODES.has(fault.code)).toBe(false)
  })

  test('exactly the five codes of the contract sign a client out', () => {
    expect([...SIGN_OUT_CODES].sort()).toEqual(['session_expired', 'session_missing', 'session_reuse_detected', 'session_revoked', 'session_signed_out'])
  })

  test('a session lives until the millisecond of its end', () => {
    const session: Pick<Session, 'revokedAt' | 'end' | 'idleExpiresAt' | 'expiresAt'> = { revokedAt: null, end: null, idleExpiresAt: 10, expiresAt: 20 }
    expect([endOf(session, 9), endOf(session, 10), endOf(session, 20), endOf({ ...session, revokedAt: 5, end: 'erased' }, 3)]).toEqual([
      null,
      'idle',
      'absolute',
      'erased',
    ])
  })

  test('somebody who is disabled or no member may not go on, whatever their session says', async () => {
    const { signedIn } = await lab.signIn('cookie')
    const now = lab.time.clock.wall()
    expect(refusalOf(signedIn, now)).toBeNull()
    expect(refusalOf({ ...signedIn, user: { ...signedIn.user, disabledAt: now } }, now)?.code).toBe('session_revoked')
    expect(refusalOf({ ...signedIn, role: null }, now)?.code).toBe('session_revoked')
  })
})

describe('what is not there any more', () => {
  const GONE = 'ses_01890000-0000-7000-8000-000000000001'

  test('a text that is no credential of ours, and a session that nobody knows', async () => {
    const { sessions } = lab.services
    await expect(sessions.refresh('nothing of ours', NOBODY)).rejects.toMatchObject({ code: 'session_missing' })
    await expect(sessions.current(GONE)).rejects.toMatchObject({ code: 'session_expired' })
  })

  test('an organization that is gone ends what was signed in to it', async () => {
    const { signedIn } = await lab.signIn('bearer')
    const session = { ...signedIn.session, organization: 'org_01890000-0000-7000-8000-000000000001' as const }
    await expect(lab.services.sessions.organizationOf({ session })).rejects.toMatchObject({ code: 'session_revoked' })
  })
})
