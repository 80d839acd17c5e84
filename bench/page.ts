import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ConsoleFigures } from './console/run.ts'
import type { ExpiredRead } from './expired-read.ts'
import type { Ratio } from './figures.ts'
import type { ImportFigures } from './import.ts'
import type { Interactive } from './interactive.ts'
import { megabytes, milliseconds, short, table, whole } from './markdown.ts'
import { killsTable, racesTable, readsTable } from './peers/report.ts'
import type { PeersResult } from './peers/run.ts'
import type { ProxyFigures } from './proxy.ts'
import { type Result, readResult } from './results.ts'
import { CONSOLE_MS } from './rows.ts'
import { choresTable, curveTable, nodesTable, scaleTable } from './scale/report.ts'
import type { ScaleFigures } from './scale/run.ts'
import type { RefreshRow } from './sdk/refreshes.ts'
import type { SdkFigures } from './sdk/run.ts'
import type { WarmRead } from './sdk/warm-read.ts'
import type { AtWork } from './session/people.ts'
import type { SessionFigures } from './session/run.ts'
import type { ValidateRow } from './session/validate.ts'

const PAGES = ['../docs/reference/benchmarks.md', '../docs/concepts/scale.md']
const STORES = ['sqlite', 'postgres'] as const

/** Fills the figures between `<!-- figures: name -->` and `<!-- end -->` of the pages from the results files of full runs. */
export function writePage(): readonly string[] {
  for (const page of PAGES) {
    const path = fileURLToPath(new URL(page, import.meta.url))
    writeFileSync(path, filled(readFileSync(path, 'utf8')))
  }
  return PAGES.map((page) => page.slice('../'.length))
}

export function filled(text: string): string {
  return text.replace(/<!-- figures: ([a-z-]+) -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
    const figures = FIGURES[name]
    if (figures === undefined) throw new Error(`there are no figures called ${name}`)
    return `<!-- figures: ${name} -->\n\n${figures()}\n\n<!-- end -->`
  })
}

const FIGURES: Readonly<Record<string, () => string>> = {
  'token-read': () => of<readonly Ratio[]>('token-read', ratioTable),
  refresh: () => of<readonly Ratio[]>('refresh', ratioTable),
  'expired-read': () => of<ExpiredRead>('expired-read', expiredTable),
  interactive: () => of<readonly Interactive[]>('interactive', interactiveTable),
  proxy: () => of<ProxyFigures>('proxy', proxyTable),
  'session-validate': () => of<SessionFigures>('session', ({ validate }) => validateTable(validate)),
  'session-people': () => of<SessionFigures>('session', ({ people }) => peopleTable(people)),
  console: () => of<readonly ConsoleFigures[]>('console', consoleTable),
  'sdk-reads': () => of<SdkFigures>('sdk', ({ read }) => warmTable(read)),
  'sdk-refreshes': () => of<SdkFigures>('sdk', ({ refreshes }) => refreshesTable(refreshes)),
  import: () => of<readonly ImportFigures[]>('import', importTable),
  'peer-reads': () => of<PeersResult>('peers', ({ reads, versions }) => `${readsTable(reads)}\n\n${said(versions)}`),
  'peer-races': () => of<PeersResult>('peers', ({ races }) => racesTable(races)),
  'peer-kills': () => of<PeersResult>('peers', ({ kills }) => killsTable(kills)),
  scale: () => scaleOf((found) => scaleTable(found.map(({ figures }) => figures.result))),
  chores: () => scaleOf((found) => choresTable(found.map(({ figures }) => figures.result))),
  nodes: () => of<ScaleFigures>('scale-postgres', ({ result }) => nodesTable(result.nodes)),
  'curve-sqlite': () => of<ScaleFigures>('scale-sqlite', ({ curve }) => curveTable(curve)),
  'curve-postgres': () => of<ScaleFigures>('scale-postgres', ({ curve }) => curveTable(curve)),
}

function of<Figures>(name: string, render: (figures: Figures) => string): string {
  const result = readResult<Figures>(name)
  return result === null ? 'Not measured yet.' : `${render(result.figures)}\n\n${origin(result)}`
}

function scaleOf(render: (found: readonly Result<ScaleFigures>[]) => string): string {
  const found = STORES.map((store) => readResult<ScaleFigures>(`scale-${store}`)).filter((result) => result !== null)
  return found.length === 0 ? 'Not measured yet.' : `${render(found)}\n\n${found.map(origin).join(' ')}`
}

function origin({ name, commit, at, machine, node }: Result<unknown>): string {
  return `_\`${name}\`: commit ${commit}, ${at.replace('T', ' ')} UTC, ${machine}, Node ${node}._`
}

const said = (versions: Readonly<Record<string, string>>) =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')

function ratioTable(ratios: readonly Ratio[]): string {
  return table(
    ['work', 'measured', 'floor', 'ratio', 'target', 'processor time, beside the floor'],
    ratios.map(({ name, measured, floor, ratio, target, cpu }) => [
      name,
      `${whole(measured)}/s`,
      `${whole(floor)}/s`,
      ratio.toFixed(2),
      `${target.toFixed(2)} ${ratio >= target ? 'met' : '**missed**'}`,
      cpu === null ? '' : `${whole(cpu.measured)} us, ${whole(cpu.floor)} us`,
    ]),
  )
}

