import { expect, test } from 'vitest'
import { openVolatileStore } from '../../store/memory/volatile-store.ts'
import { createAccessLab, signedInAt } from '../../testing/access-lab.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { Fault } from '../fault/fault.ts'
import type { SessionId } from '../ids.ts'
import { DAY, MINUTE, SECOND } from '../time.ts'
import type { Role } from '../user/user.ts'
import type { Session } from './session.ts'
import { SessionGuard } from './session-guard.ts'
import type { Sessions, SignedIn } from './sessions.ts'

type Change = Parameters<typeof signedInAt>[1]

/** A guard over rows that a test changes as the store would: with an announcement. */
function open(changes: Change = {}, withoutStoreMs = 0) {
  const time = createManualTime()
  const access = createAccessLab({ store: openVolatileStore({ clock: time.clock, timers: time.timers }), time })
  const first = signedInAt(time.clock.wall(), changes)
  const rows = new Map<SessionId, SignedIn>([[first.session.id, first]])
  const marked: { session: SessionId; generation: number }[] = []
  const state = { reads: 0, fresh: true, fault: null as Fault | null, slow: null as Promise<void> | null }
  const sessions: Pick<Sessions, 'get' | 'markUsed'> = {
    get: async (id) => {
      state.reads += 1
      const found = rows.get(id)
      await state.slow
      if (state.fault !== null) throw state.fault
      return found
    },
    markUsed: async (marks) => {
      if (state.fault !== null) throw state.fault
      marked.push(...marks.map(({ session, generation }) => ({ session, generation })))
    },
  }
  const guard = new SessionGuard({ tokens: access.tokens, sessions, clock: time.clock, timers: time.timers, changesFresh: () => state.fresh, withoutStoreMs })
  const change = (
    altered: { session?: Partial<Session>; user?: Partial<SignedIn['user']>; role?: Role | null; factorDemanded?: boolean },
    announced = true,
  ): void => {
    const now = rows.get(first.session.id)
    if (now === undefined) throw new Error('the session is gone')
    rows.set(first.session.id, {
      session: { ...now.session, ...altered.session },
      user: { ...now.user, ...altered.user },
      role: altered.role === undefined ? now.role : altered.role,
      factorDemanded: altered.factorDemanded ?? now.factorDemanded,
    })
    if (!announced) return
    if (altered.session !== undefined) guard.forgetSession(first.session.id)
    else guard.forgetUser(first.user.id)
  }
  const issue = async (): Promise<string> => {
    const now = rows.get(first.session.id)
    return (await access.tokens.issue({ ...first, ...now, role: now?.role ?? first.role })).token
  }
  return { ...access, guard, rows, marked, state, change, issue, id: first.session.id, first }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'let in',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  )

test('a token is looked up once, and answered from memory from then on', async () => {
  const { guard, issue, state, id } = open()
  const token = await issue()
  expect(guard.peek(token)).toBe('unknown')
  expect(await guard.lookUp(token)).toMatchObject({ session: { id }, role: 'member', generation: 1 })
  for (let n = 0; n < 10; n += 1) expect(guard.peek(token)).toMatchObject({ session: { id }, role: 'member', generation: 1 })
  expect(state.reads).toBe(1)
})

test('a new token of a session that is known costs no read', async () => {
  const { guard, issue, state } = open()
  await guard.lookUp(await issue())
  await guard.lookUp(await issue())
  expect(state.reads).toBe(1)
})

test('those who ask for one session at the same time share one read', async () => {
  const { guard, issue, state } = open()
  const token = await issue()
  await Promise.all(Array.from({ length: 20 }, () => guard.lookUp(token)))
  expect(state.reads).toBe(1)
})

