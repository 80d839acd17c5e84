import { describe, expect, test } from 'vitest'
import { grantRow } from '../../testing/grant-row.ts'
import type { Reuse } from '../provider/reuse.ts'
import { type PlanAsk, planRefresh, suspicionOf } from './plan.ts'
import { protocolTimes } from './protocol-times.ts'

const times = protocolTimes()
const P4: Reuse = { class: 'P4', windowMs: 0, neverProbe: false }
const P0: Reuse = { class: 'P0', windowMs: 0, neverProbe: false }
const P1: Reuse = { class: 'P1', windowMs: 30_000, neverProbe: false }
const read: PlanAsk = { kind: 'read', minTtlMs: 0, rejectedGeneration: null }
const intent = 'itn_01900000-0000-7000-8000-000000000001' as const
const MINUTE = 60_000

describe('a read', () => {
  const plan = (now: number, row = grantRow(), reuse = P4, ask: PlanAsk = read) => planRefresh({ row, reuse, ask, now }, times)

  test('before soft_at serves the stored token', () => {
    expect(plan(2_499_999)).toEqual({ kind: 'fresh' })
  })

  test('from soft_at on renews in the background', () => {
    expect(plan(2_500_000)).toEqual({ kind: 'refresh', reason: 'expiring', background: true })
  })

  test('from hard_at on waits for the flight', () => {
    expect(plan(3_420_000)).toEqual({ kind: 'refresh', reason: 'expiring', background: false })
  })

  test('at the very millisecond of expiry finds the token expired', () => {
    expect(plan(3_599_999)).toMatchObject({ reason: 'expiring' })
    expect(plan(3_600_000)).toEqual({ kind: 'refresh', reason: 'expired', background: false })
  })

  test('min_ttl is capped at half the lifetime, so that a greedy caller cannot refresh for ever', () => {
    expect(plan(1_000_000, grantRow(), P4, { ...read, minTtlMs: 86_400_000 })).toEqual({ kind: 'fresh' })
    expect(plan(1_800_000, grantRow(), P4, { ...read, minTtlMs: 86_400_000 })).toMatchObject({ kind: 'refresh', reason: 'expired' })
  })

  test('a rejected generation refreshes only while it is current', () => {
    expect(plan(1_000, grantRow(), P4, { ...read, rejectedGeneration: 1 })).toMatchObject({ kind: 'refresh', reason: 'rejected' })
    expect(plan(1_000, grantRow({ credential: { generation: 2 } }), P4, { ...read, rejectedGeneration: 1 })).toEqual({ kind: 'fresh' })
  })

  test('a token without an end is fresh for ever', () => {
    const row = grantRow({ credential: { accessExpiresAt: null, softAt: null, hardAt: null, refreshToken: null } })
    expect(plan(10 ** 12, row)).toEqual({ kind: 'fresh' })
  })

  test('an expired token without a refresh token can only be reconnected', () => {
    expect(plan(3_600_000, grantRow({ credential: { refreshToken: null } }))).toEqual({ kind: 'reconnect', code: 'connection_expired' })
  })

  test('back-off makes it wait, with the reason of the last failure', () => {
    const row = grantRow({ health: { failures: 2, nextAttemptAt: 3_700_000 } })
    expect(plan(3_600_000, row)).toEqual({ kind: 'wait', until: 3_700_000, code: 'provider_unavailable' })
    expect(plan(3_700_000, row)).toMatchObject({ kind: 'refresh' })
  })

  test('a paused, disconnected or dead connection is never refreshed', () => {
    expect(plan(0, grantRow({ connection: { state: 'paused' } }))).toEqual({ kind: 'reconnect', code: 'connection_paused' })
    expect(plan(0, grantRow({ connection: { state: 'disconnected' } }))).toEqual({ kind: 'reconnect', code: 'connection_disconnected' })
    expect(plan(0, grantRow({ connection: { state: 'needs_reauth' } }))).toEqual({ kind: 'reconnect', code: 'connection_revoked' })
  })
})

