import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { PostgresProcess } from '../postgres-process.ts'
import type { ServerProcess } from '../server-process.ts'
import { growthPerMinute, mean, metric, type ProcessFigures, processFigures } from '../soak/process-figures.ts'
import { rest } from '../until.ts'
import { Crowd } from './crowd.ts'
import { Times, type TimesSummary } from './figures.ts'
import { World } from './world.ts'

interface LoadPlan {
  readonly users: number
  readonly seconds: number
  readonly thinkMs: number
  readonly postgres: PostgresProcess | null
  readonly nodes: number
  readonly seed: number
  readonly say: (line: string) => void
}

/** One server process over the measured time. */
interface LoadedNode {
  readonly rss_mib: number
  /** Over the second half: the first is still growing into its memory. */
  readonly rss_mib_per_minute: number
  readonly files: number
  readonly event_loop_p99_ms: number
}

interface LoadReport {
  readonly load: 'sqlite' | 'postgres'
  readonly users: number
  readonly think_ms: number
  readonly seconds: number
  readonly seed: number
  readonly requests: number
  readonly per_second: number
  readonly error_share: number
  readonly errors: Readonly<Record<string, number>>
  readonly all: TimesSummary
  readonly kinds: Readonly<Record<string, TimesSummary>>
  /** Sockets that were open at the end, on the side of the users. */
  readonly open_connections: number
  readonly nodes: readonly LoadedNode[]
  /** Of the process that drives and measures: when it is high, the times are its own. */
  readonly driver_event_loop_p99_ms: number
  readonly violations: readonly string[]
}

const SAMPLE_MS = 1_000
const SAY_EVERY = 30
/** An error in a thousand. */
const ERRORS_MAX = 0.001
/** Resident memory is only judged over this long: a younger process is still growing into it. */
const JUDGED_FROM_SECONDS = 300
const GROWTH_MAX = { mib: 24, share: 0.15 }

/** Everybody at work for so long; then what it was like. */
export async function runLoad(plan: LoadPlan): Promise<LoadReport> {
  const world = await World.open(plan)
  try {
    return await measured(world, plan)
  } finally {
    await world.close()
  }
}

async function measured(world: World, plan: LoadPlan): Promise<LoadReport> {
  const crowd = new Crowd(world, { seed: plan.seed, thinkMs: plan.thinkMs })
  const delay = monitorEventLoopDelay({ resolution: 10 })
  const samples = world.servers.map((): ProcessFigures[] => [])
  // The first reading ends the time before it: the last one is about the measured time alone.
  await Promise.all(world.servers.map(pageOf))
  delay.enable()
  const started = performance.now()
  crowd.start()
  for (let second = 1; performance.now() - started < plan.seconds * 1_000; second += 1) {
    await rest(Math.min(SAMPLE_MS, Math.max(1, plan.seconds * 1_000 - (performance.now() - started))))
    for (const [index, server] of world.servers.entries()) samples[index]?.push(processFigures(server.pid))
    if (second % SAY_EVERY === 0) plan.say(`${second} s, ${sumOf(crowd, 'count')} requests, ${sumOf(crowd, 'failed')} failed`)
  }
  delay.disable()
  const pages = await Promise.all(world.servers.map(pageOf))
  const open = world.users.filter(({ socket }) => Object.keys(socket.sockets).length + Object.keys(socket.freeSockets).length > 0).length
  const seconds = (performance.now() - started) / 1_000
  await crowd.stop()
  const nodes = samples.map((own, index) => nodeFigures(own, pages[index] ?? ''))
  const requests = sumOf(crowd, 'count')
  const share = sumOf(crowd, 'failed') / Math.max(1, requests)
  return {
    load: plan.postgres === null ? 'sqlite' : 'postgres',
    users: plan.users,
    think_ms: plan.thinkMs,
    seconds: round(seconds),
    seed: plan.seed,
    requests,
    per_second: round(requests / seconds),
    error_share: Math.round(share * 1_000_000) / 1_000_000,
    errors: errorsOf(crowd),
    all: Times.together(Object.values(crowd.times)),
    kinds: Object.fromEntries(Object.entries(crowd.times).map(([kind, times]) => [kind, times.summary()])),
    open_connections: open,
    nodes,
    driver_event_loop_p99_ms: round(delay.percentile(99) / 1e6),
    violations: [
      ...(share < ERRORS_MAX ? [] : [`${(share * 100).toFixed(2)} % of the requests failed`]),
      ...world.servers.flatMap((server) => (server.pid === 0 ? ['a server ended'] : [])),
      ...samples.flatMap((own, index) => growth(own, plan.seconds, index)),
    ],
  }
}

function growth(samples: readonly ProcessFigures[], seconds: number, index: number): readonly string[] {
  if (seconds < JUDGED_FROM_SECONDS) return []
  const third = Math.floor(samples.length / 3)
  const [middle, last] = [samples.slice(third, 2 * third), samples.slice(-third)]
  const [before, after] = [mean(middle.map(({ rssMib }) => rssMib)), mean(last.map(({ rssMib }) => rssMib))]
  const limit = Math.max(GROWTH_MAX.mib, GROWTH_MAX.share * before)
  return after - before > limit ? [`the memory of server ${index + 1} grew by ${round(after - before)} MiB`] : []
}

function nodeFigures(samples: readonly ProcessFigures[], page: string): LoadedNode {
  const second = samples.slice(Math.floor(samples.length / 2))
  return {
    rss_mib: round(mean(second.map(({ rssMib }) => rssMib))),
    rss_mib_per_minute: round(growthPerMinute(second)),
    files: Math.max(0, ...samples.map(({ files }) => files)),
    event_loop_p99_ms: round(metric(page, 'nodejs_eventloop_lag_p99_seconds') * 1_000),
  }
}

const pageOf = async (server: ServerProcess): Promise<string> => (await fetch(`${server.url}/metrics`)).text()

const sumOf = (crowd: Crowd, figure: 'count' | 'failed'): number => Object.values(crowd.times).reduce((sum, times) => sum + times[figure], 0)

export function errorsOf(crowd: Crowd): Readonly<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const [kind, { failures }] of Object.entries(crowd.times)) for (const [what, count] of failures) found[`${kind}: ${what}`] = count
  return found
}

const round = (value: number): number => Math.round(value * 10) / 10
