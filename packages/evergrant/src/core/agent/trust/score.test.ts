import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, HOUR } from '../../time.ts'
import { KEY_CUSTODIES } from '../installation.ts'
import { costOf } from './factors/incidents.ts'
import type { TrustFacts, TrustIncident, TrustRecovery } from './facts.ts'
import { TRUST_POLICY_VERSION, trustPolicy } from './policy.ts'
import { score, type TrustScore } from './score.ts'

const NOW = 1_795_262_400_000
const POLICY = trustPolicy(TRUST_POLICY_VERSION)
const AGENT = 'agt_019a0000-0000-7000-8000-000000000001'
const INSTALLATION = 'ins_019a0000-0000-7000-8000-000000000001'

const FRESH: TrustFacts = {
  agent: AGENT,
  status: 'verified',
  owner: { user: 'usr_1', active: true },
  reviewedAt: null,
  installations: { working: 1, locked: 0, retired: 0 },
  weakestKey: { installation: INSTALLATION, custody: 'keychain' },
  oldestKey: { installation: INSTALLATION, createdAt: NOW - HOUR },
  use: null,
  seen: null,
  rotations: null,
  recoveries: [],
  incidents: [],
  grants: { granted: 1, used: 0 },
}
const SEEN = { requests: 1_000, bound: 1_000, since: NOW - 20 * DAY }
const scored = (facts: TrustFacts, now = NOW): TrustScore => score(facts, now, TRUST_POLICY_VERSION)
const incident = (changes: Partial<TrustIncident> = {}): TrustIncident => ({
  kind: 'clone',
  at: NOW - HOUR,
  closedAt: null,
  id: 'inc_1',
  installation: INSTALLATION,
  event: 'evt_1',
  ...changes,
})
const recovery = (at: number): TrustRecovery => ({ at, installation: INSTALLATION, event: `evt_${at}` })
const earnedBy = ({ factors }: TrustScore, id: string): readonly number[] => {
  const found = factors.find((factor) => factor.id === id)
  return found === undefined ? [] : [found.earned, found.known]
}

describe('the worked example', () => {
  test('a fresh agent with a keychain key and an active owner has 32, could have 92, and is not rated yet', () => {
    const { score: floor, ceiling, band, factors, caps } = scored(FRESH)
    expect([floor, ceiling, band, caps]).toEqual([3_200, 9_200, 'Not rated yet', []])
    const unknown = Object.fromEntries(factors.map(({ id, available, known }) => [id, available - known]))
    expect(unknown).toEqual({ custody: 0, possession: 1_500, freshness: 700, healing: 1_500, incidents: 2_000, ownership: 300 })
  })

  test('all factors together are 100 points', () => {
    expect(scored(FRESH).factors.reduce((sum, { available }) => sum + available, 0)).toBe(10_000)
  })
})

describe('what the factors cost', () => {
  test.each([
    ['hardware', 2_500],
    ['keychain', 2_000],
    ['workload', 2_000],
    ['file', 1_200],
    ['environment', 500],
  ] as const)('a key in %s earns %i', (custody, earned) => {
    expect(earnedBy(scored({ ...FRESH, weakestKey: { installation: INSTALLATION, custody } }), 'custody')).toEqual([earned, 2_500])
  })

  test.each([
    [0, 800],
    [180, 800],
    [225, 600],
    [270, 400],
    [360, 0],
    [1_000, 0],
  ])('a key of %i days earns %i', (days, earned) => {
    const facts = { ...FRESH, oldestKey: { installation: INSTALLATION, createdAt: NOW - days * DAY } } as const
    expect(earnedBy(scored(facts), 'freshness')).toEqual([earned, 800])
  })

  test.each([
    [0, 1_500],
    [1, 1_100],
    [3, 300],
    [4, 0],
    [9, 0],
  ])('%i counted recoveries in 30 days leave %i', (count, earned) => {
    const recoveries = Array.from({ length: count }, (_, index) => recovery(NOW - index * DAY))
    expect(earnedBy(scored({ ...FRESH, seen: SEEN, recoveries: [...recoveries, recovery(NOW - 30 * DAY)] }), 'healing')).toEqual([earned, 1_500])
  })

  test.each([
    ['six days and 1,000 requests', { requests: 1_000, bound: 1_000, since: NOW - 6 * DAY }, 0],
    ['twenty days and 99 requests', { requests: 99, bound: 99, since: NOW - 20 * DAY }, 0],
    ['seven days and 100 requests', { requests: 100, bound: 100, since: NOW - 7 * DAY }, 3_500],
  ])('after %s the absence of trouble earns %i', (_, seen, earned) => {
    const result = scored({ ...FRESH, seen })
    expect((earnedBy(result, 'healing')[0] ?? 0) + (earnedBy(result, 'incidents')[0] ?? 0)).toBe(earned)
  })

  test.each([
    [0, 2_000],
    [15, 1_500],
    [30, 1_000],
    [45, 750],
    [60, 500],
    [90, 250],
    [360, 0],
  ])('a closed clone of %i days ago costs %i', (days, cost) => {
    expect(costOf(incident({ at: NOW - days * DAY, closedAt: NOW - days * DAY }), POLICY, NOW)).toBe(cost)
  })

  test('an open incident costs all it can, however old it is', () => {
    expect(costOf(incident({ at: NOW - 300 * DAY }), POLICY, NOW)).toBe(2_000)
  })

  test('before enough was seen an incident lowers the ceiling, and caps at once', () => {
    const refused = incident({ kind: 'refused_uses', closedAt: NOW - HOUR, id: null })
    expect([scored({ ...FRESH, incidents: [refused] }).score, scored({ ...FRESH, incidents: [refused] }).ceiling]).toEqual([3_200, 9_000])
    const capped = scored({ ...FRESH, incidents: [incident()] })
    expect([capped.score, capped.ceiling]).toEqual([2_000, 2_000])
    expect(capped.caps).toEqual([{ id: 'incident_open', max: 2_000, takes: 1_200, because: 'An incident is open.', eventId: 'evt_1' }])
  })

  test('rights that were not used are a question before enough was seen, and cost afterwards', () => {
    const grants = { granted: 4, used: 1 }
    expect(earnedBy(scored({ ...FRESH, grants }), 'ownership')).toEqual([400, 700])
    expect(earnedBy(scored({ ...FRESH, grants, seen: SEEN }), 'ownership')).toEqual([475, 1_000])
  })
})

