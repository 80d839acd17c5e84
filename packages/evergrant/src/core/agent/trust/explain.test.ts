import { expect, test } from 'vitest'
import type { AuditEvent, EventType } from '../../audit/event.ts'
import { DAY, HOUR } from '../../time.ts'
import { explain } from './explain.ts'
import type { TrustFacts, TrustRecovery } from './facts.ts'
import { TRUST_POLICY_VERSION } from './policy.ts'
import { score } from './score.ts'

/** A Saturday. */
const NOW = Math.floor(Date.UTC(2026, 10, 21, 12))
const MONDAY = NOW - 5 * DAY

const GOOD: TrustFacts = {
  agent: 'agt_1',
  status: 'verified',
  owner: { user: 'usr_1', active: true },
  reviewedAt: MONDAY - DAY,
  installations: { working: 2, locked: 0, retired: 0 },
  weakestKey: { installation: 'ins_1', custody: 'file' },
  oldestKey: { installation: 'ins_1', createdAt: MONDAY - DAY },
  use: { requests: 500, bound: 500 },
  seen: { requests: 5_000, bound: 5_000, since: NOW - 30 * DAY },
  rotations: { total: 10, onTime: 10 },
  recoveries: [],
  incidents: [],
  grants: null,
}
const recovery = (at: number): TrustRecovery => ({ at, installation: 'ins_2', event: `evt_${at}` })
const event = (type: EventType, id: string, subject: string, data: AuditEvent['data'] = {}): AuditEvent => ({
  id: `evt_${id}`,
  organization: 'org_1',
  type,
  at: NOW - HOUR,
  actor: { kind: 'system', id: null },
  connection: null,
  subject,
  data,
})
const names = (id: string) => (id === 'ins_2' ? 'web-2' : id)
const scored = (facts: TrustFacts, at = NOW) => score(facts, at, TRUST_POLICY_VERSION)
const healed = { ...GOOD, recoveries: [recovery(NOW - HOUR), recovery(NOW - 2 * HOUR)] }
const recoveries = [
  event('recovery.succeeded', '2', 'ins_2', { counted: true }),
  event('recovery.succeeded', '1', 'ins_2', { counted: true }),
  event('recovery.succeeded', '3', 'ins_1', { counted: false }),
  event('agent.reviewed', '4', 'agt_1'),
]

test('a change is told with its cause: only what moved something is named', () => {
  const { headline, delta } = explain(scored(healed), scored(GOOD, MONDAY), recoveries, names)
  expect(headline).toBe('76, down 8 since Monday: 2 recoveries on web-2.')
  expect(delta).toEqual({ since: MONDAY, points: -800, because: ['evt_1', 'evt_2'] })
})

test('where nothing changed there is only the number, and without a snapshot nothing to compare with', () => {
  expect(explain(scored(GOOD), scored(GOOD, MONDAY), recoveries, names)).toMatchObject({ headline: '84.', delta: { points: 0, because: [] } })
  expect(explain(scored(GOOD), null, recoveries, names)).toMatchObject({ headline: '84.', delta: null })
})

test('a change without an event is told as what it is', () => {
  const before = scored({ ...GOOD, rotations: { total: 10, onTime: 5 } }, NOW - HOUR)
  expect(explain(scored(GOOD), before, [], names).headline).toBe('84, up 4 since earlier today: time passed, and more was seen.')
})

test('who is not rated, suspended or blocked is told so', () => {
  expect(explain(scored({ ...GOOD, use: null, seen: null, rotations: null }), null, [], names).headline).toBe('27, could be up to 87: too little seen yet.')
  expect(explain(scored({ ...GOOD, status: 'suspended' }), null, [], names).headline).toBe('10. It is suspended.')
  expect(explain(scored({ ...GOOD, status: 'revoked' }), null, [], names).headline).toBe('Blocked. It was revoked.')
  const locked = { ...GOOD, installations: { working: 0, locked: 2, retired: 1 }, weakestKey: null, oldestKey: null }
  expect(explain(scored(locked), null, [], names).headline).toBe('Blocked. No installation of it works: 2 locked, 1 ended.')
})

test('many causes are told as three and how many more there are', () => {
  const facts: TrustFacts = { ...healed, owner: { user: 'usr_1', active: false }, weakestKey: { installation: 'ins_1', custody: 'keychain' } }
  const events = [
    event('recovery.succeeded', '1', 'ins_2', { counted: true }),
    event('user.disabled', '2', 'usr_1'),
    event('installation.key_rotated', '3', 'ins_1'),
    event('installation.key_rotated', '4', 'ins_2'),
    event('installation.enrolled', '5', 'ins_3'),
  ]
  expect(explain(scored(facts), scored(GOOD, MONDAY), events, names).headline).toBe(
    '40, down 44 since Monday: 1 recovery on web-2, 1 disabled owner, 1 new key on ins_1, 2 more.',
  )
})