test('another role counts at once, whatever the token says (S102)', async () => {
  const { guard, issue, change } = open({ role: 'admin' })
  const token = await issue()
  expect(await guard.lookUp(token)).toMatchObject({ role: 'admin' })
  change({ role: 'viewer' })
  expect(await guard.lookUp(token)).toMatchObject({ role: 'viewer' })
  expect(guard.peek(token)).toMatchObject({ role: 'viewer' })
})

test.each([
  ['signed out', { session: { revokedAt: 1, end: 'signed_out' } }, 'session_signed_out'],
  ['signed out elsewhere', { session: { revokedAt: 1, end: 'signed_out_elsewhere' } }, 'session_signed_out'],
  ['ended by a new password', { session: { revokedAt: 1, end: 'password_changed' } }, 'session_signed_out'],
  ['ended by an administrator', { session: { revokedAt: 1, end: 'ended_by_admin' } }, 'session_revoked'],
  ['ended because a credential was used twice', { session: { revokedAt: 1, end: 'reuse_detected' } }, 'session_reuse_detected'],
  ['of a disabled user', { user: { disabledAt: 1 } }, 'session_revoked'],
  ['of somebody who left the organization', { role: null }, 'session_revoked'],
  ['idle for too long', { session: { idleExpiresAt: 1 } }, 'session_expired'],
  ['over', { session: { expiresAt: 1 } }, 'session_expired'],
] as const)('a session that is %s is refused at once, from memory and from the store (S49)', async (_title, altered, code) => {
  const { guard, issue, change } = open()
  const token = await issue()
  await guard.lookUp(token)
  change(altered)
  expect(await codeOf(guard.lookUp(token))).toBe(code)
  expect(guard.peek(token)).toMatchObject({ code })
})

test('time alone ends a remembered session', async () => {
  const { guard, issue, time } = open({ session: { idleExpiresAt: Date.UTC(2026, 0, 1) + MINUTE } })
  const token = await issue()
  await guard.lookUp(token)
  await time.advance(MINUTE)
  expect(guard.peek(token)).toMatchObject({ code: 'session_expired' })
})

test('a session that nobody knows any more has expired', async () => {
  const { guard, issue, rows, id } = open()
  const token = await issue()
  rows.delete(id)
  expect(await codeOf(guard.lookUp(token))).toBe('session_expired')
})

test('a token that is over, forged or of another organization signs nobody out', async () => {
  const { guard, issue, time, change } = open()
  const token = await issue()
  await guard.lookUp(token)
  expect(await codeOf(guard.lookUp(`${token.slice(0, -4)}AAAA`))).toBe('access_token_expired')
  expect(await codeOf(guard.lookUp('no token'))).toBe('access_token_expired')
  change({ session: { organization: 'org_01900000-0000-7000-8000-000000000000' } })
  expect(await codeOf(guard.lookUp(token))).toBe('access_token_expired')
  await time.advance(11 * MINUTE)
  expect(guard.peek(token)).toMatchObject({ code: 'access_token_expired' })
  expect(await codeOf(guard.lookUp(token))).toBe('access_token_expired')
})

test('an older generation goes on until its token ends, and is no sight of the current one', async () => {
  const { guard, issue, change, time, marked } = open()
  const token = await issue()
  change({ session: { generation: 2, previous: 1, recent: [{ generation: 2, from: 1, issuedAt: time.clock.wall() }] } })
  expect(await guard.lookUp(token)).toMatchObject({ generation: 1, session: { generation: 2 } })
  await time.advance(2 * SECOND)
  expect(marked).toEqual([])
})

test('a generation ahead of a restored database is let in, and noted when the record has followed', async () => {
  const { guard, issue, change, marked, time, id } = open({ session: { generation: 5 } })
  const token = await issue()
  change({ session: { generation: 3 } })
  expect(await guard.lookUp(token)).toMatchObject({ generation: 5 })
  await time.advance(2 * SECOND)
  expect(marked).toEqual([])
  change({ session: { generation: 5 } })
  await guard.lookUp(token)
  await time.advance(SECOND)
  expect(marked).toEqual([{ session: id, generation: 5 }])
})

