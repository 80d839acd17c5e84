// The plans of those who are no readers: a person who wants it now, the due queue, the turn of a grant whose end is held.
import { describe, expect, test } from 'vitest'
import { grantRow } from '../../testing/grant-row.ts'
import type { Reuse } from '../provider/reuse.ts'
import { type PlanAsk, planRefresh, servable, suspicionOf } from './plan.ts'
import { protocolTimes } from './protocol-times.ts'

const times = protocolTimes()
const P0: Reuse = { class: 'P0', windowMs: 0, neverProbe: false }
const P4: Reuse = { class: 'P4', windowMs: 0, neverProbe: false }
const DUE: PlanAsk = { kind: 'due' }
const FORCE: PlanAsk = { kind: 'force' }
const HELD: PlanAsk = { kind: 'held_probe' }
const read: PlanAsk = { kind: 'read', minTtlMs: 0, rejectedGeneration: null }
const intent = 'itn_01900000-0000-7000-8000-000000000001' as const
const plan = (ask: PlanAsk, now: number, row = grantRow(), reuse = P4) => planRefresh({ row, reuse, ask, now }, times)

describe('the due queue', () => {
  test('renews in the background: for the coming end from soft_at on, and before it to keep the grant alive', () => {
    expect(plan(DUE, 2_499_999)).toEqual({ kind: 'refresh', reason: 'keep_alive', background: true })
    expect(plan(DUE, 2_500_000)).toEqual({ kind: 'refresh', reason: 'expiring', background: true })
    const endless = grantRow({ credential: { accessExpiresAt: null, softAt: null, hardAt: null } })
    expect(plan(DUE, 10 ** 12, endless)).toEqual({ kind: 'refresh', reason: 'keep_alive', background: true })
  })

  test('presents a suspect token as a question, also in the background', () => {
    const suspect = grantRow({ credential: { suspicion: { intent, at: 1_000, answered: false } } })
    expect(plan(DUE, 200_000, suspect, P0)).toEqual({ kind: 'refresh', reason: 'probe', background: true })
  })

  test('leaves a token that nothing can renew alone until its end', () => {
    const row = grantRow({ credential: { refreshToken: null } })
    expect(plan(DUE, 3_599_999, row)).toEqual({ kind: 'fresh' })
    expect(plan(DUE, 3_600_000, row)).toEqual({ kind: 'reconnect', code: 'connection_expired' })
  })
})

describe('a person who wants it now', () => {
  test('waits for the flight, however fresh the token is', () => {
    expect(plan(FORCE, 1)).toEqual({ kind: 'refresh', reason: 'forced', background: false })
  })

  test('waits for the later of the back-off and the moment at which a suspect token may be presented', () => {
    const suspect = { suspicion: { intent, at: 3_000_000, answered: false } }
    const late = grantRow({ credential: suspect, health: { nextAttemptAt: 3_550_000 } })
    expect(plan(FORCE, 3_200_000, late)).toEqual({ kind: 'wait', until: 3_550_000, code: 'outcome_unknown' })
    const early = grantRow({ credential: suspect, health: { nextAttemptAt: 3_100_000 } })
    expect(plan(FORCE, 3_050_000, early)).toEqual({ kind: 'wait', until: 3_480_000, code: 'outcome_unknown' })
  })
})

test('a reader who was refused with a token that nothing can renew is sent to its owner, and one who was refused with an older one is not', () => {
  const row = grantRow({ credential: { refreshToken: null, generation: 2, softAt: 1_000 } })
  expect(plan({ ...read, rejectedGeneration: 2 }, 2_000, row)).toEqual({ kind: 'reconnect', code: 'connection_expired' })
  expect(plan({ ...read, rejectedGeneration: 1 }, 2_000, row)).toEqual({ kind: 'fresh' })
})

test('a refused generation is renewed before anybody is answered', () => {
  expect(plan({ ...read, rejectedGeneration: 1 }, 1_000)).toEqual({ kind: 'refresh', reason: 'rejected', background: false })
})

