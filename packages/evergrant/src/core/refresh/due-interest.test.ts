// Who still counts on a connection, and when its grant must be renewed although nobody does; all at a time that is not zero.
import { expect, test } from 'vitest'
import type { Reuse } from '../provider/reuse.ts'
import { DAY, HOUR, SECOND } from '../time.ts'
import { type DueInput, dueAfter, initialDueAt } from './due.ts'

const AT = Date.UTC(2026, 0, 1)
const strict: Reuse = { class: 'P4', windowMs: 0, neverProbe: false }
const SOFT = AT + HOUR / 2
const credential: DueInput['credential'] = {
  refreshToken: new Uint8Array(1),
  fingerprint: 'f',
  obtainedAt: AT,
  accessExpiresAt: AT + HOUR,
  refreshExpiresAt: null,
  softAt: SOFT,
}
const input: DueInput = {
  credential,
  settings: { renewal: 'auto' },
  lifetimes: { refreshIdleSeconds: (7 * DAY) / SECOND },
  reuse: strict,
  lastReadAt: AT,
  now: AT,
}
const readAgo = (ms: number, lifetimeMs: number | null): number | null =>
  dueAfter({ ...input, credential: { ...credential, accessExpiresAt: lifetimeMs === null ? null : AT + lifetimeMs }, now: AT + ms })

test.each([
  ['an hour: a day counts', HOUR, DAY],
  ['two days: three times as long counts', 2 * DAY, 6 * DAY],
  ['a time nobody told: a day counts', null, DAY],
])('of a token that lives %s', (_, lifetime, counts) => {
  expect([readAgo(counts, lifetime), readAgo(counts + 1, lifetime) === SOFT]).toEqual([SOFT, false])
})

test('what nobody has read is not renewed ahead, however fresh it is', () => {
  const due = Number(dueAfter({ ...input, lastReadAt: null }))
  expect(due).toBeGreaterThan(AT + 1.8 * DAY)
  expect(due).toBeLessThanOrEqual(AT + (7 * DAY) / 3)
})

test('idle lifetimes count from when the token was obtained, the told one as well as that of the catalogue', () => {
  const idle = { ...input, settings: { renewal: 'on_use' as const } }
  const third = (ms: number, due: number | null): boolean => Number(due) - AT >= (0.8 * ms) / 3 && Number(due) - AT <= ms / 3
  expect(third(7 * DAY, dueAfter(idle))).toBe(true)
  expect(third(3 * DAY, dueAfter({ ...idle, credential: { ...credential, refreshExpiresAt: AT + 3 * DAY } }))).toBe(true)
  expect(third(9 * DAY, dueAfter({ ...idle, lifetimes: { refreshIdleSeconds: null }, credential: { ...credential, refreshExpiresAt: AT + 9 * DAY } }))).toBe(
    true,
  )
  // It was over before it was obtained, by another clock: at once, and not before.
  expect(dueAfter({ ...idle, credential: { ...credential, refreshExpiresAt: AT - DAY } })).toBe(AT)
})

test('a token without a renewal time of its own is kept alive, and left alone where reuse costs nothing', () => {
  const endless = { ...input, credential: { ...credential, accessExpiresAt: null, softAt: null } }
  expect(dueAfter({ ...endless, reuse: { ...strict, class: 'P0' } })).toBeNull()
  expect(dueAfter(endless)).toBe(dueAfter({ ...input, settings: { renewal: 'on_use' } }))
})

test('a grant that dies of idleness before its token does is kept alive in time', () => {
  const long = { ...input, credential: { ...credential, accessExpiresAt: AT + 30 * DAY, softAt: AT + 20 * DAY } }
  expect(Number(dueAfter(long))).toBeLessThanOrEqual(AT + (7 * DAY) / 3)
})

test('a new grant comes up as one that was read just now, by the lifetimes of its provider', () => {
  const wanted = { renewal: 'on_use' } as const
  const weeks = { lifetimes: { refreshIdleSeconds: (14 * DAY) / SECOND } } as Parameters<typeof initialDueAt>[3]
  expect(initialDueAt(credential, { renewal: 'auto' }, AT)).toBe(SOFT)
  expect(initialDueAt(credential, wanted, AT, weeks)).toBe(dueAfter({ ...input, settings: wanted, lifetimes: { refreshIdleSeconds: (14 * DAY) / SECOND } }))
  expect(initialDueAt(credential, wanted, AT)).toBe(dueAfter({ ...input, settings: wanted, lifetimes: { refreshIdleSeconds: null } }))
})
