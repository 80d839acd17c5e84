import { describe, expect, test } from 'vitest'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { TestOrganization } from '../conformance/test-organization.ts'
import { storeCases } from '../conformance.ts'
import { TimeIndex } from './time-index.ts'
import { openVolatileStore } from './volatile-store.ts'

const context = { entropy: systemEntropy, duePlan: async () => 'health_due: a heap by due time' }

describe('the contract on plain maps', () => {
  for (const { name, run } of storeCases) test(name, () => run(openVolatileStore({ clock: systemClock, timers: systemTimers }), context))
})

describe('the contract on plain maps that all cases share', () => {
  const store = openVolatileStore({ clock: systemClock, timers: systemTimers })
  for (const { name, run } of storeCases) test(name, () => run(store, context))
})

test('a write is visible before its promise resolves', async () => {
  const store = openVolatileStore({ clock: systemClock, timers: systemTimers })
  const org = await TestOrganization.open(store, context)
  const connection = await org.connect()
  const claimed = store.credentials.claim(org.claimRequest(connection))
  const read = store.credentials.read(connection)
  expect((await read)?.credential.epoch).toBe(1)
  await claimed
})

test('restore brings back rows, due times and lease holders of the snapshot, and nothing that came after', async () => {
  const time = createManualTime()
  const store = openVolatileStore(time)
  const org = await TestOrganization.open(store, context)
  const early = await org.connect({}, time.clock.wall() - 5)
  const held = await org.connect()
  const intent = await org.claimed(held)
  const snapshot = store.snapshot()
  await store.credentials.commitGrant(org.grant(held, intent, 1))
  const late = await org.connect({}, time.clock.wall() - 9)
  expect(await store.credentials.takeDue(10, 1_000)).toHaveLength(2)
  store.restore(snapshot)
  expect(await store.credentials.read(late)).toBeUndefined()
  expect((await org.row(held)).credential.generation).toBe(1)
  expect(await store.credentials.unappliedAnswers(org.organization, 5)).toEqual([])
  expect((await store.credentials.takeDue(10, 1_000)).map((due) => due.connection)).toEqual([early])
  expect(await store.credentials.reclaim(org.node('node-a', '2'))).toBe(1)
  expect((await store.credentials.commitGrant(org.grant(held, intent, 1))).kind).toBe('applied')
})

test('a liveness lock is free once its connection is gone, and goes to whoever takes it first', async () => {
  const time = createManualTime()
  const store = openVolatileStore(time)
  const [first, second] = [
    { id: 'node', incarnation: '1' },
    { id: 'node', incarnation: '2' },
  ]
  const membership = await store.nodes.join(first, 0)
  await expect(store.nodes.join(second, 0)).rejects.toThrow(/a live process is node already/)
  const joining = store.nodes.join(second, 1_000)
  store.locks.drop(first)
  expect(membership.held()).toBe(false)
  await expect(membership.beat(false)).rejects.toThrow(/lost/)
  await time.advance(200)
  expect((await joining).held()).toBe(true)
  expect(store.locks.retake(first)).toBe(false)
  store.locks.drop(second)
  expect((await store.nodes.list()).map((node) => [node.incarnation, node.alive])).toEqual([['2', false]])
  expect(store.locks.retake(second)).toBe(true)
})

test('a time index gives what is due oldest first, once, and forgets where a key was before', () => {
  const index = new TimeIndex<number>()
  const times = Array.from({ length: 2_000 }, (_, key) => (key * 7_919) % 1_009)
  for (const [key] of times.entries()) index.set(key, 5_000)
  for (const [key, at] of times.entries()) index.set(key, at)
  for (let key = 0; key < times.length; key += 3) index.set(key, null)
  const taken = index.take(500, 10_000)
  const wanted = times.flatMap((at, key) => (at <= 500 && key % 3 !== 0 ? [{ key, at }] : []))
  wanted.sort((left, right) => left.at - right.at || left.key - right.key)
  expect(taken).toEqual(wanted.map(({ key }) => key))
  expect(index.take(500, 10)).toEqual([])
  expect(() => index.set(1, Number.NaN)).toThrow(/no instant/)
})
