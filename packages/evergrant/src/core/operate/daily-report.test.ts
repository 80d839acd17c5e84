import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import type { NewEvent } from '../audit/event.ts'
import { newId } from '../ids.ts'
import type { HistoryRow } from '../observe/observed.ts'
import { DAY, HOUR, MINUTE } from '../time.ts'
import { DailyReports } from './daily-report.ts'

const MIDNIGHT = Date.UTC(2026, 4, 10)
const organization = newId('org', systemEntropy)

function house() {
  const time = createManualTime(MIDNIGHT)
  const written = new Map<string, NewEvent>()
  const asked: (readonly [number, number])[] = []
  const row = (hour: number, counts: HistoryRow['counts']): HistoryRow => ({ organization, hour, provider: 'strava', node: 'n', counts })
  const node = () =>
    new DailyReports({
      observed: {
        history: async (_organization, from, to) => {
          asked.push([from, to])
          return [row(from, { refreshes_ok: 40, refreshes_unknown: 1, reads: 7 }), row(from + HOUR, { refreshes_ok: 2, refreshes_dead: 3 })]
        },
        tally: async () => [{ integration: newId('int', systemEntropy), status: 'needs_reauth', code: null, connections: 4, since: null }],
        endingBefore: async () => [1, 6],
      },
      events: {
        appendOnce: async (key, event) => {
          if (written.has(key)) return false
          written.set(key, event)
          return true
        },
      },
      organizations: { list: async () => [{ id: organization }] },
      clock: time.clock,
      entropy: systemEntropy,
    })
  return { time, written, asked, node }
}

test('the day before is reported once it is written, with its figures and what stands open', async () => {
  const { time, written, asked, node } = house()
  const reports = node()
  time.setWall(MIDNIGHT + 10 * MINUTE)
  expect(await reports.work()).toBe(0)
  time.setWall(MIDNIGHT + 25 * MINUTE)
  expect(await reports.work()).toBe(1)
  expect(asked).toEqual([[MIDNIGHT - DAY, MIDNIGHT]])
  const [event] = [...written.values()]
  expect(event).toMatchObject({
    type: 'report.daily',
    data: { from: MIDNIGHT - DAY, refreshes_ok: 42, refreshes_failed: 4, reads: 7, connections: { needs_reauth: 4, active: 0 }, ending: { day: 1, week: 6 } },
  })
})

test('of two nodes one writes it, a node writes it once, and the next day has its own', async () => {
  const { time, written, node } = house()
  const [one, two] = [node(), node()]
  time.setWall(MIDNIGHT + HOUR)
  expect([await one.work(), await two.work(), await one.work()]).toEqual([1, 0, 0])
  time.setWall(MIDNIGHT + DAY + HOUR)
  expect(await two.work()).toBe(1)
  expect(written.size).toBe(2)
})