describe('what no number of points outweighs', () => {
  const good: TrustFacts = { ...FRESH, reviewedAt: NOW, use: { requests: 10, bound: 10 }, seen: SEEN, rotations: { total: 5, onTime: 5 } }

  test.each([
    ['an owner who is gone', { owner: { user: 'usr_1', active: false } }, 4_000, 'Fair'],
    ['no request with the key', { use: { requests: 10, bound: 0 }, seen: { ...SEEN, bound: 0 } }, 5_000, 'Fair'],
    ['an open incident', { incidents: [incident()] }, 2_000, 'Low'],
    ['a suspension', { status: 'suspended' }, 1_000, 'Suspended'],
    ['its end', { status: 'revoked' }, 0, 'Blocked'],
    ['a lock of all that it has', { installations: { working: 0, locked: 1, retired: 2 }, weakestKey: null, oldestKey: null }, 0, 'Blocked'],
    ['the end of all that it has', { installations: { working: 0, locked: 0, retired: 2 }, weakestKey: null, oldestKey: null }, 0, 'Blocked'],
  ] as const)('%s', (_, changes, most, band) => {
    const before = scored(good)
    expect(before.score).toBeGreaterThan(5_000)
    const result = scored({ ...good, ...changes } as TrustFacts)
    expect([result.score, result.band]).toEqual([most, band])
  })

  test('an agent whose machines are over by time is not blocked: nothing is known of it', () => {
    const gone = scored({ ...good, installations: { working: 0, locked: 0, retired: 0 }, weakestKey: null, oldestKey: null })
    expect(gone.caps.map(({ id }) => id)).not.toContain('blocked')
  })
})

const instants = fc.integer({ min: NOW - 500 * DAY, max: NOW })
const orNull = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: null })
const incidents: fc.Arbitrary<TrustIncident> = fc.record({
  kind: fc.constantFrom('clone', 'compromise', 'proof_failures', 'refused_uses'),
  at: instants,
  closedAt: orNull(instants),
  id: fc.uuid().map((id) => `inc_${id}` as const),
  installation: fc.constant(INSTALLATION),
  event: fc.uuid().map((id) => `evt_${id}` as const),
})
const part = (whole: number) => fc.integer({ min: 0, max: whole })
const facts: fc.Arbitrary<TrustFacts> = fc.record({
  agent: fc.constant(AGENT as TrustFacts['agent']),
  status: fc.constantFrom('pending', 'verified'),
  owner: orNull(fc.record({ user: fc.constant('usr_1' as const), active: fc.boolean() })),
  reviewedAt: orNull(instants),
  installations: fc.record({ working: part(3), locked: part(2), retired: part(2) }),
  weakestKey: orNull(fc.record({ installation: fc.constant(INSTALLATION as `ins_${string}`), custody: fc.constantFrom(...KEY_CUSTODIES) })),
  oldestKey: orNull(fc.record({ installation: fc.constant(INSTALLATION as `ins_${string}`), createdAt: instants })),
  use: orNull(fc.record({ requests: part(1_000), bound: part(1_000) })),
  seen: orNull(fc.record({ requests: part(1_000), bound: part(1_000), since: instants })),
  rotations: orNull(fc.record({ total: part(500), onTime: part(500) })),
  recoveries: orNull(fc.array(instants.map(recovery), { maxLength: 6 })),
  incidents: fc.array(incidents, { maxLength: 6 }),
  grants: orNull(fc.record({ granted: part(9), used: part(9) })),
})
const RUNS = { numRuns: 1_000 }
const always = (check: (facts: TrustFacts) => void) => fc.assert(fc.property(facts, check), RUNS)

