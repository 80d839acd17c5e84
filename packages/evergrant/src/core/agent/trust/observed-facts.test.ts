import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../audit/event.ts'
import { DAY, HOUR } from '../../time.ts'
import { type Agent, NEW_POLICY, NEW_POLICY_RECORD } from '../agent.ts'
import type { AgentStanding } from '../agents.ts'
import type { StoredIncident } from '../incident.ts'
import type { DaySum, TrustObservation } from '../trust-snapshots.ts'
import { observedFacts, observedSince, type UsedConnection } from './observed-facts.ts'
import { TRUST_POLICY_VERSION, trustPolicy } from './policy.ts'

const TODAY = 20_800 * DAY
const NOW = TODAY + 6 * HOUR
const POLICY = trustPolicy(TRUST_POLICY_VERSION)
const agent: Agent = {
  id: 'agt_1',
  organization: 'org_1',
  owner: 'usr_1',
  name: 'weather',
  description: null,
  status: 'verified',
  provenAt: 1,
  acceptedAt: 1,
  acceptedBy: null,
  policy: NEW_POLICY,
  policyRecord: NEW_POLICY_RECORD,
  suspendedBy: null,
  recovery: {},
  reviewedAt: null,
  reviewedBy: null,
  createdAt: 1,
  updatedAt: 1,
  version: 1,
}
const STANDING: AgentStanding = { agent, ownerActive: true, ownerRole: 'operator', ownerName: 'usr_1' }
const NOTHING: TrustObservation = {
  working: 0,
  locked: 0,
  retired: 0,
  custodies: [],
  oldestKey: null,
  days: [],
  recoveries: [],
  proofFailures: [],
  incidents: [],
}
const day = (ago: number, changes: Partial<DaySum> = {}): DaySum => ({
  day: TODAY - ago * DAY,
  requests: 0,
  bound: 0,
  rotations: 0,
  rotationsOnTime: 0,
  refusedUses: 0,
  ...changes,
})
const observed = (seen: Partial<TrustObservation>, used: readonly UsedConnection[] = [], standing = STANDING) =>
  observedFacts(standing, { ...NOTHING, ...seen }, used, POLICY, NOW)
const recovered = (id: string, counted: boolean): AuditEvent => ({
  id: `evt_${id}`,
  organization: 'org_1',
  type: 'recovery.succeeded',
  at: NOW - DAY,
  actor: { kind: 'installation', id: 'ins_1' },
  connection: null,
  subject: 'ins_1',
  data: { counted },
})

const failed = (id: string, ago: number, count: number, installation = 'ins_1'): AuditEvent => ({
  ...recovered(id, false),
  type: 'installation.proof_failed',
  at: NOW - ago * DAY,
  subject: installation,
  data: { count },
})

describe('what was seen of an agent', () => {
  test('of nothing that was seen everything is unknown', () => {
    const { use, seen, rotations, weakestKey, oldestKey, grants, incidents, recoveries } = observed({})
    expect([use, seen, rotations, weakestKey, oldestKey, grants, incidents, recoveries]).toEqual([null, null, null, null, null, null, [], []])
  })

  test('the key that is kept worst counts', () => {
    const custodies = [
      { custody: 'hardware', installation: 'ins_1' },
      { custody: 'file', installation: 'ins_2' },
      { custody: 'workload', installation: 'ins_3' },
    ] as const
    expect(observed({ custodies }).weakestKey).toEqual({ installation: 'ins_2', custody: 'file' })
  })

  test('uses are of seven days, and the rest of thirty; a day counts while any of it is within', () => {
    const counts = { requests: 10, bound: 5, rotations: 4, rotationsOnTime: 3 }
    const { use, seen, rotations } = observed({ days: [day(0, counts), day(7, counts), day(8, counts), day(30, counts), day(31, counts)] })
    expect(use).toEqual({ requests: 20, bound: 10 })
    expect(seen).toEqual({ requests: 40, bound: 20, since: TODAY - 30 * DAY })
    expect(rotations).toEqual({ total: 16, onTime: 12 })
  })

  test('a recovery that an operator asked for is none', () => {
    expect(observed({ recoveries: [recovered('2', true), recovered('1', false)] }).recoveries).toEqual([
      { at: NOW - DAY, installation: 'ins_1', event: 'evt_2' },
    ])
  })

  test('ten tokens without their key on one day are one burst, nine are none; each installation has its own', () => {
    const proofFailures = [
      failed('1', 1, 9),
      failed('2', 1, 1),
      failed('3', 2, 9),
      failed('4', 1, 1, 'ins_2'),
      failed('5', 1, 20, 'ins_3'),
      failed('6', 1, 5, 'ins_3'),
    ]
    expect(observed({ proofFailures }).incidents.map(({ kind, at, installation, event }) => [kind, at, installation, event])).toEqual([
      ['proof_failures', TODAY - DAY, 'ins_1', 'evt_2'],
      ['proof_failures', TODAY - DAY, 'ins_3', 'evt_6'],
    ])
  })

  test('a day with a use that the policy refused is an incident that closes by itself', () => {
    expect(observed({ days: [day(3, { refusedUses: 7 })] }).incidents).toEqual([
      { kind: 'refused_uses', at: TODAY - 3 * DAY, closedAt: TODAY - 3 * DAY, id: null, installation: null, event: null },
    ])
  })

  test('each selector by each way is a right; one that selects everything never counts as used', () => {
    const connections = [{ tag: 'weather' }, { owner: 'ann' }, {}]
    const standing: AgentStanding = { ...STANDING, agent: { ...agent, policy: { ...NEW_POLICY, access: ['token', 'proxy'], connections } } }
    const use = (access: 'token' | 'proxy', owner: string, tags: readonly string[]): UsedConnection => ({
      access,
      connection: { id: 'con_1', owner, integration: 'int_1', tags },
    })
    expect(observed({}, [], standing).grants).toEqual({ granted: 6, used: 0 })
    expect(observed({}, [use('token', 'bob', ['weather'])], standing).grants).toEqual({ granted: 6, used: 1 })
    expect(observed({}, [use('token', 'ann', ['weather']), use('proxy', 'ann', [])], standing).grants).toEqual({ granted: 6, used: 3 })
  })

  test('days, recoveries and incidents are the same facts in any order', () => {
    const incidents: readonly StoredIncident[] = ['inc_1', 'inc_2', 'inc_3'].map((id) => ({
      id: id as `inc_${string}`,
      organization: 'org_1',
      agent: 'agt_1',
      installation: null,
      kind: 'clone',
      at: NOW - DAY,
      message: '',
      event: 'evt_1',
      closure: null,
    }))
    const days = [day(0, { requests: 3 }), day(2, { refusedUses: 1 }), day(3, { requests: 1 }), day(9, { requests: 8 })]
    const recoveries = [recovered('1', true), recovered('2', true), recovered('3', false)]
    const bytes = JSON.stringify(observed({ incidents, days, recoveries }))
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...incidents], { minLength: 3 }),
        fc.shuffledSubarray(days, { minLength: 4 }),
        fc.shuffledSubarray(recoveries, { minLength: 3 }),
        (one, two, three) => {
          expect(JSON.stringify(observed({ incidents: one, days: two, recoveries: three }))).toBe(bytes)
        },
      ),
    )
  })

  test('it is read as far back as any factor looks', () => {
    const { days, recoveries, proofFailures, incidents } = observedSince(POLICY, NOW)
    expect([days, recoveries, proofFailures, incidents].map((since) => (NOW - since) / DAY)).toEqual([90, 30, 90, 360])
    expect(days).toBeLessThanOrEqual(NOW - POLICY.windowMs)
  })
})
