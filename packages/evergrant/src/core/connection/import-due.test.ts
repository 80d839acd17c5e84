import { expect, test } from 'vitest'
import { spreadDueAt } from './import-due.ts'
import type { Renewal } from './integration.ts'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000
const HOURS_OF_KEEPING = 56

type Credential = Parameters<typeof spreadDueAt>[0]['credential']

interface Grant {
  readonly expiresAt?: number | null
  readonly softAt?: number | null
  readonly refreshToken?: Uint8Array | null
  readonly reuse?: 'P0' | 'P2' | 'P4'
  readonly renewal?: Renewal
  readonly noopAboveSeconds?: number
  readonly uniform?: number
}

function dueOf({ expiresAt = null, softAt = null, refreshToken = new Uint8Array(1), reuse = 'P0', renewal = 'auto', noopAboveSeconds, uniform = 0.5 }: Grant) {
  const credential: Credential = {
    accessToken: null,
    refreshToken,
    fingerprint: 'print',
    tokenType: 'Bearer',
    obtainedAt: NOW,
    accessExpiresAt: expiresAt,
    refreshExpiresAt: null,
    softAt,
    hardAt: softAt,
  }
  const lifetimes = {
    accessSeconds: null,
    refreshIdleSeconds: null,
    refreshAbsoluteSeconds: null,
    absoluteFrom: 'consent' as const,
    noopAboveSeconds: noopAboveSeconds ?? null,
  }
  const record = { lifetimes, reuse: { class: reuse, windowSeconds: 0, evidence: '', neverProbe: false } } as unknown as Parameters<
    typeof spreadDueAt
  >[0]['record']
  return spreadDueAt({ credential, settings: { renewal, reuse: null }, record, now: NOW, spreadMs: HOUR, uniform })
}

test('tokens that are over, or whose end is not known, are renewed within the spread, each at its own instant', () => {
  expect(dueOf({ expiresAt: NOW, uniform: 0 })).toBe(NOW)
  expect(dueOf({ expiresAt: NOW, uniform: 0.5 })).toBe(NOW + HOUR / 2)
  expect(dueOf({ expiresAt: NOW - 5 * HOUR, uniform: 0.999 })).toBeLessThan(NOW + HOUR)
})

test('tokens that still live are renewed somewhere before they would be anyway', () => {
  const softAt = NOW + 2 * HOUR
  expect(dueOf({ expiresAt: NOW + 3 * HOUR, softAt, uniform: 0 })).toBe(NOW)
  expect(dueOf({ expiresAt: NOW + 3 * HOUR, softAt, uniform: 0.5 })).toBe(NOW + HOUR)
  expect(dueOf({ expiresAt: NOW + 3 * HOUR, softAt, uniform: 0.999999 })).toBeLessThanOrEqual(softAt)
})

test('no token is presented while its provider would only give the same one back', () => {
  const softAt = NOW + 6 * HOUR
  expect(dueOf({ expiresAt: NOW + 7 * HOUR, softAt, noopAboveSeconds: 2 * 3_600, uniform: 0 })).toBe(NOW + 5 * HOUR)
  expect(dueOf({ expiresAt: NOW + 9 * HOUR, softAt, noopAboveSeconds: 2 * 3_600, uniform: 0 })).toBe(softAt)
})

test('a strict provider sees an imported token only when it is used, or to keep it alive', () => {
  for (const expiresAt of [NOW, NOW + 2 * HOUR]) {
    const due = dueOf({ reuse: 'P4', expiresAt, softAt: expiresAt === NOW ? NOW : NOW + HOUR }) ?? 0
    expect(due).toBeGreaterThan(NOW + 0.79 * HOURS_OF_KEEPING * HOUR)
    expect(due).toBeLessThanOrEqual(NOW + HOURS_OF_KEEPING * HOUR)
  }
})

test('an integration that renews ahead does so at a strict provider, too, and one on use nowhere', () => {
  expect(dueOf({ reuse: 'P4', renewal: 'ahead', expiresAt: NOW })).toBe(NOW + HOUR / 2)
  expect(dueOf({ reuse: 'P2', renewal: 'on_use', expiresAt: NOW }) ?? 0).toBeGreaterThan(NOW + 10 * HOUR)
})

test('without a refresh token there is nothing to spread: its end is looked at', () => {
  expect(dueOf({ refreshToken: null, expiresAt: NOW + 4 * HOUR })).toBe(NOW + 4 * HOUR)
})
