import { describe, expect, test } from 'vitest'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { settle } from '../../testing/settle.ts'
import type { ConnectionState } from '../connection/connection.ts'
import type { Reuse, ReuseClass } from '../provider/reuse.ts'
import type { Refusal } from './liveness.ts'
import { drainFor, leaseFor, protocolTimes } from './protocol-times.ts'
import { mayTakeOver } from './takeover.ts'

const SECOND = 1_000
const LOST = { id: 'node-2', incarnation: 'lost' }
const times = protocolTimes()
const reuseOf = (reuse: ReuseClass) => ({ class: reuse, windowMs: reuse === 'P1' ? 30 * SECOND : 0, neverProbe: false })

describe('what may be taken over from a dead holder at once', () => {
  const intent = { id: 'itn_open' as const, generation: 4, at: 1_000_000 }
  const lease = { owner: 'node-2', incarnation: 'lost', epoch: 1, until: intent.at + 600 * SECOND }
  const open = { intent, suspicion: null, generation: 4, lease }
  const may = (credential: Parameters<typeof mayTakeOver>[0]['credential'], reuse: Reuse, now: number, state: ConnectionState = 'active') =>
    mayTakeOver({ connection: { state }, credential }, reuse, now, times)

  test.each([
    ['P0', true],
    ['P2', true],
    ['P3', false],
    ['P4', false],
    ['PU', false],
  ] as const)('%s: %s', (reuse, allowed) => {
    for (const age of [0, 10 * SECOND, 599 * SECOND]) expect(may(open, reuseOf(reuse), intent.at + age)).toBe(allowed)
  })

  test('P1 while 0.8 of its window runs, less the slack to send in, and not a millisecond longer', () => {
    const last = intent.at + 24 * SECOND - times.windowSlackMs - 1
    expect(may(open, reuseOf('P1'), intent.at)).toBe(true)
    expect(may(open, reuseOf('P1'), last)).toBe(true)
    expect(may(open, reuseOf('P1'), last + 1)).toBe(false)
  })

  test('P1 counts from the oldest presentation, and an intent of an older generation is none', () => {
    const suspicion = { intent: 'itn_older' as const, at: intent.at - 20 * SECOND, answered: false }
    expect(may({ ...open, suspicion }, reuseOf('P1'), intent.at + 4 * SECOND)).toBe(false)
    expect(may({ ...open, generation: 5 }, reuseOf('P1'), intent.at + 599 * SECOND)).toBe(true)
  })

  test('nothing that could be presented again follows from it, and its time is over: P4 is freed where no probe is allowed, or the grant is not renewed', () => {
    const never = { ...reuseOf('P4'), neverProbe: true }
    expect(may(open, never, lease.until - 1)).toBe(false)
    expect(may(open, never, lease.until)).toBe(true)
    expect(may(open, reuseOf('P4'), lease.until)).toBe(false)
    for (const state of ['needs_reauth', 'paused', 'disconnected'] as const) {
      expect(may(open, reuseOf('P4'), lease.until - 1, state)).toBe(false)
      expect(may(open, reuseOf('P4'), lease.until, state)).toBe(true)
    }
  })
})

/** A second node claims, and is gone: its lease stands and its row is there, but nothing holds its lock. */
async function labWithLostNode(reuse: NonNullable<LabOptions['reuse']>, ports?: LabOptions['ports']): Promise<EngineLab> {
  const lab = await createEngineLab({ reuse, settings: { renewal: 'ahead' }, ...(ports === undefined ? {} : { ports }) })
  const member = await lab.store.nodes.join(LOST, 0)
  const leaseMs = leaseFor(reuseOf(reuse), times)
  await lab.store.credentials.claim({ connection: lab.connection, generation: 1, epoch: 0, node: LOST, intent: 'itn_lost', leaseMs })
  await member.leave()
  return lab
}

/** Two looks of the chore. */
async function twoLooks(lab: EngineLab): Promise<readonly number[]> {
  const first = await lab.engine.takeOverLost()
  await lab.time.advance(3 * SECOND)
  return [first, await lab.engine.takeOverLost()]
}

