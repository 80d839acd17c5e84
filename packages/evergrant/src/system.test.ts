import { expect, test } from 'vitest'
import { systemEntropy, systemTimers, uuidSource } from './system.ts'
import { createManualTime } from './testing/manual-time.ts'

test('UUIDs are version 7, carry their time, and only ever grow', () => {
  const ids = Array.from({ length: 20_000 }, () => systemEntropy.uuid())
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(ids).toEqual([...ids].sort())
  expect(new Set(ids).size).toBe(ids.length)
  expect(Math.abs(Number.parseInt((ids[0] ?? '').replace('-', '').slice(0, 12), 16) - Date.now())).toBeLessThan(10_000)
})

test('UUIDs grow through a full counter and through a clock that steps back', () => {
  let now = 1_000_000
  const uuid = uuidSource(
    () => now,
    (length) => systemEntropy.bytes(length),
  )
  const ids = Array.from({ length: 10_000 }, () => uuid())
  now -= 500_000
  ids.push(...Array.from({ length: 10 }, () => uuid()))
  expect(ids).toEqual([...ids].sort())
  expect(new Set(ids).size).toBe(ids.length)
})

test('random bytes have the length asked for and are never handed out twice', () => {
  const seen = new Set<string>()
  for (const length of [0, 1, 16, 1_024, 1_025, 5_000]) expect(systemEntropy.bytes(length)).toHaveLength(length)
  for (let count = 0; count < 5_000; count += 1) seen.add(Buffer.from(systemEntropy.bytes(16)).toString('hex'))
  expect(seen.size).toBe(5_000)
})

test('uniform numbers fill [0, 1)', () => {
  const numbers = Array.from({ length: 10_000 }, () => systemEntropy.uniform())
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
  expect(numbers.reduce((sum, number) => sum + number, 0) / numbers.length).toBeCloseTo(0.5, 1)
  expect(Math.max(...numbers)).toBeGreaterThan(0.99)
})

test('a sleep ends early when it is cancelled, and never rejects', async () => {
  const controller = new AbortController()
  const sleeping = systemTimers.sleep(60_000, controller.signal)
  controller.abort()
  await sleeping
  await systemTimers.sleep(60_000, controller.signal)
})

test('a wait longer than 24 days does not end at once', async () => {
  let ran = false
  const cancel = systemTimers.after(2 ** 33, () => {
    ran = true
  })
  await systemTimers.sleep(20)
  cancel()
  expect(ran).toBe(false)
})

test('manual time runs what is due in order, and what that makes due', async () => {
  const time = createManualTime(5_000)
  const log: string[] = []
  time.timers.after(20, () => log.push(`b ${time.clock.mono()}`))
  time.timers.after(10, () => {
    log.push(`a ${time.clock.mono()}`)
    void time.timers.sleep(5).then(() => log.push(`c ${time.clock.wall()}`))
  })
  const cancel = time.timers.after(1, () => log.push('cancelled'))
  cancel()
  await time.advance(30)
  expect(log).toEqual(['a 10', 'c 5015', 'b 20'])
  expect(time.clock.wall()).toBe(5_030)
  expect(time.waiting()).toBe(0)
  time.setWall(1)
  expect([time.clock.wall(), time.clock.mono()]).toEqual([1, 30])
})