describe('a suspect refresh token', () => {
  const suspicion = { intent, at: 3_000_000, answered: false }
  const row = grantRow({ credential: { suspicion } })

  test('at P0 is presented again at once', () => {
    expect(planRefresh({ row, reuse: P0, ask: read, now: 3_600_000 }, times)).toMatchObject({ kind: 'refresh', reason: 'probe' })
  })

  test('at P4 waits until shortly before the access token ends, however often somebody forces it', () => {
    const forced = planRefresh({ row, reuse: P4, ask: { kind: 'force' }, now: 3_200_000 }, times)
    expect(forced).toEqual({ kind: 'wait', until: 3_600_000 - 2 * MINUTE, code: 'outcome_unknown' })
    expect(planRefresh({ row, reuse: P4, ask: { kind: 'force' }, now: 3_480_000 }, times)).toMatchObject({ kind: 'refresh', reason: 'probe' })
  })

  test('at P4 never before the orphan request must be dead', () => {
    const late = grantRow({ credential: { suspicion: { ...suspicion, at: 3_590_000 } } })
    expect(planRefresh({ row: late, reuse: P4, ask: read, now: 3_600_000 }, times)).toEqual({
      kind: 'wait',
      until: 3_590_000 + 135_000,
      code: 'outcome_unknown',
    })
  })

  test('at P1 is presented again while the window is open, and treated like P4 afterwards', () => {
    expect(planRefresh({ row, reuse: P1, ask: { kind: 'due' }, now: 3_001_000 }, times)).toMatchObject({ kind: 'refresh', reason: 'probe' })
    expect(planRefresh({ row, reuse: P1, ask: { kind: 'due' }, now: 3_023_400 }, times)).toMatchObject({ kind: 'wait', until: 3_480_000 })
  })

  test('where a second presentation punishes other grants, it is not presented; at the end only a reconnect helps', () => {
    const reuse: Reuse = { ...P4, neverProbe: true }
    expect(planRefresh({ row, reuse, ask: { kind: 'due' }, now: 3_300_000 }, times)).toMatchObject({ kind: 'wait', code: 'outcome_unknown' })
    expect(planRefresh({ row, reuse, ask: read, now: 3_600_000 }, times)).toEqual({ kind: 'reconnect', code: 'refresh_outcome_lost' })
  })

  test('where it is never presented again, no clock ends the grant while the lease of whoever sent it stands', () => {
    const reuse: Reuse = { ...P4, neverProbe: true }
    const lease = { owner: 'n', incarnation: 'i', epoch: 1, until: 3_030_000 }
    const orphan = grantRow({ credential: { ...row.credential, suspicion: null, intent: { id: intent, generation: 1, at: 3_000_000 }, lease } })
    const late = { reuse, ask: read, now: 9_000_000 }
    expect(planRefresh({ row: orphan, ...late }, times)).toEqual({ kind: 'wait', until: 9_000_000 + times.leaseMs, code: 'outcome_unknown' })
    const freed = grantRow({ credential: { ...orphan.credential, intent: null, lease: null, suspicion: { intent, at: 3_000_000, answered: false } } })
    expect(planRefresh({ row: freed, ...late }, times)).toEqual({ kind: 'reconnect', code: 'refresh_outcome_lost' })
  })

  test('an open intent whose lease is over is a suspicion of its own', () => {
    const orphan = grantRow({
      credential: { intent: { id: intent, generation: 1, at: 500 }, lease: { owner: 'n', incarnation: 'i', epoch: 1, until: 1_000 } },
    })
    expect(suspicionOf(orphan, 999)).toBeNull()
    expect(suspicionOf(orphan, 1_000)).toEqual({ intent, at: 500, answered: false })
  })
})

describe('a static secret', () => {
  const reuse: Reuse = { ...P0, credentials: true }
  const row = grantRow({ credential: { accessExpiresAt: null, softAt: null, hardAt: null, refreshToken: null } })
  const ending = grantRow({ credential: { softAt: null, hardAt: null, refreshToken: null } })

  test('is served for ever, and asks for a new one when it is refused', () => {
    expect(planRefresh({ row, reuse, ask: read, now: 10 ** 12 }, times)).toEqual({ kind: 'fresh' })
    expect(planRefresh({ row, reuse, ask: { ...read, rejectedGeneration: 1 }, now: 0 }, times)).toEqual({ kind: 'reconnect', code: 'new_credentials_needed' })
  })

  test('cannot be refreshed, and asks for a new one after its end', () => {
    expect(planRefresh({ row, reuse, ask: { kind: 'force' }, now: 0 }, times)).toEqual({ kind: 'reconnect', code: 'refresh_not_supported' })
    for (const ask of [read, { kind: 'due' }, { kind: 'force' }] as const)
      expect(planRefresh({ row: ending, reuse, ask, now: 3_600_000 }, times)).toEqual({ kind: 'reconnect', code: 'new_credentials_needed' })
  })

  test('that ended by a clock that was wrong goes on when the clock agrees no more; one that was refused does not', () => {
    const ended = (evidence: { httpStatus: number | null; providerCode: string | null }) => {
      const fault = { code: 'new_credentials_needed', at: 0, evidence: { intent: null, providerText: null, answerHash: null, ...evidence } } as const
      return grantRow({ connection: { state: 'needs_reauth', fault }, credential: ending.credential })
    }
    const plan = (stopped: ReturnType<typeof ended>, now: number) => planRefresh({ row: stopped, reuse, ask: read, now }, times).kind
    expect(plan(ended({ httpStatus: null, providerCode: null }), 1_000)).toBe('fresh')
    expect(plan(ended({ httpStatus: null, providerCode: null }), 3_600_000)).toBe('reconnect')
    expect(plan(ended({ httpStatus: 401, providerCode: null }), 1_000)).toBe('reconnect')
    expect(plan(ended({ httpStatus: null, providerCode: 'told_by_caller' }), 1_000)).toBe('reconnect')
  })
})