test('at P0 a lost node’s connection is due after two looks and renewed long before its lease would have ended', async () => {
  const lab = await labWithLostNode('P0')
  const at = (await lab.row()).credential.intent?.at
  expect(await twoLooks(lab)).toEqual([0, 1])
  expect((await lab.row()).credential).toMatchObject({ lease: null, suspicion: { intent: 'itn_lost', at, answered: false } })
  expect(await settle(lab, lab.engine.runDue())).toBe(1)
  await settle(lab, Promise.resolve())
  expect(lab.provider.presented).toEqual(['rt-1'])
  const { credential } = await lab.row()
  expect([credential.generation, credential.suspicion]).toEqual([2, null])
})

test('at P1 the window that the lost node opened is used by the survivor', async () => {
  const lab = await labWithLostNode('P1')
  await twoLooks(lab)
  await settle(lab, lab.engine.runDue())
  await settle(lab, Promise.resolve())
  expect((await lab.row()).credential.generation).toBe(2)
})

test('at P4 the lost node keeps its lease, its successor waits, and its late answer is applied', async () => {
  const lab = await labWithLostNode('P4')
  expect(await twoLooks(lab)).toEqual([0, 0])
  const { lease, suspicion } = (await lab.row()).credential
  expect([lease?.owner, suspicion]).toEqual(['node-2', null])
  expect(drainFor(reuseOf('P4'), times)).toBeLessThan((lease?.until ?? 0) - lab.time.clock.wall())
  // It comes back as another incarnation, with what it had left in its journal.
  const back = lab.another({ node: { ...LOST, incarnation: 'back' } })
  expect(await back.recover()).toMatchObject({ reclaimed: 1 })
  expect((await lab.row()).credential.suspicion?.intent).toBe('itn_lost')
  expect(lab.provider.presented).toEqual([])
})

test('at P4 nobody presents before the lease and the orphan wait are over, and then one probe goes out', async () => {
  const lab = await labWithLostNode('P4')
  await twoLooks(lab)
  for (let waited = 0; waited < 590; waited += 10) {
    await lab.engine.takeOverLost()
    await settle(lab, lab.engine.runDue())
    await lab.time.advance(10 * SECOND)
  }
  expect(lab.provider.presented).toEqual([])
  for (let waited = 0; waited < 3_600; waited += 60) {
    await settle(lab, lab.engine.runDue())
    await lab.time.advance(60 * SECOND)
  }
  expect(lab.provider.presented.slice(0, 1)).toEqual(['rt-1'])
  expect((await lab.row()).credential.generation).toBeGreaterThan(1)
})

test('a node that is missed once, as all are after a restart of the database, is not lost', async () => {
  const lab = await labWithLostNode('P0')
  expect(await lab.engine.takeOverLost()).toBe(0)
  const back = await lab.store.nodes.join(LOST, 0)
  expect(await lab.engine.takeOverLost()).toBe(0)
  await back.leave()
  expect(await lab.engine.takeOverLost()).toBe(0)
  expect(await lab.engine.takeOverLost()).toBe(1)
})

test('a lost node is walked once a minute, not at every look', async () => {
  let walks = 0
  const lab = await labWithLostNode('P4', ({ nodes }) => ({
    nodes: {
      ...nodes,
      leasesOf: (...page) => {
        walks += 1
        return nodes.leasesOf(...page)
      },
    },
  }))
  for (let look = 0; look < 30; look += 1) {
    await lab.engine.takeOverLost()
    await lab.time.advance(3 * SECOND)
  }
  expect(walks).toBe(2)
})

