import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createMeters } from './meters.ts'
import { METRICS } from './metric-table.ts'
import { metricsMarkdown } from './metrics-page.ts'

test('docs/reference/metrics.md is what the table says; `node scripts/write-metrics.ts` writes it', () => {
  expect(readFileSync(new URL('../../../../docs/reference/metrics.md', import.meta.url), 'utf8')).toBe(metricsMarkdown())
})

test('every metric of the table is served under its name, with its help and its kind, and nothing else of ours is', async () => {
  const text = await createMeters().text()
  const served = [...text.matchAll(/^# TYPE (evergrant_\w+) (\w+)$/gm)].map(([, name, kind]) => `${name} ${kind}`)
  expect(served.toSorted()).toEqual(METRICS.map(({ name, kind }) => `${name} ${kind}`).toSorted())
  for (const { name, help } of METRICS) expect(text).toContain(`# HELP ${name} ${help}`)
})

test('no label names one of many: no connection, person, organization or address', () => {
  const labels = new Set(METRICS.flatMap((metric) => Object.keys(metric.labels)))
  expect([...labels].toSorted()).toEqual([
    'area',
    'check',
    'kind',
    'node',
    'outcome',
    'part',
    'provider',
    'reason',
    'severity',
    'source',
    'status',
    'type',
    'version',
    'what',
  ])
})

test('names say their unit: counters end in _total, histograms in _seconds', () => {
  for (const { name, kind } of METRICS) {
    if (kind === 'counter') expect(name).toMatch(/_total$/)
    if (kind === 'histogram') expect(name).toMatch(/_seconds$/)
    if (kind === 'gauge') expect(name).not.toMatch(/_total$/)
  }
})

test('a value that is no number is not measured', async () => {
  const meters = createMeters()
  meters.observe('evergrant_refresh_lead_seconds', {}, Number.NaN)
  meters.observe('evergrant_refresh_lead_seconds', {}, 400)
  expect(await meters.text()).toContain('evergrant_refresh_lead_seconds_sum 400')
})
