import { expect, test } from 'vitest'
import { DAY } from '../time.ts'
import { refreshDeadlines } from './lifetimes.ts'
import type { LifetimeFacts } from './record.ts'
import { parseReuse, reuseOf } from './reuse-of.ts'

const none: LifetimeFacts = {
  accessSeconds: null,
  noopAboveSeconds: null,
  refreshIdleSeconds: null,
  refreshAbsoluteSeconds: null,
  absoluteSince: null,
  absoluteFrom: 'consent',
  issuesRefreshToken: true,
  refreshEndsAccessToken: false,
  onePerAccount: false,
  cap: null,
}
const year = 365 * 86_400
const amazon = { lifetimes: { ...none, refreshAbsoluteSeconds: year, absoluteSince: '2026-07-30' } }

test('a grant consented on the first day of the rule ends 365 days after consent, whatever was refreshed since', () => {
  const consentedAt = Date.parse('2026-07-30T00:00:00Z')
  expect(refreshDeadlines(amazon, { consentedAt, obtainedAt: consentedAt + 100 * DAY, refreshExpiresAt: null })).toEqual({
    absoluteAt: consentedAt + 365 * DAY,
    idleAt: null,
  })
})

test('a grant consented before the rule has no fixed end', () => {
  const consentedAt = Date.parse('2026-07-29T23:59:59Z')
  expect(refreshDeadlines(amazon, { consentedAt, obtainedAt: consentedAt, refreshExpiresAt: null })).toEqual({ absoluteAt: null, idleAt: null })
})

test('an idle lifetime counts from the newest credential; the earliest of all that is known holds', () => {
  const record = { lifetimes: { ...none, refreshIdleSeconds: 60 * 86_400 } }
  expect(refreshDeadlines(record, { consentedAt: 0, obtainedAt: 5 * DAY, refreshExpiresAt: null }).idleAt).toBe(65 * DAY)
  expect(refreshDeadlines(record, { consentedAt: 0, obtainedAt: 5 * DAY, refreshExpiresAt: 30 * DAY }).idleAt).toBe(30 * DAY)
})

test('a lifetime that each refresh token starts anew slides with use', () => {
  const record = { lifetimes: { ...none, refreshAbsoluteSeconds: 184 * 86_400, absoluteFrom: 'issue' as const } }
  expect(refreshDeadlines(record, { consentedAt: 0, obtainedAt: 10 * DAY, refreshExpiresAt: null })).toEqual({ absoluteAt: null, idleAt: 194 * DAY })
})

const p1 = { reuse: { class: 'P1' as const, windowSeconds: 1_800, neverProbe: false, evidence: '' } }

test('the record decides the reuse class until the operator knows better', () => {
  expect(reuseOf(p1, { reuse: null })).toEqual({ class: 'P1', windowMs: 1_800_000, neverProbe: false })
  expect(reuseOf(p1, { reuse: 'P1:60' })).toEqual({ class: 'P1', windowMs: 60_000, neverProbe: false })
  expect(reuseOf({ reuse: { ...p1.reuse, neverProbe: true } }, { reuse: 'P4' })).toEqual({ class: 'P4', windowMs: 0, neverProbe: true })
})

test('a class that lets a token be presented twice counts as unknown until somebody verifies it', () => {
  for (const lax of ['P0', 'P1', 'P2'] as const) {
    const record = { reuse: { ...p1.reuse, class: lax }, unverified: ['reuse'] }
    expect(reuseOf(record, { reuse: null })).toEqual({ class: 'PU', windowMs: 0, neverProbe: false })
    expect(reuseOf(record, { reuse: 'P0' }).class).toBe('P0')
    expect(reuseOf({ ...record, unverified: ['setup', 'reuse.evidence'] }, { reuse: null }).class).toBe(lax)
  }
  expect(reuseOf({ reuse: { ...p1.reuse, class: 'P3' }, unverified: ['reuse'] }, { reuse: null }).class).toBe('P3')
})

test('a window too short to present twice in it is no window', () => {
  expect(reuseOf(p1, { reuse: 'P1:6' })).toEqual({ class: 'P1', windowMs: 6_000, neverProbe: false })
  expect(reuseOf(p1, { reuse: 'P1:5' })).toEqual({ class: 'P4', windowMs: 0, neverProbe: false })
  expect(reuseOf({ reuse: { ...p1.reuse, windowSeconds: 0 } }, { reuse: null })).toEqual({ class: 'P4', windowMs: 0, neverProbe: false })
})

test.each(['', 'P1', 'p1:60', 'P1:', 'P5', 'P1:-1', 'P0:60', 'PU'])('the override %j is refused with an example', (text) => {
  expect(() => parseReuse(text)).toThrow('settings.reuse must be P0, P1:<seconds>, P2, P3 or P4')
})