describe('whatever the facts are', () => {
  test('the parts that are shown add up to the number, and all are whole', () => {
    always((of) => {
      const { score: floor, ceiling, factors, caps } = scored(of)
      const earned = factors.reduce((sum, factor) => sum + factor.earned, 0)
      expect(earned - caps.reduce((sum, cap) => sum + cap.takes, 0)).toBe(floor)
      expect(floor).toBeLessThanOrEqual(ceiling)
      expect(ceiling).toBeLessThanOrEqual(10_000)
      for (const factor of factors) {
        for (const number of [factor.earned, factor.known, factor.available]) expect(Number.isSafeInteger(number) && number >= 0).toBe(true)
        expect(factor.earned).toBeLessThanOrEqual(factor.known)
        expect(factor.known).toBeLessThanOrEqual(factor.available)
      }
    })
  })

  test('one more incident never raises floor or ceiling', () => {
    fc.assert(
      fc.property(facts, incidents, (of, more) => {
        const [before, after] = [scored(of), scored({ ...of, incidents: [...of.incidents, more] })]
        expect(after.score).toBeLessThanOrEqual(before.score)
        expect(after.ceiling).toBeLessThanOrEqual(before.ceiling)
      }),
      RUNS,
    )
  })

  test('closing an incident never lowers anything, and time alone never makes one cost more', () => {
    fc.assert(
      fc.property(facts, incidents, part(200), (of, one, days) => {
        const open = scored({ ...of, incidents: [...of.incidents, { ...one, closedAt: null }] })
        const closed = scored({ ...of, incidents: [...of.incidents, { ...one, closedAt: NOW }] })
        expect(closed.score).toBeGreaterThanOrEqual(open.score)
        expect(closed.ceiling).toBeGreaterThanOrEqual(open.ceiling)
        const past = { ...one, closedAt: one.at }
        expect(costOf(past, POLICY, NOW + days * DAY)).toBeLessThanOrEqual(costOf(past, POLICY, NOW))
      }),
      RUNS,
    )
  })

  test.each(['owner', 'reviewedAt', 'weakestKey', 'oldestKey', 'use', 'seen', 'rotations', 'recoveries', 'grants'] as const)(
    'not knowing %s never raises the floor',
    (name) => {
      always((of) => {
        expect(scored({ ...of, [name]: null }).score).toBeLessThanOrEqual(scored(of).score)
      })
    },
  )

  test('the order in which things were read does not matter, to the byte', () => {
    fc.assert(
      fc.property(facts, fc.infiniteStream(fc.nat()), (of, stream) => {
        const shuffled = <Item>(items: readonly Item[]): readonly Item[] => {
          const keyed = items.map((item) => [stream.next().value as number, item] as const)
          return keyed.sort(([left], [right]) => left - right).map(([, item]) => item)
        }
        const other = { ...of, incidents: shuffled(of.incidents), recoveries: of.recoveries === null ? null : shuffled(of.recoveries) }
        expect(JSON.stringify(scored(other))).toBe(JSON.stringify(scored(of)))
      }),
      RUNS,
    )
  })

  test('revoked is less than suspended, and suspended less than active, in number and in word', () => {
    const rank = ({ band }: TrustScore) => (band === 'Blocked' ? 0 : band === 'Suspended' ? 1 : 2)
    const works = facts.map((of) => ({ ...of, installations: { ...of.installations, working: of.installations.working + 1 } }))
    fc.assert(
      fc.property(works, (of) => {
        const [revoked, suspended, active] = (['revoked', 'suspended', 'verified'] as const).map((status) => scored({ ...of, status }))
        if (revoked === undefined || suspended === undefined || active === undefined) throw new Error('three were scored')
        expect([revoked, suspended, active].map(rank)).toEqual([0, 1, 2])
        expect(revoked.score).toBe(0)
        // One hundredth of a point cannot be halved.
        if (active.score > 1) expect(suspended.score).toBeGreaterThan(revoked.score)
        if (active.score > 0) expect(active.score).toBeGreaterThan(suspended.score)
      }),
      RUNS,
    )
  })

  test('the same facts give the same bytes in any time zone', () => {
    const zone = process.env.TZ
    try {
      always((of) => {
        const bytes = ['UTC', 'Pacific/Kiritimati', 'America/St_Johns'].map((name) => {
          process.env.TZ = name
          return JSON.stringify(scored(of))
        })
        expect(new Set(bytes).size).toBe(1)
      })
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })
})