test('the first use of a generation is written once, within a second, together with others', async () => {
  const { guard, issue, marked, time, id, change } = open()
  const token = await issue()
  await Promise.all(Array.from({ length: 10 }, () => guard.lookUp(token)))
  for (let n = 0; n < 10; n += 1) guard.peek(token)
  expect(marked).toEqual([])
  await time.advance(SECOND)
  expect(marked).toEqual([{ session: id, generation: 1 }])
  guard.peek(token)
  await time.advance(5 * SECOND)
  expect(marked).toHaveLength(1)
  change({ session: { generation: 2, previous: 1, usedAt: null } })
  await guard.lookUp(token)
  await time.advance(SECOND)
  expect(marked).toHaveLength(1)
  await guard.lookUp(await issue())
  await time.advance(SECOND)
  expect(marked).toEqual([
    { session: id, generation: 1 },
    { session: id, generation: 2 },
  ])
})

test('a use that was noted before is not noted again', async () => {
  const { guard, issue, marked, time } = open({ session: { usedAt: 1 } })
  await guard.lookUp(await issue())
  await time.advance(5 * SECOND)
  expect(marked).toEqual([])
})

test('a use that could not be written is written later', async () => {
  const { guard, issue, marked, time, state, id } = open()
  await guard.lookUp(await issue())
  state.fault = new Fault('store_unavailable')
  await time.advance(3 * SECOND)
  expect(marked).toEqual([])
  state.fault = null
  await time.advance(SECOND)
  expect(marked).toEqual([{ session: id, generation: 1 }])
})

test('an answer that was under way when a change came is not remembered', async () => {
  const { guard, issue, state, change } = open()
  const token = await issue()
  let land = () => {}
  state.slow = new Promise((resolve) => {
    land = resolve
  })
  const early = guard.lookUp(token)
  await expect.poll(() => state.reads).toBe(1)
  change({ session: { revokedAt: 1, end: 'signed_out' } })
  land()
  await early
  expect(guard.peek(token)).toBe('unknown')
  expect(await codeOf(guard.lookUp(token))).toBe('session_signed_out')
})

test.each(['person', 'organization', 'nobody knows what'] as const)(
  'an answer that was under way when something changed (%s) is not remembered, and its use is still written once',
  async (what) => {
    const { guard, issue, state, first, marked, time } = open()
    const token = await issue()
    const forget = () => {
      if (what === 'person') guard.forgetUser(first.user.id)
      else if (what === 'organization') guard.forgetOrganization(first.session.organization)
      else guard.forgetAll()
    }
    for (const reads of [1, 2]) {
      let land = () => {}
      state.slow = new Promise((resolve) => {
        land = resolve
      })
      const early = guard.lookUp(token)
      await expect.poll(() => state.reads).toBe(reads)
      forget()
      land()
      expect(await early).toMatchObject({ generation: 1 })
      expect(guard.peek(token)).toBe('unknown')
    }
    await time.advance(2 * SECOND)
    expect(marked).toEqual([{ session: first.session.id, generation: 1 }])
  },
)

test('when it cannot be told, the answer is that, and never a sign-out', async () => {
  const { guard, issue, state } = open()
  const token = await issue()
  state.fault = new Fault('store_unavailable')
  expect(await codeOf(guard.lookUp(token))).toBe('store_unavailable')
  state.fault = null
  expect(await codeOf(guard.lookUp(token))).toBe('let in')
})

test('a remembered session counts for a while when the store is away, and changes are not heard', async () => {
  const { guard, issue, state, time } = open({}, MINUTE)
  const token = await issue()
  await guard.lookUp(token)
  state.fault = new Fault('store_unavailable')
  state.fresh = false
  await time.advance(2 * SECOND)
  expect(guard.peek(token)).toBe('unknown')
  expect(await codeOf(guard.lookUp(token))).toBe('let in')
  await time.advance(MINUTE)
  expect(await codeOf(guard.lookUp(token))).toBe('store_unavailable')
})

