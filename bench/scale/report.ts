import { megabytes, milliseconds, short, table, whole } from '../markdown.ts'
import type { CurvePoint } from './curve.ts'
import type { Latency } from './latency.ts'
import type { NodesRun } from './nodes.ts'
import { type FullSpeedRun, STEADY_PER_SECOND, type SteadyRun } from './renewing.ts'
import type { RestartCost } from './restart.ts'
import type { ServingCost } from './serving.ts'
import type { StoreCost } from './store-cost.ts'

export type StoreName = 'sqlite' | 'postgres'

/** Everything one store showed at one size. */
export interface ScaleResult {
  readonly store: StoreName
  readonly connections: number
  readonly loadSeconds: number
  readonly bytes: number
  readonly cost: StoreCost
  readonly serving: ServingCost
  readonly steady: SteadyRun
  /** The same steady run with a small young generation. */
  readonly lean: SteadyRun
  readonly fullSpeed: FullSpeedRun
  readonly restart: RestartCost
  /** PostgreSQL alone: 1, 2 and 4 processes on one due queue. */
  readonly nodes: readonly NodesRun[]
}

const STORE: Readonly<Record<StoreName, string>> = { sqlite: 'SQLite', postgres: 'PostgreSQL' }

const TARGETS = { claimMs: 10, bytes: 300e6, readyMs: 2_000, restartMs: 10_000 }

interface Verdict {
  readonly name: string
  readonly value: number
  readonly target: number
  readonly met: boolean
}

/** The targets that were stated before anything was measured. */
export function verdicts({ store, cost, serving, steady, lean, fullSpeed, nodes, restart }: ScaleResult): readonly Verdict[] {
  const atMost = (name: string, value: number, target: number) => ({ name: `${name} ${store}`, value, target, met: value <= target })
  return [
    atMost('claim of 500 due, p50, ms', cost.claim.p50, TARGETS.claimMs),
    atMost(`memory at ${STEADY_PER_SECOND}/s, bytes`, steady.peakBytes, TARGETS.bytes),
    atMost('start to ready, ms', serving.readyMs, TARGETS.readyMs),
    atMost('start to ready with 1,000 orphans, ms', restart.readyMs, TARGETS.restartMs),
    atMost(
      'sent twice, all runs',
      [steady, lean, fullSpeed, ...nodes].reduce((sum, run) => sum + run.reused, 0),
      0,
    ),
  ]
}

const pair = ({ p50, p99 }: Latency) => `${short(p50)} / ${milliseconds(p99)}`

/** One column for each store. */
export function scaleTable(results: readonly ScaleResult[]): string {
  const rows: readonly (readonly [string, (result: ScaleResult) => string])[] = [
    ['load, tokens really sealed', (r) => `${whole(r.loadSeconds)} s`],
    ['database', (r) => `${megabytes(r.bytes)}, ${whole(r.bytes / r.connections)} bytes a connection`],
    ['claim of 500 due, durable, p50 / p99', (r) => pair(r.cost.claim)],
    ['look for due work, nothing due', (r) => milliseconds(r.cost.chores['nothing due'] ?? Number.NaN)],
    ['start to ready', (r) => milliseconds(r.serving.readyMs)],
    ['start to ready, 1,000 refreshes cut off', (r) => `${milliseconds(r.restart.readyMs)}, ${r.restart.left} intents left open`],
    ['memory after start', (r) => megabytes(r.serving.idleBytes)],
    ['token read, not in memory, one at a time, p50 / p99', (r) => pair(r.serving.cold)],
    ['token read, not in memory, 32 at a time', (r) => `${whole(r.serving.coldBusy.perSecond)}/s, ${pair(r.serving.coldBusy)}`],
    ['token read, in memory, 32 at a time', (r) => `${whole(r.serving.warm.perSecond)}/s, ${pair(r.serving.warm)}`],
    ['list, first page of 50, p50 / p99', (r) => pair(r.serving.firstPage)],
    ['list, last page, p50 / p99', (r) => pair(r.serving.lastPage)],
    ['list of one owner, p50 / p99', (r) => pair(r.serving.ofOwner)],
    [`${STEADY_PER_SECOND} due a second: late by, p50 / p99`, (r) => `${pair(r.steady.lag)}; ${r.steady.left} left, ${r.steady.reused} sent twice`],
    [`${STEADY_PER_SECOND} due a second: one core, memory`, (r) => `${whole(r.steady.cpuMicros / 1e4 / r.steady.seconds)} %, ${megabytes(r.steady.peakBytes)}`],
    [
      'everything due: renewals',
      (r) => `${whole(r.fullSpeed.exchanges / r.fullSpeed.seconds)}/s over ${short(r.fullSpeed.seconds)} s, ${r.fullSpeed.reused} sent twice`,
    ],
    ['everything due: processor time each, memory', (r) => `${whole(r.fullSpeed.cpuMicros / r.fullSpeed.exchanges)} us, ${megabytes(r.fullSpeed.peakBytes)}`],
    ['growth of the database for each renewal', (r) => `${whole(r.fullSpeed.bytesEach)} bytes`],
    ['log written for each renewal', ({ fullSpeed: { logBytesEach } }) => (logBytesEach === null ? '' : `${whole(logBytesEach)} bytes`)],
    ['database server, processor time each', ({ fullSpeed: { databaseMicrosEach } }) => (databaseMicrosEach === null ? '' : `${whole(databaseMicrosEach)} us`)],
  ]
  const title = `${whole(results[0]?.connections ?? 0)} connections`
  return table([title, ...results.map((result) => STORE[result.store])], [...rows.map(([name, value]) => [name, ...results.map(value)])])
}

/** What the background does by itself, and the lists, on the store alone. */
export function choresTable(results: readonly ScaleResult[]): string {
  const names = Object.keys(results[0]?.cost.chores ?? {})
  const rows = names.map((name) => [name, ...results.map((result) => milliseconds(result.cost.chores[name] ?? Number.NaN))])
  return table(['one run', ...results.map((result) => STORE[result.store])], rows)
}

export function nodesTable(nodes: readonly NodesRun[]): string {
  const rows = nodes.map((run) => [
    String(run.nodes),
    whole(run.exchanges),
    `${whole(run.exchanges / run.seconds)}/s`,
    String(run.reused),
    `${whole(run.cpuMicros / run.exchanges)} us`,
    megabytes(run.peakBytes),
  ])
  return table(['processes', 'renewed', 'rate', 'sent twice', 'processor time each', 'largest process'], rows)
}

export function curveTable(points: readonly CurvePoint[]): string {
  const rows = points.map((point) => [
    whole(point.connections),
    milliseconds(point.claimMs),
    milliseconds(point.emptyMs),
    `${whole(point.renewalMicros)} us`,
    `${short(point.idleMicrosPerSecond / 1e4)} %`,
    megabytes(point.peakBytes),
    whole(point.bytesEach),
  ])
  return table(
    ['connections', 'claim of 500, 1,000 due', 'claim, nothing due', 'processor time a renewal', 'one core, idle', 'memory', 'bytes a connection'],
    rows,
  )
}
