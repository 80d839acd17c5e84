import { expect, test } from 'vitest'
import type { Reuse } from '../provider/reuse.ts'
import { type DueInput, dueAfter, initialDueAt } from './due.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const strict: Reuse = { class: 'P4', windowMs: 0, neverProbe: false }
const input: DueInput = {
  credential: { refreshToken: new Uint8Array(1), fingerprint: 'f', obtainedAt: 0, accessExpiresAt: HOUR, refreshExpiresAt: null, softAt: 2_500_000 },
  settings: { renewal: 'auto' },
  lifetimes: { refreshIdleSeconds: 7 * 86_400 },
  reuse: strict,
  lastReadAt: 0,
  now: 0,
}

function expectAboutAThird(dueAt: number | null, idle: number): void {
  expect(dueAt).toBeGreaterThanOrEqual((0.8 * idle) / 3)
  expect(dueAt).toBeLessThanOrEqual(idle / 3)
}

test('a connection that somebody reads is renewed ahead of time', () => {
  expect(dueAfter(input)).toBe(2_500_000)
})

test('an idle connection at a strict provider is only kept alive, at about a third of its idle lifetime', () => {
  expectAboutAThird(dueAfter({ ...input, now: 2 * DAY }), 7 * DAY)
})

test('keep-alives of grants that came together are spread over a fifth of their time, and each keeps its own', () => {
  const at = (index: number) => Number(dueAfter({ ...input, now: 2 * DAY, credential: { ...input.credential, fingerprint: `fingerprint ${index}` } }))
  const drawn = Array.from({ length: 2_000 }, (_, index) => at(index))
  for (const one of drawn) expectAboutAThird(one, 7 * DAY)
  expect(drawn.map((_, index) => at(index))).toEqual(drawn)
  const slots = new Array<number>(20).fill(0)
  const from = (0.8 * 7 * DAY) / 3
  for (const one of drawn) {
    const slot = Math.floor(((one - from) / ((0.2 * 7 * DAY) / 3)) * 20)
    slots[slot] = (slots[slot] ?? 0) + 1
  }
  expect(Math.max(...slots)).toBeLessThan(3 * 100)
  expect(Math.min(...slots)).toBeGreaterThan(30)
})

test('an idle connection at a provider that forgives reuse is still renewed ahead', () => {
  expect(dueAfter({ ...input, now: 2 * DAY, reuse: { ...strict, class: 'P0' } })).toBe(2_500_000)
})

test('on_use waits for a reader, ahead does not', () => {
  expectAboutAThird(dueAfter({ ...input, settings: { renewal: 'on_use' } }), 7 * DAY)
  expect(dueAfter({ ...input, settings: { renewal: 'ahead' }, now: 30 * DAY })).toBe(2_500_000)
})

test('a lifetime that the provider told counts, when it is shorter than the catalogue says', () => {
  const credential = { ...input.credential, refreshExpiresAt: 3 * DAY }
  expectAboutAThird(dueAfter({ ...input, settings: { renewal: 'on_use' }, credential }), 3 * DAY)
})

test('where nothing is known of idleness, the keep-alive comes within three days', () => {
  expect(dueAfter({ ...input, settings: { renewal: 'on_use' }, lifetimes: { refreshIdleSeconds: null } })).toBeLessThan(3 * DAY)
})

test('without a refresh token it comes up once, at its end, so that its status is told', () => {
  expect(dueAfter({ ...input, credential: { ...input.credential, refreshToken: null } })).toBe(HOUR)
})

test('consent counts as interest', () => {
  expect(initialDueAt(input.credential, { renewal: 'auto' }, 0)).toBe(2_500_000)
})

test('credentials do not die of idleness: their token is renewed ahead only while somebody reads it', () => {
  const credentials: DueInput = { ...input, lifetimes: { refreshIdleSeconds: null }, reuse: { class: 'P0', windowMs: 0, neverProbe: false, credentials: true } }
  expect(dueAfter(credentials)).toBe(2_500_000)
  expect(dueAfter({ ...credentials, now: 2 * DAY })).toBeNull()
  expect(dueAfter({ ...credentials, now: 2 * DAY, settings: { renewal: 'ahead' } })).toBe(2_500_000)
})
