import { expect, test } from 'vitest'
import { brushed, lanesOf, spanOf, ticksOf, zoomed } from './expiry-plan.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 10, 21, 19, 30)
const START = Date.UTC(2026, 10, 21, 19)
const bucket = (hour: number, lane: string, human: number, automatic: number) => ({
  from: new Date(START + hour * HOUR).toISOString(),
  to: new Date(START + (hour + 1) * HOUR).toISOString(),
  lane,
  human,
  automatic,
})

test('a span begins on a full hour, so that the same question is asked for an hour', () => {
  expect(spanOf('day', NOW)).toEqual({ from: START, to: START + 24 * HOUR })
  expect(spanOf('day', NOW + 20 * 60_000)).toEqual(spanOf('day', NOW))
})

test('zooming in halves the span, and never goes under two hours', () => {
  const day = spanOf('day', NOW)
  expect(zoomed(day, 'in', NOW)).toEqual({ from: START + 6 * HOUR, to: START + 18 * HOUR })
  const small = { from: START, to: START + 2 * HOUR }
  const { from, to } = zoomed(small, 'in', NOW)
  expect(to - from).toBe(2 * HOUR)
})

test('zooming out and going earlier never look into what is over', () => {
  expect(zoomed(spanOf('day', NOW), 'out', NOW).from).toBe(START)
  expect(zoomed(spanOf('day', NOW), 'earlier', NOW).from).toBe(START)
})

test('dragging chooses whole hours in either direction; a click chooses nothing', () => {
  const day = spanOf('day', NOW)
  expect(brushed(day, 0.5, 0.25)).toEqual({ from: START + 6 * HOUR, to: START + 12 * HOUR })
  expect(brushed(day, 0.5, 0.5)).toBeNull()
})

test('lanes with the most work for people come first, and one connection among many is still seen', () => {
  const lanes = lanesOf([bucket(0, 'slack', 0, 10_000), bucket(1, 'google', 1, 0), bucket(2, 'google', 0, 5)], spanOf('day', NOW))
  expect(lanes.map(({ name, human, automatic }) => [name, human, automatic])).toEqual([
    ['google', 1, 5],
    ['slack', 0, 10_000],
  ])
  expect(lanes[0]?.bars[0]?.human).toBeGreaterThanOrEqual(0.08)
})

test('what lies outside the span is left out, what reaches over its edge is cut', () => {
  const lanes = lanesOf([bucket(-5, 'slack', 1, 0), bucket(23.5, 'slack', 1, 0)], spanOf('day', NOW))
  expect(lanes[0]?.bars).toHaveLength(1)
  const [bar] = lanes[0]?.bars ?? []
  expect((bar?.x ?? 0) + (bar?.width ?? 0)).toBeCloseTo(1)
})

test('the axis has a handful of lines, whatever the span is', () => {
  for (const range of ['day', 'week', 'month', 'quarter'] as const) {
    const { length } = ticksOf(spanOf(range, NOW))
    expect(length).toBeGreaterThan(2)
    expect(length).toBeLessThan(9)
  }
})
