// What is shipped for Prometheus and Grafana, held to the table of metrics, to the runbooks and to the real `promtool`.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { ALERT_KINDS } from '../packages/evergrant/src/core/alert/rule.ts'
import { ALERT_RUNBOOKS } from '../packages/evergrant/src/core/operate/alert-runbooks.ts'
import { RUNBOOKS, runbookIndex, runbookMarkdown } from '../packages/evergrant/src/core/operate/runbook-pages.ts'
import { createMeters } from '../packages/evergrant/src/observability/meters.ts'
import { METRICS, type MetricRow } from '../packages/evergrant/src/observability/metric-table.ts'

const ROOT = new URL('../', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

const groups: { readonly groups: readonly { readonly rules: readonly Rule[] }[] } = parse(read('deploy/prometheus/alerts.yml'))
const rules = groups.groups.flatMap((group) => group.rules)
const alerts = rules.filter((rule) => rule.alert !== undefined)

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(read('deploy/grafana/dashboard.json'))
const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

/** Prometheus itself gives these. */
const OUTSIDE_LABELS = new Set(['instance', 'job', 'le'])

/** What a query names that the table does not have. */
function unknownIn(query: string): string[] {
  const table: readonly MetricRow[] = METRICS
  const found: string[] = []
  for (const [, name = '', matchers = ''] of query.matchAll(/\b(evergrant_[a-z_]+)(?:\{([^}]*)\})?/g)) {
    const series = name.replace(/_(bucket|sum|count)$/, '')
    const metric = table.find((row) => row.name === name || (row.kind === 'histogram' && row.name === series))
    if (metric === undefined) found.push(name)
    for (const [, label = ''] of matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g))
      if (metric !== undefined && !(label in metric.labels) && !OUTSIDE_LABELS.has(label)) found.push(`${name}{${label}}`)
  }
  const labels = new Set(table.flatMap((metric) => Object.keys(metric.labels)))
  for (const [, list = ''] of query.matchAll(/\bby \(([^)]*)\)/g))
    for (const label of list.split(',').map((text) => text.trim())) if (!labels.has(label) && !OUTSIDE_LABELS.has(label)) found.push(`by (${label})`)
  return found
}

test('every query of the dashboard and of the rules asks for metrics and labels that exist', () => {
  expect(queries.length).toBeGreaterThan(30)
  expect([...queries, ...rules.map(({ expr }) => expr)].flatMap(unknownIn)).toEqual([])
})

test('a query for a metric or label that does not exist is found', () => {
  expect(unknownIn('rate(evergrant_token_request_total[5m])')).toEqual(['evergrant_token_request_total'])
  expect(unknownIn('sum by (connection) (evergrant_queue{who="x"})')).toEqual(['evergrant_queue{who}', 'by (connection)'])
})

test('every metric of the table is on the dashboard', () => {
  const shown = queries.join('\n')
  expect(METRICS.map(({ name }) => name).filter((name) => !shown.includes(name))).toEqual([])
})

test('panels have a title, an id of their own and a query', () => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row')
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  for (const { title, targets = [] } of panels) expect([title === '', targets.length === 0]).toEqual([false, false])
})

test('every rule says how bad it is and links the page that says what to do; the page exists', () => {
  expect(alerts.length).toBeGreaterThan(15)
  for (const { alert, labels, annotations } of alerts) {
    expect([alert, ['info', 'warning', 'critical'].includes(labels?.severity ?? '')]).toEqual([alert, true])
    const page = /^https:\/\/evergrant\.example\/docs\/runbooks\/([a-z-]+)$/.exec(annotations?.runbook_url ?? '')?.[1] ?? ''
    expect([alert, existsSync(join(ROOT, 'docs/runbooks', `${page}.md`))]).toEqual([alert, true])
  }
})

test('every kind of alert has its page under its own name, and every page belongs to an alert', () => {
  for (const kind of ALERT_KINDS) expect(ALERT_RUNBOOKS[kind].id).toBe(kind.replaceAll('_', '-'))
  const linked = new Set(alerts.map(({ annotations }) => annotations?.runbook_url?.split('/').at(-1)))
  const orphans = RUNBOOKS.filter(({ id }) => !linked.has(id) && !ALERT_KINDS.some((kind) => kind.replaceAll('_', '-') === id))
  expect(orphans.map(({ id }) => id)).toEqual([])
})

test('docs/runbooks is what the tables say; `node scripts/write-runbooks.ts` writes it', () => {
  expect(read('docs/runbooks/README.md')).toBe(runbookIndex())
  for (const page of RUNBOOKS) expect(read(`docs/runbooks/${page.id}.md`)).toBe(runbookMarkdown(page))
  expect(readdirSync(join(ROOT, 'docs/runbooks')).toSorted()).toEqual(['README.md', ...RUNBOOKS.map(({ id }) => `${id}.md`)].toSorted())
})

test('what a runbook refers to exists', () => {
  for (const page of RUNBOOKS) {
    for (const [, target = ''] of runbookMarkdown(page).matchAll(/\]\(([^)#]+)/g))
      expect([page.id, target, existsSync(join(ROOT, 'docs/runbooks', target))]).toEqual([page.id, target, true])
    for (const [name] of runbookMarkdown(page).matchAll(/\bevergrant_[a-z_]+[a-z]\b/g)) expect([page.id, unknownIn(name)]).toEqual([page.id, []])
  }
})

const promtool = spawnSync('promtool', ['--version']).error === undefined

test.skipIf(!promtool)('promtool reads the rules, and their unit tests pass (skipped where promtool is not installed: apt-get install prometheus)', () => {
  expect(execFileSync('promtool', ['check', 'rules', 'deploy/prometheus/alerts.yml'], { cwd: ROOT, encoding: 'utf8' })).toContain('SUCCESS')
  expect(execFileSync('promtool', ['test', 'rules', 'deploy/prometheus/alerts.test.yml'], { cwd: ROOT, encoding: 'utf8' })).toContain('SUCCESS')
})

test.skipIf(!promtool)('promtool finds nothing wrong with our metrics (skipped where promtool is not installed)', async () => {
  const text = await createMeters().text()
  const linted = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  expect(`${linted.stdout}${linted.stderr}`.split('\n').filter((line) => line.includes('evergrant'))).toEqual([])
  // It does find what is wrong: a counter without its unit.
  const wrong = spawnSync('promtool', ['check', 'metrics'], {
    input: '# HELP evergrant_reads Reads.\n# TYPE evergrant_reads counter\nevergrant_reads 1\n',
    encoding: 'utf8',
  })
  expect(`${wrong.stdout}${wrong.stderr}`).toContain('evergrant_reads')
})

test.skipIf(!promtool)('promtool reads every query of the dashboard (skipped where promtool is not installed)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-promtool-'))
  const filled = queries.map((query) => query.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'))
  const file = join(folder, 'queries.yml')
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: filled.map((expr, index) => ({ record: `query:${index}`, expr })) }] }))
  expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).toContain(`${queries.length} rules found`)
  rmSync(folder, { recursive: true })
})
