import { expect, test } from 'vitest'
import { createManualTime } from '../../testing/manual-time.ts'
import { ExchangeTimes } from './exchange-times.ts'

const INT = 'int_1'

/** A clock that a test moves by hand, and the timers that wait: they fire when the test says so, however late. */
function byHand() {
  const waits: (() => void)[] = []
  let now = 0
  const timers = {
    after: (_: number, task: () => void) => {
      waits.push(task)
      return () => {}
    },
  }
  const pass = (ms: number) => {
    now += ms
    for (const task of waits.splice(0)) task()
  }
  return { times: new ExchangeTimes({ mono: () => now }, timers), pass, waiting: () => waits.length }
}

test('an exchange takes what it takes at the provider, not what the database takes in between', async () => {
  const { clock, timers, advance } = createManualTime()
  const times = new ExchangeTimes(clock, timers)
  const visit = times.visit(INT)
  await advance(100)
  visit.leave()
  await advance(9_000)
  visit.arrive()
  await advance(300)
  visit.end(true)
  expect(times.typicalMs(INT, 8)).toBe(400)
})

test('a pause of this process is no time of the provider', () => {
  const { times, pass } = byHand()
  const visit = times.visit(INT)
  pass(500)
  pass(10_000)
  visit.end(true)
  expect(times.typicalMs(INT, 8)).toBe(1_000)
})

test('requests that do not come back count where they fill half of the places', async () => {
  const { clock, timers, advance } = createManualTime()
  const times = new ExchangeTimes(clock, timers)
  for (let one = 0; one < 4; one += 1) times.visit(INT)
  await advance(20_000)
  expect([times.typicalMs(INT, 8), times.typicalMs(INT, 9)]).toEqual([20_000, 0])
})

test('what never got to its answer says nothing about the next', async () => {
  const { clock, timers, advance } = createManualTime()
  const times = new ExchangeTimes(clock, timers)
  const visit = times.visit(INT)
  await advance(5_000)
  visit.end(false)
  expect(times.typicalMs(INT, 1)).toBe(0)
})

test('what is typical is in the middle, whatever the order: one slow answer and one that came at once say little', () => {
  const { times, pass } = byHand()
  for (const ms of [5_000, 10, 300, 20, 400]) {
    const visit = times.visit(INT)
    pass(ms)
    visit.end(true)
  }
  expect(times.typicalMs(INT, 8)).toBe(300)
})

test('the oldest exchanges are forgotten: a provider that was slow once is not slow for ever', () => {
  const { times, pass } = byHand()
  for (let count = 0; count < 400; count += 1) {
    const visit = times.visit(INT)
    pass(count < 200 ? 900 : 100)
    visit.end(true)
  }
  expect(times.typicalMs(INT, 8)).toBe(100)
})

test('no request under way, no timer', () => {
  const { times, pass, waiting } = byHand()
  times.visit(INT).end(true)
  pass(500)
  expect(waiting()).toBe(0)
})
