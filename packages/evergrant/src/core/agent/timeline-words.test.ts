import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Actor, EventType } from '../audit/event.ts'
import type { JsonObject } from '../json.ts'
import { eventSentence } from './timeline-words.ts'

const ANA: Actor = { kind: 'user', id: 'usr_1' }
const told = (type: EventType, data: JsonObject = {}, actor = ANA) => eventSentence({ type, data, actor })

test('every event that an installation can have is a sentence, and not its type', () => {
  const source = readFileSync(new URL('../audit/event.ts', import.meta.url), 'utf8')
  const types = [...source.matchAll(/'((?:installation|sdk_token|recovery)\.\w+)'/g)].map(([, type]) => type as EventType)
  expect(types.length).toBeGreaterThan(14)
  for (const type of types) expect(told(type), type).toMatch(/^(?!Event )[A-Z][^.]*[^.]\.$/)
})

test('the sentence says by what kind of hand and why, and names nobody', () => {
  expect(told('sdk_token.rotated', { reason: 'exercise' })).toBe('Its token was rotated by a person (exercise): the machine fetches a new one by itself.')
  expect(told('installation.retired', { class: 'offboarding', reason: null }, { kind: 'cli', id: null })).toBe(
    'It was cut off for good on the command line of the server, because whoever ran it has left.',
  )
  expect(told('installation.locked', { code: 'clone' })).toBe('It was locked: its credentials were seen in two places.')
  expect(told('recovery.succeeded', { recovery_reason: 'expired', counted: true })).toBe(
    'It recovered by itself after its token had run out; this counts against the limit.',
  )
  expect(told('installation.proof_failed', { count: 12 })).toContain('12 times')
  expect(told('recovery.switch_changed', { recovery_mode: 'off' })).toBe('Its own recovery mode was set to off by a person.')
  expect(told('recovery.switch_changed', { status: 'recovery_blocked' })).toBe('Its recovery was blocked by a person.')
  expect(told('recovery.switch_changed', { status: 'active' })).toBe('Its recovery was allowed by a person.')
  expect(told('installation.updated', { workload_lifted: true })).toBe('Its workload was let in again by a person.')
  expect(told('agent.noted')).toBe('Event agent.noted.')
})
