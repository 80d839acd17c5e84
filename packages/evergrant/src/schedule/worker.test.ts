import { expect, test } from 'vitest'
import { createManualTime } from '../testing/manual-time.ts'
import { startWorker } from './worker.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

test('a chore runs at once, and again after its interval', async () => {
  const time = createManualTime(0)
  let runs = 0
  const worker = startWorker(
    [
      {
        name: 'count',
        everyMs: 1_000,
        run: async () => {
          runs += 1
          return false
        },
      },
    ],
    { timers: time.timers, log: quiet },
  )
  await time.advance(0)
  expect(runs).toBe(1)
  await time.advance(999)
  expect(runs).toBe(1)
  await time.advance(1)
  expect(runs).toBe(2)
  await worker.stop()
})

test('a chore that has more to do runs again without waiting', async () => {
  const time = createManualTime(0)
  let left = 3
  const worker = startWorker(
    [
      {
        name: 'drain',
        everyMs: 1_000,
        run: async () => {
          left -= 1
          return left > 0
        },
      },
    ],
    { timers: time.timers, log: quiet },
  )
  await time.advance(0)
  expect(left).toBe(0)
  await worker.stop()
})

test('a chore that fails is tried again, and its neighbour goes on', async () => {
  const time = createManualTime(0)
  const ran: string[] = []
  const worker = startWorker(
    [
      {
        name: 'broken',
        everyMs: 1_000,
        run: () => {
          ran.push('broken')
          return Promise.reject(new Error('no'))
        },
      },
      {
        name: 'fine',
        everyMs: 1_000,
        run: async () => {
          ran.push('fine')
          return false
        },
      },
    ],
    { timers: time.timers, log: quiet },
  )
  await time.advance(0)
  await time.advance(1_000)
  expect(ran.filter((name) => name === 'broken')).toHaveLength(2)
  expect(ran.filter((name) => name === 'fine')).toHaveLength(2)
  await worker.stop()
})

test('a nudge ends the wait', async () => {
  const time = createManualTime(0)
  let runs = 0
  const worker = startWorker(
    [
      {
        name: 'due',
        everyMs: 60_000,
        run: async () => {
          runs += 1
          return false
        },
      },
    ],
    { timers: time.timers, log: quiet },
  )
  await time.advance(0)
  worker.nudge('due')
  await time.advance(0)
  expect(runs).toBe(2)
  await worker.stop()
})

test('stopping waits for the run that is under way and starts no other', async () => {
  const time = createManualTime(0)
  let finish = () => {}
  let runs = 0
  const worker = startWorker(
    [
      {
        name: 'slow',
        everyMs: 1,
        run: () =>
          new Promise<boolean>((resolve) => {
            runs += 1
            finish = () => resolve(true)
          }),
      },
    ],
    { timers: time.timers, log: quiet },
  )
  let stopped = false
  const stopping = worker.stop().then(() => {
    stopped = true
  })
  await time.advance(10)
  expect(stopped).toBe(false)
  finish()
  await stopping
  expect(runs).toBe(1)
})
