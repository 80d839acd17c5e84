import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts'
import {
  charge,
  FRESH,
  giveBack,
  LETTERS_PER_MAILBOX,
  PER_ACCOUNT,
  PER_ACCOUNT_AND_ADDRESS,
  PER_ADDRESS,
  PER_KNOWN_DEVICE,
  type ThrottleRule,
  type ThrottleState,
} from './throttle.ts'

const START = 1_760_000_000_000
const RULES = { PER_ACCOUNT_AND_ADDRESS, PER_ACCOUNT, PER_ADDRESS, PER_KNOWN_DEVICE, LETTERS_PER_MAILBOX }

/** Tries as fast as it is let, for `ms`; the instants of the attempts. */
function hammer(rule: ThrottleRule, ms: number): number[] {
  const attempts: number[] = []
  let state: ThrottleState = FRESH
  for (let now = START; now < START + ms; ) {
    const outcome = charge(state, rule, now)
    if (outcome.kind === 'wait') now += outcome.ms
    else {
      state = outcome.next
      attempts.push(now)
      now += 1
    }
  }
  return attempts
}

test('five passwords at once from one address at one account, then waits that grow to a quarter of an hour (S64)', () => {
  const attempts = hammer(PER_ACCOUNT_AND_ADDRESS, HOUR)
  expect(attempts.slice(0, 5).every((at) => at < START + SECOND)).toBe(true)
  const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0))
  expect(waits[4]).toBe(12 * SECOND)
  expect(waits[5]).toBe(24 * SECOND)
  expect(Math.max(...waits)).toBeLessThanOrEqual(15 * MINUTE)
  expect(attempts.length).toBeLessThan(30)
})

test('no more than twenty and then two a minute at one account, however many addresses try, and never a longer wait than 30 s', () => {
  const attempts = hammer(PER_ACCOUNT, HOUR)
  expect(attempts.length).toBeLessThanOrEqual(20 + 120)
  const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0))
  expect(Math.max(...waits)).toBeLessThanOrEqual(30 * SECOND)
})

test('one password at a thousand accounts from one address takes more than three hours (S64)', () => {
  const attempts = hammer(PER_ADDRESS, DAY)
  expect((attempts[999] ?? 0) - START).toBeGreaterThan(3 * HOUR)
  expect(attempts.filter((at) => at >= START + HOUR && at < START + HOUR + MINUTE).length).toBeLessThanOrEqual(5)
})

test('nobody waits longer than the cap, whatever was tried before and however the clock jumped', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(RULES)), fc.array(fc.integer({ min: -2 * DAY, max: 2 * DAY }), { maxLength: 200 }), (rule, steps) => {
      let state: ThrottleState = FRESH
      let now = START
      for (const step of steps) {
        now += step
        const outcome = charge(state, rule, now)
        if (outcome.kind === 'wait') expect(outcome.ms).toBeLessThanOrEqual(rule.capMs)
        else state = outcome.next
        expect(state.attempts).toBeGreaterThanOrEqual(0)
      }
      const later = charge(state, rule, now + rule.capMs)
      expect(later.kind).toBe('charged')
    }),
  )
})

test('an attempt that was given back leaves room for another at once', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(RULES)), fc.integer({ min: 1, max: 60 }), (rule, rounds) => {
      let state: ThrottleState = FRESH
      for (let round = 0; round < rounds; round++) {
        const outcome = charge(state, rule, START + round)
        expect(outcome.kind).toBe('charged')
        if (outcome.kind === 'charged') state = giveBack(outcome.next, START + round)
      }
      expect(state.attempts).toBe(0)
    }),
  )
})

test('after a quiet day nothing is held against anybody', () => {
  for (const rule of Object.values(RULES)) {
    let state: ThrottleState = FRESH
    for (const at of hammer(rule, HOUR)) {
      const outcome = charge(state, rule, at)
      if (outcome.kind === 'charged') state = outcome.next
    }
    const next = charge(state, rule, START + HOUR + DAY)
    expect(next).toMatchObject({ kind: 'charged', next: { attempts: 1 } })
  }
})
