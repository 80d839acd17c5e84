import { expect, test } from 'vitest'
import type { Reuse } from '../provider/reuse.ts'
import { type DueInput, dueAfter, initialDueAt } from './due.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const strict: Reuse = { class: 'P4', windowMs: 0, neverProbe: false }
const input: DueInput = {
  credential: { refreshToken: new Uint8Array(1), obtainedAt: 0, accessExpiresAt: HOUR, refreshExpiresAt: null, softAt: 2_500_000 },
  settings: { renewal: 'auto' },
  lifetimes: { refreshIdleSeconds: 7 * 86_400 },
  reuse: strict,
  lastReadAt: 0,
  now: 0,
}

test('a connection that somebody reads is renewed ahead of time', () => {
  expect(dueAfter(input)).toBe(2_500_000)
})

test('an idle connection at a strict provider is only kept alive, at a third of its idle lifetime', () => {
  expect(dueAfter({ ...input, now: 2 * DAY })).toBe((7 * DAY) / 3)
})

test('an idle connection at a provider that forgives reuse is still renewed ahead', () => {
  expect(dueAfter({ ...input, now: 2 * DAY, reuse: { ...strict, class: 'P0' } })).toBe(2_500_000)
})

test('on_use waits for a reader, ahead does not', () => {
  expect(dueAfter({ ...input, settings: { renewal: 'on_use' } })).toBe((7 * DAY) / 3)
  expect(dueAfter({ ...input, settings: { renewal: 'ahead' }, now: 30 * DAY })).toBe(2_500_000)
})

test('a lifetime that the provider told counts, when it is shorter than the catalogue says', () => {
  const credential = { ...input.credential, refreshExpiresAt: 3 * DAY }
  expect(dueAfter({ ...input, settings: { renewal: 'on_use' }, credential })).toBe(DAY)
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
