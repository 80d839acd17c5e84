// How fast holes of dependencies are mended (ASVS 15.1.1) is a promise, and one that the workflows must be able to keep.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const ROOT = new URL('../', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
/** The words of the advisory service that `npm audit` asks, worst first; `info` is no hole. */
const SEVERITIES = ['critical', 'high', 'moderate', 'low']

/** Days by severity, in the order of the page. */
function timesOf(page: string): readonly (readonly [string, number])[] {
  return [...page.matchAll(/^\| (\w+) \| (\d+) days \|$/gm)].map(([, severity = '', days = '']) => [severity, Number(days)] as const)
}

/** How many days may pass between two looks at the advisories: 7 where a job runs on one day of each week. Null: none of these runs. */
function daysBetweenLooks(workflow: string): number | null {
  const { on, jobs } = parse(workflow) as { on: { schedule?: readonly { cron: string }[] }; jobs: Readonly<Record<string, object>> }
  if (!JSON.stringify(jobs).includes('npm audit')) return null
  const weekly = (on.schedule ?? []).some(({ cron }) => /^\d+ \d+ \* \* [0-6]$/.test(cron))
  return weekly ? 7 : null
}

/** What is wrong with the promise; empty when nothing is. */
function faultsOfTimes(page: string, workflow: string): readonly string[] {
  const times = timesOf(page)
  const looks = daysBetweenLooks(workflow)
  const days = times.map(([, count]) => count)
  const missing = SEVERITIES.filter((severity, index) => times[index]?.[0] !== severity).map((severity) => `${severity} has no time in its place`)
  const order = days.some((count, index) => count <= (days[index - 1] ?? 0)) ? ['a smaller risk is mended before a greater one'] : []
  const blind = looks === null || looks > Math.min(...days) ? ['nobody looks as often as the shortest time asks for'] : []
  return [...missing, ...order, ...blind]
}

test('holes of dependencies have a time by their severity, no shorter than how often they are looked up (ASVS 15.1.1)', () => {
  expect(faultsOfTimes(read('SECURITY.md'), read('.github/workflows/regular.yml'))).toEqual([])
})

test('updating without a hole has its times, too, and new versions are proposed every week as the page says', () => {
  expect(read('SECURITY.md')).toMatch(/proposed every week once they are a week old, a minor version is taken within 30 days, a major one within 90/)
  const { updates } = parse(read('.github/dependabot.yml')) as {
    updates: readonly { schedule: { interval: string }; cooldown: { 'default-days': number } }[]
  }
  expect(updates.map(({ schedule, cooldown }) => [schedule.interval, cooldown['default-days']])).toEqual(updates.map(() => ['weekly', 7]))
  expect(updates.length).toBeGreaterThan(0)
})

test.each([
  ['a severity without a time', (page: string) => page.replace('| high | 14 days |\n', ''), undefined],
  ['a smaller risk that is faster', (page: string) => page.replace('| moderate | 30 days |', '| moderate | 3 days |'), undefined],
  ['a time that nobody could keep', (page: string) => page.replace('| critical | 7 days |', '| critical | 1 days |'), undefined],
  ['a look once a month', undefined, (workflow: string) => workflow.replace('17 4 * * 1', '17 4 1 * *')],
  ['no look at all', undefined, (workflow: string) => workflow.replaceAll('npm audit', 'true')],
] as const)('%s is found', (_what, onPage, onWorkflow) => {
  const [page, workflow] = [read('SECURITY.md'), read('.github/workflows/regular.yml')]
  const broken = [onPage?.(page) ?? page, onWorkflow?.(workflow) ?? workflow] as const
  expect(broken).not.toEqual([page, workflow])
  expect(faultsOfTimes(...broken)).not.toEqual([])
})
