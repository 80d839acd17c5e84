import type { ConsoleFigures } from './console/run.ts'
import type { ExpiredRead } from './expired-read.ts'
import type { Ratio } from './figures.ts'
import type { ImportFigures } from './import.ts'
import type { Interactive } from './interactive.ts'
import type { ThroughputRow } from './peers/throughput.ts'
import type { ProxyFigures } from './proxy.ts'
import { type ScaleResult, verdicts } from './scale/report.ts'
import type { SdkFigures } from './sdk/run.ts'
import type { SessionFigures } from './session/run.ts'

/** One target, and what was measured. `ratio`: against the floor or the peer that ran beside it. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly target: number
  readonly rule: 'at least' | 'at most' | 'exactly'
  readonly met: boolean
  readonly ratio?: number
}

const row = (name: string, unit: string, rule: Row['rule'], value: number, target: number, ratio?: number): Row => ({
  name,
  value,
  unit,
  target,
  rule,
  met: rule === 'at least' ? value >= target : rule === 'at most' ? value <= target : value === target,
  ...(ratio === undefined ? {} : { ratio }),
})

export const ratioRows = (ratios: readonly Ratio[]): readonly Row[] =>
  ratios.map(({ name, ratio, target }) => row(name, 'of the floor', 'at least', ratio, target, ratio))

export const expiredRows = ({ reads, nodes, exchanges, answered }: ExpiredRead): readonly Row[] => [
  row(`${reads} reads of one expired connection, ${nodes} processes: exchanges`, '', 'exactly', exchanges, 1),
  row(`${reads} reads of one expired connection, ${nodes} processes: answered`, '', 'exactly', answered, reads),
]

export const interactiveRows = (results: readonly Interactive[]): readonly Row[] =>
  results.flatMap(({ store, users, refreshMeanMs, apiP95Ms, errorShare }) => [
    row(`${users} users ${store}: refresh, mean`, 'ms', 'at most', refreshMeanMs, 100),
    row(`${users} users ${store}: API, p95`, 'ms', 'at most', apiP95Ms, 200),
    row(`${users} users ${store}: errors`, 'of requests', 'at most', errorShare, 0.001),
  ])

/** Of the bare server's requests per second. */
const VALIDATE_TARGET = 0.5

export const sessionRows = ({ validate, people }: SessionFigures): readonly Row[] => [
  ...validate
    .filter(({ name }) => name.startsWith('Evergrant'))
    .map(({ name, ofFloor }) => row(`validate a session, ${name}`, 'of the floor', 'at least', ofFloor, VALIDATE_TARGET, ofFloor)),
  ...people.flatMap(({ store, users, refreshMeanMs, apiP95Ms, errorShare }) => [
    row(`${users} signed-in people ${store}: refresh, mean`, 'ms', 'at most', refreshMeanMs, 100),
    row(`${users} signed-in people ${store}: API, p95`, 'ms', 'at most', apiP95Ms, 200),
    row(`${users} signed-in people ${store}: errors`, 'of requests', 'at most', errorShare, 0.001),
  ]),
]

const WARM_READS_PER_SECOND = 500_000

export const sdkRows = ({ read }: SdkFigures): readonly Row[] => [
  row('SDK: read of a fresh token, one by one', 'a second', 'at least', read.oneByOnePerSecond, WARM_READS_PER_SECOND),
  row('SDK: read of a fresh token, a hundred together', 'a second', 'at least', read.togetherPerSecond, WARM_READS_PER_SECOND),
]

/** A minute for 100,000 lines; a shorter file has its part of it. */
const IMPORT_LINES_PER_SECOND = 100_000 / 60
/** The highest memory of all beside the highest of the first half: what a garbage collector holds comes and goes, and does not grow with the lines. */
const FLAT = 1.15

export const importRows = (results: readonly ImportFigures[]): readonly Row[] =>
  results.flatMap(({ store, lines, bad, reported, linesPerSecond, rssHalfMb, rssPeakMb, killed }) => [
    row(`import of ${lines} lines ${store}: lines`, 'a second', 'at least', linesPerSecond, IMPORT_LINES_PER_SECOND),
    row(`import of ${lines} lines ${store}: bad lines reported`, '', 'exactly', reported, bad),
    row(`import of ${lines} lines ${store}: memory at most`, 'of that of the first half', 'at most', rssPeakMb / rssHalfMb, FLAT),
    row(`import of ${lines} lines ${store}: lost by a kill`, '', 'exactly', killed.lost, 0),
    row(`import of ${lines} lines ${store}: twice after a kill`, '', 'exactly', killed.twice, 0),
  ])

export const proxyRows = (figures: ProxyFigures): readonly Row[] => {
  const { clients, bytesEach, downloadGrowthMb, uploadGrowthMb, addedP50Ms } = figures
  const what = `proxy, ${clients} clients of ${Math.round(bytesEach / 1_048_576)} MB`
  return [
    row(`${what}: memory growth, answers`, 'MB', 'at most', downloadGrowthMb, 50),
    row(`${what}: memory growth, requests`, 'MB', 'at most', uploadGrowthMb, 50),
    row('proxy, 2 KB: added latency, p50', 'ms', 'at most', addedP50Ms, 3),
  ]
}

export const scaleRows = (result: ScaleResult): readonly Row[] =>
  verdicts(result).map(({ name, value, target }) => row(`${result.connections} connections: ${name}`, '', 'at most', value, target))

/** p95 of one answer at most: a page of a list, or what is counted over everything. */
export const CONSOLE_MS = { page: 200, whole: 1_000 } as const

export const consoleRows = (results: readonly ConsoleFigures[]): readonly Row[] =>
  results.flatMap(({ store, rows }) =>
    rows.map(({ question, kind, p95Ms }) => row(`console ${store}: ${question}, p95`, 'ms', 'at most', p95Ms, CONSOLE_MS[kind])),
  )

const PEER_TARGET = 20
const FLOOR_TARGET = 0.6

/**
 * Requests per second of ours against each configuration of better-auth in the same rounds. Twenty times one that is
 * called without its endpoint is more than the bare server answers here: beside that one, the target is the floor's own.
 */
export function peerRows(reads: readonly ThroughputRow[]): readonly Row[] {
  const ours = reads.find(({ name }) => name === 'Evergrant')
  const floor = reads[0]
  if (ours === undefined || floor === undefined) return []
  return reads
    .filter(({ name }) => name.startsWith('better-auth'))
    .map((peer) => {
      const times = ours.perSecond / peer.perSecond
      const target = Math.min(PEER_TARGET, (FLOOR_TARGET * floor.perSecond) / peer.perSecond)
      return row(`token read beside ${peer.name}`, 'times', 'at least', times, Number(target.toFixed(1)), times)
    })
}
