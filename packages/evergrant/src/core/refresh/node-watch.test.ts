import { expect, test } from 'vitest'
import { createManualTime } from '../../testing/manual-time.ts'
import { DatabaseClock } from '../database-clock.ts'
import { NodeWatch } from './node-watch.ts'

const START = Date.UTC(2026, 0, 1)

/** A node on a machine whose clock a test sets, and a database that is always right. */
function watched() {
  const time = createManualTime(START)
  const clock = new DatabaseClock(time.clock)
  const lines: string[] = []
  const line = (level: string) => (_fields: object, message: string) => lines.push(`${level}: ${message}`)
  const membership = {
    lock: true,
    held: () => membership.lock,
    losses: () => 0,
    beat: () => (membership.lock ? Promise.resolve(START + time.clock.mono()) : Promise.reject(new Error('lost'))),
  }
  const watch = new NodeWatch({ membership, clock, log: { info: line('info'), warn: line('warn'), error: line('error') } })
  /** Sets the machine's clock that much ahead of the true time. */
  const machineAheadBy = (ms: number) => time.setWall(START + time.clock.mono() + ms)
  return { time, clock, watch, lines, membership, machineAheadBy }
}

test('a node that is seen to live and tells the right time may start', async () => {
  const { watch, lines } = watched()
  await watch.beat(false)
  expect([watch.refusal(), lines]).toEqual([null, []])
})

test('without the lock nothing is started, and a heartbeat does not pretend otherwise', async () => {
  const { watch, membership } = watched()
  membership.lock = false
  expect(watch.refusal()).toMatchObject({ code: 'store_unavailable', detail: expect.stringMatching(/cannot show the others that it lives/) })
  await expect(watch.beat(false)).rejects.toThrow('lost')
  membership.lock = true
  expect(watch.refusal()).toBeNull()
})

test.each([
  [4_900, null, []],
  [6_000, null, [/^warn: the clock of this machine is 6 s ahead of the database's: turn on time synchronisation/]],
  [-6_000, null, [/^warn: the clock of this machine is 6 s behind the database's/]],
  [31_000, 'clock_skewed', [/^error: the clock of this machine is 31 s ahead of the database's: no refresh is started here/]],
  [-31_000, 'clock_skewed', [/^error: the clock of this machine is 31 s behind the database's/]],
])('a machine that is %i ms ahead: %s', async (aheadMs, code, told) => {
  const { watch, lines, machineAheadBy } = watched()
  machineAheadBy(aheadMs)
  await watch.beat(false)
  expect(watch.refusal()?.code ?? null).toBe(code)
  expect(lines).toEqual(told.map((line) => expect.stringMatching(line)))
})

test('it is told once, refused from the very jump on, and over by itself when the clock is right again', async () => {
  const { watch, lines, machineAheadBy, time } = watched()
  await watch.beat(false)
  machineAheadBy(40_000)
  expect(watch.refusal()?.code).toBe('clock_skewed')
  for (let beat = 0; beat < 5; beat += 1) {
    await watch.beat(false)
    await time.advance(5_000)
  }
  machineAheadBy(0)
  expect(watch.refusal()).toBeNull()
  await watch.beat(false)
  expect(lines).toEqual([expect.stringMatching(/^error: .* 40 s ahead/), expect.stringMatching(/^info: .* agrees with the database again/)])
})

test('a claim that took long proves no skew', async () => {
  const { watch, time, lines } = watched()
  await watch.beat(false)
  const said = START + time.clock.mono()
  await time.advance(40_000)
  watch.sawDatabaseTime(said, 40_000)
  expect([watch.refusal(), lines]).toEqual([null, []])
})
