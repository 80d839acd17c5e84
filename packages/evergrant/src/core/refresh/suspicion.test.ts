import { expect, test } from 'vitest'
import type { Reuse, ReuseClass } from '../provider/reuse.ts'
import { drainFor, leaseFor, protocolTimes } from './protocol-times.ts'
import { askAgainAt, deathMeansLostAnswer, openPresentation, presentableAt, windowOpen } from './suspicion.ts'

const times = protocolTimes()
const reuse = (name: ReuseClass, windowMs = 0): Reuse => ({ class: name, windowMs, neverProbe: false })
const suspicion = { intent: 'itn_01900000-0000-7000-8000-000000000001', at: 1_000_000, answered: false } as const

test('an answered error at P3 leaves no orphan, so only back-off delays the next try', () => {
  expect(presentableAt({ suspicion: { ...suspicion, answered: true }, reuse: reuse('P3'), accessExpiresAt: 9_000_000, now: 1_000_000 }, times)).toBe(1_000_000)
})

test('an answered error at P4 is probed ten minutes before expiry, or after the orphan wait when that is later', () => {
  const answered = { ...suspicion, answered: true }
  expect(presentableAt({ suspicion: answered, reuse: reuse('P4'), accessExpiresAt: 9_000_000, now: 1_000_000 }, times)).toBe(8_400_000)
  expect(presentableAt({ suspicion: answered, reuse: reuse('P4'), accessExpiresAt: 1_100_000, now: 1_000_000 }, times)).toBe(1_135_000)
})

test('silence at a strict provider is probed an hour later when the access token lives longer than that', () => {
  expect(presentableAt({ suspicion, reuse: reuse('PU'), accessExpiresAt: 40_000_000, now: 1_000_000 }, times)).toBe(4_600_000)
})

test('the window of P1 counts from the first presentation and closes at 0.8 of its length, slack included', () => {
  expect(windowOpen(suspicion, reuse('P1', 30_000), 1_023_399, times)).toBe(true)
  expect(windowOpen(suspicion, reuse('P1', 30_000), 1_023_400, times)).toBe(false)
  expect(windowOpen(suspicion, reuse('P4'), 1_000_000, times)).toBe(false)
})

test('a window that has closed is waited out from its last moment: a request may have left then', () => {
  const p1 = reuse('P1', 30_000)
  const asked = { suspicion, reuse: p1, accessExpiresAt: 1_030_000, now: 1_023_400 }
  expect(presentableAt(asked, times)).toBe(1_024_000 + times.orphanWaitMs)
  expect(presentableAt({ ...asked, reuse: reuse('P4') }, times)).toBe(1_000_000 + times.orphanWaitMs)
})

test('an answer without a new refresh token is asked for again half a window after an unanswered request, where that request may still arrive', () => {
  const p1 = reuse('P1', 600_000)
  expect(askAgainAt(suspicion, p1, 1_011_000)).toBe(1_300_000)
  expect(askAgainAt(suspicion, p1, 1_300_000)).toBeNull()
  expect(askAgainAt({ ...suspicion, answered: true }, p1, 1_011_000)).toBeNull()
  expect(askAgainAt(null, p1, 1_011_000)).toBeNull()
  expect(askAgainAt(suspicion, reuse('P2'), 1_011_000)).toBeNull()
})

test('a death after an unknown outcome means a lost answer only where a second presentation is not harmless', () => {
  const now = 1_500_000
  expect(['P0', 'P2', 'P3', 'P4', 'PU'].map((name) => deathMeansLostAnswer(suspicion, reuse(name as ReuseClass), now, times))).toEqual([
    false,
    false,
    true,
    true,
    true,
  ])
  expect(deathMeansLostAnswer(suspicion, reuse('P1', 30_000), 1_001_000, times)).toBe(false)
  expect(deathMeansLostAnswer(suspicion, reuse('P1', 30_000), now, times)).toBe(true)
  expect(deathMeansLostAnswer(null, reuse('P4'), now, times)).toBe(false)
})

test('a lease is always longer than the drain it covers', () => {
  for (const name of ['P0', 'P1', 'P2', 'P3', 'P4', 'PU'] as const) {
    const subject = reuse(name, 30_000)
    expect(leaseFor(subject, times)).toBeGreaterThan(drainFor(subject, times))
  }
})

test('whoever sends at the last moment hears inside its lease, at true and at scaled times', () => {
  for (const table of [times, protocolTimes(50)]) {
    for (const name of ['P0', 'P2', 'P3', 'P4', 'PU'] as const)
      expect(leaseFor(reuse(name), table)).toBeGreaterThan(table.claimToSendMs + drainFor(reuse(name), table))
  }
})

test('drain and lease are whole milliseconds for every window, because leases are stored', () => {
  for (const windowMs of [1_000, 10_000, 20_000, 29_999, 30_000]) {
    const subject = reuse('P1', windowMs)
    expect([windowMs, Number.isInteger(drainFor(subject, times)), Number.isInteger(leaseFor(subject, times))]).toEqual([windowMs, true, true])
  }
})

test('a scaled table keeps the bounds of our own machine', () => {
  const fast = protocolTimes(50)
  expect(fast.orphanWaitMs).toBe(2_700)
  expect(fast.claimToSendMs).toBe(times.claimToSendMs)
})

test('what is open is the suspicion, or an intent of this generation, whoever holds the lease', () => {
  const intent = { id: suspicion.intent, generation: 3, at: 500 }
  expect(openPresentation({ suspicion, intent, generation: 3 })).toEqual(suspicion)
  expect(openPresentation({ suspicion: null, intent, generation: 3 })).toEqual({ intent: suspicion.intent, at: 500, answered: false })
  expect(openPresentation({ suspicion: null, intent, generation: 4 })).toBeNull()
  expect(openPresentation({ suspicion: null, intent: null, generation: 3 })).toBeNull()
})

test('where a second presentation is harmless it is made at once; inside the window of P1 after a moment', () => {
  const asked = { suspicion, accessExpiresAt: 9_000_000, now: 1_000_000 }
  expect(['P0', 'P2'].map((name) => presentableAt({ ...asked, reuse: reuse(name as ReuseClass) }, times))).toEqual([1_000_000, 1_000_000])
  expect(presentableAt({ ...asked, reuse: reuse('P1', 600_000) }, times)).toBe(1_000_000 + times.windowRetryMs)
})

test('a token without an end is asked about after the orphan wait when it was answered, and after an hour when it was not', () => {
  const endless = { reuse: reuse('P4'), accessExpiresAt: null, now: 1_000_000 }
  expect(presentableAt({ ...endless, suspicion: { ...suspicion, answered: true } }, times)).toBe(1_000_000 + times.orphanWaitMs)
  expect(presentableAt({ ...endless, suspicion }, times)).toBe(1_000_000 + times.probeEveryMs)
})
