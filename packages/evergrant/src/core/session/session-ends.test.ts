// The last moment of a session, and the words that say which end it was: what changed versions of the rule got wrong without anybody noticing.
import { expect, test } from 'vitest'
import { IDLE_MS, START, sessionRow } from '../../testing/session-games.ts'
import { DAY } from '../time.ts'
import { judgePresentation, REPLAY_WINDOW_MS } from './rotation.ts'

const LIVES = { idleMs: IDLE_MS }
const row = { ...sessionRow({ mode: 'cookie' }), idleExpiresAt: START + DAY, expiresAt: START + 2 * DAY }
const kindAt = (session: typeof row, generation: number, at: number) => judgePresentation(session, generation, at, LIVES)

test('a session is over at the instant that it says, by the clock that came first', () => {
  expect(kindAt(row, 1, START + DAY - 1).kind).toBe('rotate')
  expect(kindAt(row, 1, START + DAY)).toEqual({ kind: 'ended', why: 'idle' })
  const busy = { ...row, idleExpiresAt: START + 9 * DAY }
  expect(kindAt(busy, 1, START + 2 * DAY - 1).kind).toBe('rotate')
  expect(kindAt(busy, 1, START + 2 * DAY)).toEqual({ kind: 'ended', why: 'absolute' })
})

test('a session that was ended says by what, and one that does not know was signed out', () => {
  expect(kindAt({ ...row, revokedAt: START, end: 'reuse_detected' }, 1, START)).toEqual({ kind: 'ended', why: 'reuse_detected' })
  expect(kindAt({ ...row, revokedAt: START, end: null }, 1, START)).toEqual({ kind: 'ended', why: 'signed_out' })
})

test('a session in whose place another was opened says so while the answer to that may be on its way; who comes later did not hear it, and is signed out', () => {
  const replaced = { ...row, revokedAt: START, end: 'replaced' } as const
  expect(kindAt(replaced, 1, START + REPLAY_WINDOW_MS)).toEqual({ kind: 'ended', why: 'replaced' })
  for (const at of [START + REPLAY_WINDOW_MS + 1, START + DAY, START - DAY])
    expect(kindAt(replaced, 1, at)).toEqual({ kind: 'ended', why: 'replacement_unheard' })
})

test('a generation that no counter can follow ends the session instead of repeating itself', () => {
  expect(kindAt(row, 999_999_999_999_999, START)).toEqual({ kind: 'ended', why: 'absolute' })
  expect(kindAt(row, 999_999_999_999_998, START).kind).toBe('roll_forward')
})
