// Coverage of the four groups in tests/coverage-groups.ts by their own tests: a line each, then what is not covered. Exit code 1 when a group is below a floor.
// --group NAME runs one group with its own tests, which is quick; --list shows uncovered lines and branches by file.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { COVERAGE_GROUPS, type CoverageGroup, LEFT_OUT } from '../tests/coverage-groups.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Counted {
  readonly total: number
  readonly covered: number
}

type FileSummary = Readonly<Record<'lines' | 'branches', Counted>>

interface Range {
  readonly start: { readonly line: number }
}

interface FileDetail {
  readonly statementMap: Readonly<Record<string, Range>>
  readonly s: Readonly<Record<string, number>>
  readonly branchMap: Readonly<Record<string, { readonly type: string; readonly line?: number; readonly loc: Range; readonly locations: readonly Range[] }>>
  readonly b: Readonly<Record<string, readonly number[]>>
}

const { values } = parseArgs({ options: { group: { type: 'string' }, list: { type: 'boolean', default: false }, again: { type: 'boolean', default: false } } })
const groups = COVERAGE_GROUPS.filter(({ name }) => values.group === undefined || name === values.group)
if (groups.length === 0) {
  console.error(`There is no group ${values.group}. There are ${COVERAGE_GROUPS.map(({ name }) => name).join(', ')}.`)
  process.exit(2)
}

const testsPassed = values.again || measure(groups.flatMap(({ tests }) => [...tests]))
const summary: Readonly<Record<string, FileSummary>> = JSON.parse(readFileSync(join(root, 'coverage/coverage-summary.json'), 'utf8'))
const details: Readonly<Record<string, FileDetail>> = JSON.parse(readFileSync(join(root, 'coverage/coverage-final.json'), 'utf8'))

const below = groups.filter((group) => !report(group))
if (!testsPassed) console.log('some tests failed: what they cover is counted, and the figures are not to be believed before they pass')
console.log(below.length > 0 ? `below their floor: ${below.map(({ name }) => name).join(', ')}` : 'every group reaches its floors')
process.exitCode = below.length === 0 && testsPassed ? 0 : 1

/** False when a test failed. */
function measure(patterns: readonly string[]): boolean {
  rmSync(join(root, 'coverage/coverage-summary.json'), { force: true })
  const leftOut = new Set(LEFT_OUT.flatMap((pattern) => globSync(pattern, { cwd: root })))
  const tests = [...new Set(patterns.flatMap((pattern) => globSync(pattern, { cwd: root })))].filter((path) => !leftOut.has(path))
  console.log(
    `${tests.length} test files of these groups; processes that they start are not measured; left out as too slow: ${[...leftOut].map((path) => basename(path)).join(', ')}`,
  )
  const included = groups.flatMap(({ files }) => files.flatMap((file) => ['--coverage.include', file]))
  const args = ['run', '--config', 'coverage.config.ts', '--coverage', ...included, '--reporter', 'dot', ...tests]
  return spawnSync(join(root, 'node_modules/.bin/vitest'), args, { cwd: root, stdio: 'inherit' }).status === 0
}

/** True when the group reaches its floor. */
function report({ name, what, floor, branches: branchFloor, files, notFiles }: CoverageGroup): boolean {
  const leftOut = new Set(notFiles.flatMap((pattern) => globSync(pattern, { cwd: root })))
  const paths = files.flatMap((pattern) => globSync(pattern, { cwd: root })).filter((path) => !path.endsWith('.test.ts') && !leftOut.has(path))
  const missing = files.filter((pattern) => globSync(pattern, { cwd: root }).length === 0)
  if (missing.length > 0) throw new Error(`${name} names files that are not there: ${missing.join(', ')}`)
  const measured = paths.flatMap((path) => (summary[join(root, path)] === undefined ? [] : [{ path, counts: summary[join(root, path)] as FileSummary }]))
  const [lines, branches] = (['lines', 'branches'] as const).map((kind) => shareOf(measured.map(({ counts }) => counts[kind]))) as [number, number]
  const reached = lines >= floor && branches >= branchFloor
  console.log(
    `${reached ? 'ok ' : 'low'} ${name.padEnd(7)} lines ${figure(lines)} (floor ${floor} %) branches ${figure(branches)} (floor ${branchFloor} %)  ${measured.length} files  ${what}`,
  )
  if (values.list || !reached) for (const { path, counts } of measured) listGaps(path, counts)
  return reached
}

function listGaps(path: string, { lines, branches }: FileSummary): void {
  if (lines.covered === lines.total && branches.covered === branches.total) return
  const detail = details[join(root, path)]
  if (detail === undefined) return
  const unrun = Object.entries(detail.s).flatMap(([id, count]) => (count === 0 ? [detail.statementMap[id]?.start.line] : []))
  const untaken = Object.entries(detail.b).flatMap(([id, counts]) => counts.flatMap((count, index) => (count === 0 ? [branchAt(detail, id, index)] : [])))
  console.log(`      ${path}: lines ${[...new Set(unrun)].join(' ') || '-'}; branches ${untaken.join(' ') || '-'}`)
}

function branchAt({ branchMap }: FileDetail, id: string, index: number): string {
  const branch = branchMap[id]
  return `${branch?.locations[index]?.start.line ?? branch?.loc.start.line ?? '?'}(${branch?.type ?? ''})`
}

/** Of all of them together, so that a small file counts as little as it holds. */
function shareOf(counts: readonly Counted[]): number {
  const total = counts.reduce((sum, one) => sum + one.total, 0)
  return total === 0 ? 100 : (100 * counts.reduce((sum, one) => sum + one.covered, 0)) / total
}

function figure(share: number): string {
  // Rounded down: 99.99 is not 100.
  return `${(Math.floor(share * 100) / 100).toFixed(2)} %`.padStart(9)
}