test('while changes may be missed, memory is believed for a second', async () => {
  const { guard, issue, state, change, time } = open()
  const token = await issue()
  await guard.lookUp(token)
  state.fresh = false
  change({ session: { revokedAt: 1, end: 'signed_out' } }, false)
  expect(guard.peek(token)).toMatchObject({ generation: 1 })
  await time.advance(SECOND + 1)
  expect(guard.peek(token)).toBe('unknown')
  expect(await codeOf(guard.lookUp(token))).toBe('session_signed_out')
})

test('a session that is bound to a key needs a proof of that key', async () => {
  const { guard, issue } = open({ session: { keyThumbprint: 'thumb' } })
  const token = await issue()
  expect(await codeOf(guard.lookUp(token))).toBe('dpop_proof_invalid')
  expect(await codeOf(guard.lookUp(token, 'another'))).toBe('dpop_proof_invalid')
  expect(await codeOf(guard.lookUp(token, 'thumb'))).toBe('let in')
  expect(guard.peek(token)).toMatchObject({ code: 'dpop_proof_invalid' })
  expect(guard.peek(token, 'thumb')).toMatchObject({ generation: 1 })
  expect(guard.peek(token, 'not_asked')).toMatchObject({ generation: 1 })
})

test('a proof of identity counts for tokens that were issued after it, and for no older one', async () => {
  const { guard, issue, change, time } = open()
  const older = await issue()
  const before = (await guard.lookUp(older)).session.authenticatedAt
  await time.advance(MINUTE)
  const now = time.clock.wall()
  change({ session: { authenticatedAt: now } })
  const newer = await issue()
  expect((await guard.lookUp(newer)).session.authenticatedAt).toBe(now)
  expect((await guard.lookUp(older)).session.authenticatedAt).toBe(before)
})

test('a token of somebody else for this session is refused', async () => {
  const { guard, tokens, first } = open()
  const { token: text } = await tokens.issue({ ...first, user: signedInAt(first.session.createdAt).user })
  expect(await codeOf(guard.lookUp(text))).toBe('access_token_expired')
})

test('a session lives as long as its row says, not as long as the token', async () => {
  const { guard, issue, time } = open({ session: { expiresAt: Date.UTC(2026, 0, 1) + 200 * DAY } })
  await guard.lookUp(await issue())
  await time.advance(29 * DAY)
  expect(await codeOf(guard.lookUp(await issue()))).toBe('let in')
})

test('somebody who is no member of the organization any more is refused, with a session that is not over', async () => {
  const { guard, issue, change } = open()
  const token = await issue()
  change({ role: null })
  expect(await codeOf(guard.lookUp(token))).toBe('session_revoked')
})

test('a newer sight that came while a write failed is kept, and not put back by the older one', async () => {
  const { guard, issue, change, state, marked, first, time } = open()
  const older = await issue()
  await guard.lookUp(older)
  state.fault = new Fault('store_unavailable')
  const failing = guard.flush().catch(() => {})
  state.fault = null
  change({ session: { generation: 2, usedAt: null } })
  const newer = await issue()
  await guard.lookUp(newer)
  await failing
  await time.advance(2 * SECOND)
  expect(marked.at(-1)).toEqual({ session: first.session.id, generation: 2 })
  await guard.flush()
  expect(marked.filter(({ generation }) => generation === 2)).toHaveLength(1)
})

test('a change whose extent nobody knows makes the guard ask again', async () => {
  const { guard, issue, state } = open()
  const token = await issue()
  await guard.lookUp(token)
  expect(state.reads).toBe(1)
  guard.forgetAll()
  expect(guard.peek(token)).toBe('unknown')
  await guard.lookUp(token)
  expect(state.reads).toBe(2)
})