function expiredTable({ reads, nodes, exchanges, answered, lastAnswerMs }: ExpiredRead): string {
  return table(
    ['reads', 'processes', 'exchanges', 'answered with the new token', 'last answer after'],
    [[whole(reads), String(nodes), String(exchanges), whole(answered), milliseconds(lastAnswerMs)]],
  )
}

/** Only the stores that the newest run measured: an empty column would look like a figure that is nil. */
function consoleTable(results: readonly ConsoleFigures[]): string {
  const [first] = results
  const found = (question: string) => results.flatMap(({ rows }) => rows.filter((row) => row.question === question))
  return table(
    ['question', ...results.map(({ store }) => `${store === 'sqlite' ? 'SQLite' : 'PostgreSQL'}: p50, p95`), 'p95 at most'],
    (first?.rows ?? []).map(({ question, kind }) => [
      question,
      ...found(question).map(({ p50Ms, p95Ms }) => `${milliseconds(p50Ms)}, ${milliseconds(p95Ms)}`),
      `${kind === 'page' ? '200 ms' : '1 s'}${found(question).some(({ p95Ms }) => p95Ms > CONSOLE_MS[kind]) ? ' **missed**' : ''}`,
    ]),
  )
}

function warmTable({ connections, oneByOnePerSecond, togetherPerSecond }: WarmRead): string {
  return table(
    ['connections', 'awaited one by one', 'awaited a hundred together'],
    [[String(connections), `${whole(oneByOnePerSecond)}/s`, `${whole(togetherPerSecond)}/s`]],
  )
}

function refreshesTable(rows: readonly RefreshRow[]): string {
  return table(
    ['store', 'installations at once', 'refreshes', 'raw ES256 verifications', 'ratio'],
    rows.map(({ store, machines, perSecond, verificationsPerSecond, ratio }) => [
      store,
      String(machines),
      `${whole(perSecond)}/s`,
      `${whole(verificationsPerSecond)}/s`,
      ratio.toFixed(3),
    ]),
  )
}

function importTable(results: readonly ImportFigures[]): string {
  return table(
    ['store', 'lines', 'seconds', 'lines/s', 'processor time', 'bad lines reported', 'memory, first half', 'at most', 'killed with', 'lost', 'twice'],
    results.map((one) => [
      one.store,
      whole(one.lines),
      short(one.seconds),
      whole(one.linesPerSecond),
      `${short(one.cpuSeconds)} s`,
      `${whole(one.reported)} of ${whole(one.bad)}`,
      `${whole(one.rssHalfMb)} MB`,
      `${whole(one.rssPeakMb)} MB`,
      whole(one.killed.before),
      String(one.killed.lost),
      String(one.killed.twice),
    ]),
  )
}

function proxyTable({ clients, bytesEach, ...figures }: ProxyFigures): string {
  const way = (what: string, growthMb: number, perSecond: number) => [
    what,
    String(clients),
    megabytes(bytesEach),
    megabytes(growthMb * 1_048_576),
    `${whole(perSecond)} MB/s`,
  ]
  const streams = table(
    ['streams', 'clients', 'bytes each', 'memory growth', 'together'],
    [way('answers', figures.downloadGrowthMb, figures.downloadMbPerSecond), way('requests', figures.uploadGrowthMb, figures.uploadMbPerSecond)],
  )
  const { directP50Ms, addedP50Ms, addedP99Ms } = figures
  const calls = table(
    ['calls of 2 KB', 'direct, p50', 'added, p50', 'added, p99'],
    [['one after the other', ...[directP50Ms, addedP50Ms, addedP99Ms].map(milliseconds)]],
  )
  return `${streams}\n\n${calls}`
}

function interactiveTable(results: readonly Interactive[]): string {
  return table(
    ['store', 'users', 'requests', 'refresh, mean', 'API, p95', 'errors'],
    results.map((one) => [
      one.store,
      String(one.users),
      whole(one.requests),
      milliseconds(one.refreshMeanMs),
      milliseconds(one.apiP95Ms),
      `${short(one.errorShare * 100)} %`,
    ]),
  )
}

function validateTable(rows: readonly ValidateRow[]): string {
  return table(
    ['who', 'requests', 'of the bare server'],
    rows.map(({ name, perSecond, ofFloor }) => [name, `${whole(perSecond)}/s`, ofFloor.toFixed(2)]),
  )
}

function peopleTable(results: readonly AtWork[]): string {
  return table(
    ['store', 'people', 'seconds', 'requests', 'refreshes', 'refresh, mean', 'API, p95', 'errors'],
    results.map((one) => [
      one.store,
      String(one.users),
      String(one.seconds),
      whole(one.requests),
      whole(one.refreshes),
      milliseconds(one.refreshMeanMs),
      milliseconds(one.apiP95Ms),
      `${short(one.errorShare * 100)} %`,
    ]),
  )
}
