import { expect, test } from 'vitest'
import { createManualTime } from '../testing/manual-time.ts'
import { DatabaseClock } from './database-clock.ts'

const seconds = (ms: number): number => Math.round(ms / 1_000)
const START = Date.UTC(2026, 0, 1)

test('until the database has spoken, its clock is the machine’s', async () => {
  const time = createManualTime(START)
  const clock = new DatabaseClock(time.clock)
  await time.advance(1_234)
  expect([clock.wall(), clock.skewMs()]).toEqual([START + 1_234, 0])
})

test('the first answer sets it, to the middle of what the round trip leaves open', () => {
  const clock = new DatabaseClock(createManualTime(START).clock)
  clock.saw(START + 60_000, 99)
  expect(clock.wall()).toBe(START + 60_050)
})

test('a jump of the machine’s clock, forwards or back, moves nothing', async () => {
  const time = createManualTime(START)
  const clock = new DatabaseClock(time.clock)
  clock.saw(START, 1)
  time.setWall(START + 86_400_000)
  await time.advance(1_000)
  expect(clock.wall()).toBe(START + 1_001)
  time.setWall(START - 86_400_000)
  expect(clock.wall()).toBe(START + 1_001)
})

test('a slow round trip neither moves what a quick one has settled nor proves a skew', async () => {
  const time = createManualTime(START)
  const clock = new DatabaseClock(time.clock)
  clock.saw(START, 1)
  await time.advance(10_000)
  clock.saw(START + 3_000, 8_000)
  expect([clock.wall(), clock.skewMs()]).toEqual([START + 10_001, 0])
  const late = new DatabaseClock(time.clock)
  late.saw(START + 10_000, 40_000)
  expect(late.skewMs()).toBe(0)
})

test('it follows the database when that jumps, as after a failover', () => {
  const clock = new DatabaseClock(createManualTime(START).clock)
  clock.saw(START, 1)
  clock.saw(START + 45_000, 10)
  expect(clock.wall()).toBe(START + 45_000)
  clock.saw(START - 45_000, 10)
  expect(clock.wall()).toBe(START - 45_000 + 11)
})

test('the skew is database minus machine, less what the round trip leaves open, and is gone when the machine is right again', () => {
  const time = createManualTime(START)
  const clock = new DatabaseClock(time.clock)
  clock.saw(START, 0)
  expect(clock.skewMs()).toBe(0)
  time.setWall(START + 31_000)
  expect(seconds(clock.skewMs())).toBe(-31)
  time.setWall(START - 31_000)
  expect(seconds(clock.skewMs())).toBe(31)
  time.setWall(START)
  expect(clock.skewMs()).toBe(0)
})