test('a node that must not start anything neither takes over, nor takes what is due, nor claims; it serves and heals', async () => {
  let refusal: Refusal | null = { code: 'clock_skewed', detail: 'the clock of this machine is 40 s ahead of the database’s' }
  const lab = await labWithLostNode('P0', () => ({ liveness: { refusal: () => refusal, term: () => 0, sawDatabaseTime: () => {} } }))
  expect(await twoLooks(lab)).toEqual([0, 0])
  expect(await lab.engine.runDue()).toBe(0)
  expect((await lab.read()).accessToken).toBe('at-1')
  await lab.time.advance(31 * SECOND)
  await expect(settle(lab, lab.engine.refresh(lab.organization, lab.connection))).rejects.toMatchObject({
    code: 'clock_skewed',
    message: expect.stringMatching(/40 s ahead/),
  })
  expect(lab.provider.opened).toBe(0)
  refusal = null
  expect((await settle(lab, lab.engine.refresh(lab.organization, lab.connection))).generation).toBe(2)
})

test('every claim tells the database’s time and how long the trip was', async () => {
  const seen: (readonly [number, number])[] = []
  let late = 0
  const lab = await createEngineLab({
    ports: ({ credentials, clock }) => ({
      liveness: { refusal: () => null, term: () => 0, sawDatabaseTime: (at, tripMs) => seen.push([at, tripMs]) },
      clock: { ...clock, mono: () => clock.mono() + late },
      credentials: {
        ...credentials,
        claim: async (request) => {
          const claim = await credentials.claim(request)
          late += 40
          return claim
        },
      },
    }),
  })
  const before = lab.time.clock.wall()
  await settle(lab, lab.engine.refresh(lab.organization, lab.connection))
  expect(seen).toEqual([[before, 40]])
})

test('at P4 a lease that ran out is nobody else’s while its holder lives, however long it pauses', async () => {
  let alive = true
  const lab = await labWithLostNode('P4', ({ nodes }) => ({
    nodes: { ...nodes, list: async () => (await nodes.list()).map((report) => (report.id === LOST.id ? { ...report, alive } : report)) },
  }))
  await lab.time.advance(3 * 3_600 * SECOND)
  await settle(lab, lab.engine.runDue())
  expect(lab.provider.presented).toEqual([])
  expect((await lab.row()).credential.lease?.owner).toBe('node-2')
  alive = false
  await lab.time.advance(60 * SECOND)
  await settle(lab, lab.engine.runDue())
  // One look proves nothing: after a restart of the database every lock is free for a moment.
  expect(lab.provider.presented).toEqual([])
  alive = true
  await lab.time.advance(60 * SECOND)
  await settle(lab, lab.engine.runDue())
  expect(lab.provider.presented).toEqual([])
  alive = false
  for (let look = 0; look < 3; look += 1) {
    await lab.time.advance(31 * SECOND)
    await settle(lab, lab.engine.runDue())
  }
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('a node that was out of sight between its claim and its first byte sends nothing, and gives the lease back', async () => {
  let term = 0
  let blinks = 1
  const lab = await createEngineLab({
    reuse: 'P4',
    ports: ({ credentials }) => ({
      liveness: { refusal: () => null, term: () => term, sawDatabaseTime: () => {} },
      credentials: {
        ...credentials,
        claim: async (request) => {
          const outcome = await credentials.claim(request)
          term += blinks
          return outcome
        },
      },
    }),
  })
  const forced = () =>
    settle(
      lab,
      lab.engine.refresh(lab.organization, lab.connection).catch((error: unknown) => error),
    )
  await Promise.race([forced(), lab.time.advance(5 * SECOND)])
  expect(lab.provider.presented).toEqual([])
  expect((await lab.row()).credential).toMatchObject({ lease: null, intent: null, suspicion: null })
  blinks = 0
  await forced()
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('at P0 a lease that ran out is taken whether its holder lives or not', async () => {
  const lab = await labWithLostNode('P0', ({ nodes }) => ({
    nodes: { ...nodes, list: async () => (await nodes.list()).map((report) => ({ ...report, alive: true })) },
  }))
  await lab.time.advance(3_600 * SECOND)
  await settle(lab, lab.engine.runDue())
  await settle(lab, Promise.resolve())
  expect(lab.provider.presented).toEqual(['rt-1'])
})