describe('what may be handed out', () => {
  test('no token cannot be, whenever it would end', () => {
    expect(servable(grantRow({ credential: { accessToken: null } }), 0)).toBe(false)
    expect(servable(grantRow({ credential: { accessToken: null, accessExpiresAt: null } }), 0)).toBe(false)
  })

  test('the half of a life is counted from when the token was obtained', () => {
    const row = grantRow({ credential: { obtainedAt: 3_000_000 } })
    expect(servable(row, 3_299_999, 86_400_000)).toBe(true)
    expect(servable(row, 3_300_000, 86_400_000)).toBe(false)
  })
})

test('an open intent is a suspicion only when it is of this generation and nobody holds the lease', () => {
  const open = { id: intent, generation: 1, at: 500 }
  expect(suspicionOf(grantRow({ credential: { intent: open, generation: 2 } }), 1_000)).toBeNull()
  expect(suspicionOf(grantRow({ credential: { intent: open } }), 1_000)).toEqual({ intent, at: 500, answered: false })
  const lease = { owner: 'n', incarnation: 'i', epoch: 1, until: 1_001 }
  expect(suspicionOf(grantRow({ credential: { intent: open, lease } }), 1_000)).toBeNull()
})

describe('an access token that renews itself', () => {
  const refresh = { presents: 'access_token', minimumAgeSeconds: 86_400 } as const
  const MINUTE = 60_000
  const from = 86_400_000 + MINUTE
  const row = grantRow({ credential: { accessExpiresAt: 60 * 86_400_000, softAt: 1_000, hardAt: 2_000 } })
  const own = (ask: PlanAsk, now: number) => planRefresh({ row, reuse: P0, ask, now, refresh }, times)

  test('is not presented before the provider takes it: a background read is served, everybody else is told when', () => {
    expect(own(read, 1_000)).toEqual({ kind: 'fresh' })
    for (const ask of [DUE, FORCE]) expect(own(ask, from - 1)).toEqual({ kind: 'wait', until: from, code: 'refresh_too_early' })
    expect(own(read, 2_000)).toEqual({ kind: 'wait', until: from, code: 'refresh_too_early' })
    expect(own(DUE, from)).toMatchObject({ kind: 'refresh' })
  })

  test('has ended with itself: nothing is presented then', () => {
    for (const ask of [DUE, FORCE, read]) expect(own(ask, 60 * 86_400_000)).toEqual({ kind: 'reconnect', code: 'connection_expired' })
  })

  test('without a least age it is presented at any time of its life', () => {
    const anyTime = { ...refresh, minimumAgeSeconds: null }
    expect(planRefresh({ row, reuse: P0, ask: FORCE, now: 1, refresh: anyTime }, times)).toMatchObject({ kind: 'refresh', reason: 'forced' })
  })
})

describe('a grant whose end is held', () => {
  const fault = {
    code: 'deaths_held',
    at: 0,
    evidence: { intent: null, httpStatus: 400, providerCode: 'invalid_grant', providerText: null, answerHash: null },
  } as const
  const held = (credential: Parameters<typeof grantRow>[0] = {}) => grantRow({ connection: { fault }, ...credential })

  test('is asked about in its turn, and by nobody else', () => {
    expect(plan(HELD, 1_000, held())).toEqual({ kind: 'refresh', reason: 'probe', background: true })
    for (const ask of [DUE, FORCE]) expect(plan(ask, 1_000, held())).toEqual({ kind: 'wait', until: 1_000 + times.heldProbeMs, code: 'deaths_held' })
  })

  test('is not asked about before what it presented may be presented again, nor where it never may', () => {
    const suspect = held({ credential: { suspicion: { intent, at: 3_000_000, answered: false } } })
    const waiting = (now: number) => ({ kind: 'wait', until: now + times.heldProbeMs, code: 'deaths_held' })
    expect(plan(HELD, 3_479_999, suspect)).toEqual(waiting(3_479_999))
    expect(plan(HELD, 3_480_000, suspect)).toMatchObject({ kind: 'refresh', reason: 'probe' })
    expect(plan(HELD, 3_480_000, suspect, { ...P4, neverProbe: true })).toEqual(waiting(3_480_000))
  })
})
