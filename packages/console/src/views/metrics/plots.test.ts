import { expect, test } from 'vitest'
import { leadBars } from './lead-time.tsx'
import { askedOf, leadsTo, PLOTS, plotData, stacked, successShare, summaryOf, valueWords } from './plots.ts'

const at = (hour: number): string => new Date(Date.UTC(2026, 10, 21, hour)).toISOString()
const series = (name: string, points: readonly (readonly [number, number])[], labels = {}) => ({
  name,
  labels,
  points: points.map(([hour, value]) => [at(hour), value] as const),
})
const history = (...all: ReturnType<typeof series>[]) => ({ step: 'hour', from: at(0), series: all })
const kind = (id: string) => PLOTS.find((plot) => plot.id === id)!

test('lines of different hours stand over one row of times: a stack has 0 where nothing was counted, a line a gap', () => {
  const stack = plotData(kind('refreshes'), history(series('refreshes_ok', [[1, 5]]), series('refreshes_dead', [[2, 1]])))
  expect(stack.times).toHaveLength(2)
  expect(stack.lines.map(({ values }) => values)).toEqual([
    [5, 0],
    [0, 0],
    [0, 0],
    [0, 1],
  ])
  const line = plotData(kind('latency'), history(series('refresh_ms_p50', [[1, 80]]), series('refresh_ms_p95', [[2, 900]])))
  expect(line.lines[0]?.values).toEqual([80, null])
})

test('with a provider only its own lines are drawn', () => {
  const both = history(series('reads', [[1, 7]], { provider: 'github' }), series('reads', [[1, 2]], { provider: 'slack' }))
  expect(plotData(kind('reads'), both, 'slack').lines[0]?.values).toEqual([2])
  expect(plotData(kind('reads'), both).lines[0]?.values).toEqual([9])
})

test('states are told apart by their label', () => {
  const found = plotData(
    kind('states'),
    history(series('connections_by_status', [[1, 40]], { status: 'active' }), series('connections_by_status', [[1, 2]], { status: 'needs_reauth' })),
  )
  expect(found.lines.find(({ name }) => name === 'need their owner')?.values).toEqual([2])
  expect(askedOf(kind('states'))).toBe('connections_by_status')
})

test('a stack adds each line to those before it', () => {
  const { lines } = stacked({
    times: [1],
    lines: [
      { name: 'a', color: '', values: [2] },
      { name: 'b', color: '', values: [3] },
    ],
  })
  expect(lines.map(({ values }) => values[0])).toEqual([2, 5])
})

test('the sentence sums counts, says the last of states and the worst of times', () => {
  const said = (id: string, ...all: ReturnType<typeof series>[]) => summaryOf(kind(id), plotData(kind(id), history(...all)))
  expect(
    said(
      'refreshes',
      series('refreshes_ok', [
        [1, 5],
        [2, 6],
      ]),
    ),
  ).toContain('In all: 11 renewed')
  expect(
    said(
      'states',
      series(
        'connections_by_status',
        [
          [1, 5],
          [2, 6],
        ],
        { status: 'active' },
      ),
    ),
  ).toContain('Last: 6 active')
  expect(
    said(
      'latency',
      series('refresh_ms_p95', [
        [1, 5],
        [2, 1_600],
      ]),
    ),
  ).toContain('At worst: 1.6 s 95 of 100')
  expect(said('reads')).toContain('Nothing was counted')
})

test('a grant that is over is no failed refresh', () => {
  expect(successShare(history(series('refreshes_ok', [[1, 99]]), series('refreshes_transient', [[1, 1]]), series('refreshes_dead', [[1, 50]])))).toBe(0.99)
  expect(successShare(history())).toBeNull()
})

test('what was left at a renewal is summed by how much it was, too late first', () => {
  const bars = leadBars(
    history(
      series(
        'lead_seconds',
        [
          [1, 2],
          [2, 3],
        ],
        { le: '600' },
      ),
      series('lead_seconds', [[1, 1]], { le: '+Inf' }),
      series('lead_seconds', [[1, 4]], { le: '0' }),
    ),
  )
  expect(bars.map(({ text, values }) => [text, values[0]])).toEqual([
    ['too late', 4],
    ['≤ 10 min', 5],
    ['more', 1],
  ])
})

test('numbers carry their unit', () => {
  expect([valueWords(1_204, ''), valueWords(80, 'ms'), valueWords(240, 's')]).toEqual(['1,204', '80 ms', '4 min'])
})

test('the share of connect flows that were completed leaves out what is still under way', () => {
  const flows = history(
    series('connect_started', [[1, 10]]),
    series('connect_completed', [
      [1, 4],
      [2, 2],
    ]),
    series('connect_failed', [[1, 2]]),
  )
  expect(summaryOf(kind('connect'), plotData(kind('connect'), flows))).toContain('75.0 % of those that ended were completed.')
  const begun = plotData(kind('connect'), history(series('connect_started', [[1, 10]])))
  expect(summaryOf(kind('connect'), begun)).not.toContain('%')
})

test('a number of one provider leads to the list of that provider, where the list knows providers', () => {
  const to = (id: string) => kind(id).to!
  expect(leadsTo(to('states'), 'google')).toEqual({ provider: 'google' })
  expect(leadsTo(to('refreshes'), 'google')).toEqual({ q: 'type:connection.refresh_failed type:connection.needs_reauth provider:google' })
  expect(leadsTo(to('sessions'), 'google')).toEqual(to('sessions').search)
  expect(leadsTo(to('refreshes'), undefined)).toEqual(to('refreshes').search)
})
