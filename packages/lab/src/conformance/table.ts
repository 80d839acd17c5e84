import type { TabSettings } from './asked.ts'
import { type Cell, cellName } from './play.ts'
import type { Verdict } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface TableRow {
  readonly scenario: Pick<Scenario, 'id' | 'title'>
  readonly verdicts: readonly Verdict[]
}

const MARKS: Readonly<Record<Verdict['kind'], string>> = { pass: 'pass', fail: '**FAIL**', 'does not apply': '-' }

/** Markdown: a row for each scenario, a column for each cell, and beneath it the reason behind every `-`. */
export function table(cells: readonly Cell[], rows: readonly TableRow[]): string {
  const head = ['', 'scenario', ...cells.map(cellName)]
  const lines = rows.map(({ scenario, verdicts }) => [scenario.id, scenario.title, ...verdicts.map(({ kind }) => MARKS[kind])])
  return [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n')
}

/** Why a scenario leaves cells out: each reason once, with the scenarios that give it. */
export function reasons(rows: readonly TableRow[]): string {
  const found = new Map<string, Set<string>>()
  for (const { scenario, verdicts } of rows)
    for (const verdict of verdicts) if (verdict.kind === 'does not apply') found.set(verdict.why, (found.get(verdict.why) ?? new Set()).add(scenario.id))
  return [...found].map(([why, ids]) => `- ${[...ids].join(', ')}: ${why}.`).join('\n')
}

export function failures(cells: readonly Cell[], rows: readonly TableRow[]): readonly string[] {
  return rows.flatMap(({ scenario, verdicts }) =>
    verdicts.flatMap((verdict, index) => (verdict.kind === 'fail' ? [`${scenario.id} in ${cellName(cells[index] as Cell)}: ${oneLine(verdict.why)}`] : [])),
  )
}

/** Assertions print whole objects over many lines; a line of a list says enough to play the scenario again. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 600)

interface Tally {
  readonly subject: TabSettings['subject']
  readonly passed: number
  readonly failed: number
  readonly left_out: number
}

export function tally(subject: TabSettings['subject'], rows: readonly TableRow[]): Tally {
  const count = (kind: Verdict['kind']) => rows.reduce((sum, { verdicts }) => sum + verdicts.filter((verdict) => verdict.kind === kind).length, 0)
  return { subject, passed: count('pass'), failed: count('fail'), left_out: count('does not apply') }
}
