import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { newId } from '../ids.ts'
import { HOUR, MINUTE } from '../time.ts'
import { placeIn, quantile } from './buckets.ts'
import { HistoryCounter } from './history-counter.ts'
import { seriesOf } from './history-series.ts'
import type { HistoryRow } from './observed.ts'

const organization = newId('org', systemEntropy)
const START = Date.UTC(2026, 0, 1)

/** What a store would hold: the last word of each writer. */
function written() {
  const rows = new Map<string, HistoryRow>()
  let failing = false
  return {
    rows: () => [...rows.values()],
    fail: (now: boolean) => {
      failing = now
    },
    writeHistory: async (given: readonly HistoryRow[], notBefore: number) => {
      for (const row of given) if (row.hour >= notBefore) rows.set(`${row.hour} ${row.provider} ${row.node}`, row)
      // The write happened and its answer was lost: the worst moment.
      if (failing) throw new Error('the outcome is not known')
    },
  }
}

test('a write whose outcome is not known is repeated and counts nothing twice; a new start counts in rows of its own', async () => {
  const time = createManualTime(START)
  const store = written()
  const start = (incarnation: string) => new HistoryCounter({ observed: store, clock: time.clock, incarnation })
  const first = start('one')
  first.observe({ kind: 'granted', provider: 'example', durationMs: 40, organization, leadMs: 600_000 })
  first.observe({ kind: 'throttled', provider: 'example', durationMs: 40, organization })
  first.observe({ kind: 'granted', provider: 'example', durationMs: 40 })
  store.fail(true)
  await expect(first.flush()).rejects.toThrow('not known')
  store.fail(false)
  await first.flush()
  const second = start('two')
  second.observe({ kind: 'granted', provider: 'example', durationMs: 90, organization })
  await second.flush()
  const [ok] = seriesOf(store.rows(), ['refreshes_ok'], { stepMs: HOUR, byProvider: true })
  expect(ok).toEqual({ name: 'refreshes_ok', labels: { provider: 'example' }, points: [[START, 2]] })
  expect(seriesOf(store.rows(), ['throttled', 'refreshes_transient', 'lead_seconds'], { stepMs: HOUR, byProvider: false })).toEqual(
    [
      { name: 'lead_seconds', labels: { le: '600' }, points: [[START, 1]] },
      { name: 'refreshes_transient', labels: {}, points: [[START, 1]] },
      { name: 'throttled', labels: {}, points: [[START, 1]] },
    ].sort(
      (left, right) =>
        ['throttled', 'refreshes_transient', 'lead_seconds'].indexOf(left.name) - ['throttled', 'refreshes_transient', 'lead_seconds'].indexOf(right.name),
    ),
  )
})

test('hours that are over are left to others', async () => {
  const time = createManualTime(START + 59 * MINUTE)
  const store = written()
  const counter = new HistoryCounter({ observed: store, clock: time.clock, incarnation: 'one' })
  counter.count(organization, '', 'reads')
  await time.advance(4 * HOUR)
  counter.count(organization, '', 'reads', 2)
  await counter.flush()
  expect(store.rows().map(({ hour, counts }) => [hour, counts.reads])).toEqual([[START + 4 * HOUR, 2]])
})

test('a state is not added up over time, and all providers of one hour are', () => {
  const row = (hour: number, provider: string, active: number): HistoryRow => ({
    organization,
    hour,
    provider,
    node: 'statuses',
    counts: { 'status:active': active },
  })
  const rows = [row(START, 'a', 9), row(START + HOUR, 'a', 5), row(START + HOUR, 'b', 2)]
  expect(seriesOf(rows, ['connections_by_status'], { stepMs: 24 * HOUR, byProvider: false })).toEqual([
    { name: 'connections_by_status', labels: { status: 'active' }, points: [[START, 7]] },
  ])
})

test('a quantile lies in the bucket where its share of the values is', () => {
  const ends = [10, 100, 1_000]
  const counts: Record<string, number> = {}
  for (const value of [...Array.from({ length: 90 }, () => 5), ...Array.from({ length: 10 }, () => 500)]) {
    const place = placeIn(ends, value)
    counts[place] = (counts[place] ?? 0) + 1
  }
  const of = (share: number) => quantile(ends, (bucket) => counts[bucket] ?? 0, share) ?? Number.NaN
  expect(of(0.5)).toBeLessThanOrEqual(10)
  expect(of(0.95)).toBeGreaterThan(100)
  expect(of(0.95)).toBeLessThanOrEqual(1_000)
  expect(quantile(ends, () => 0, 0.5)).toBeNull()
  expect(placeIn(ends, 5_000)).toBe('over')
})
