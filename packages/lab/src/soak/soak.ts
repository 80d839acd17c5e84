import { Arena } from '../chaos/arena.ts'
import { Dice } from '../chaos/dice.ts'
import type { ChaosNode } from '../chaos/node.ts'
import { Readers } from '../chaos/readers.ts'
import { freePort } from '../free-port.ts'
import type { PostgresProcess } from '../postgres-process.ts'
import { rest } from '../until.ts'
import { type Grown, HeapCensus } from './heap-census.ts'
import { MixedLoad } from './mixed-load.ts'
import { growthPerMinute, mean, metric, type ProcessFigures, processFigures } from './process-figures.ts'

interface SoakPlan {
  readonly postgres: PostgresProcess | null
  readonly minutes: number
  readonly seed: number
  readonly say: (line: string) => void
  /** Between two reads of one reader, in milliseconds. */
  readonly readEveryMs?: number
}

/** One server process over the measured time, after the warm-up. */
interface NodeReport {
  readonly node: string
  readonly rss_mib: number
  readonly rss_mib_per_minute: number
  readonly rss_mib_growth: number
  readonly heap_mib_growth: number
  readonly files: number
  readonly files_growth: number
  readonly event_loop_p99_ms: number
  readonly most_grown_map: Grown | null
  readonly flights_left: number
}

interface SoakReport {
  readonly soak: 'sqlite' | 'postgres'
  readonly minutes: number
  readonly seed: number
  readonly reads: number
  readonly changes: number
  readonly troubles: number
  readonly nodes: readonly NodeReport[]
  readonly wrong_tokens_served: number
  readonly violations: readonly string[]
}

/** What counts as steady. Growth is over the whole measured time, not per hour: a leak of one entry per refresh passes each of them. */
const LIMITS = { rssMib: 24, youngRssMib: 64, rssShare: 0.15, heapMib: 8, files: 8, mapEntries: 64, eventLoopMs: 50 }
/** A younger process is still growing into its memory: its heap after a collection tells, its resident memory does not. */
const YOUNG_MINUTES = 5

const WARM_UP_SHARE = 0.35
const SAMPLE_MS = 500
const READ_EVERY_MS = 4
const CALM_MS = 3_000
/** Tokens of six seconds are renewed in the calm as well: a flight that is left is one that never lands. */
const LANDING_MS = 20_000
const SCALE = 50

interface Watched {
  readonly node: ChaosNode
  readonly pid: number
  readonly census: HeapCensus
  heapBefore: number
  readonly samples: ProcessFigures[]
}

/** Mixed load with trouble for `minutes`; then what grew. */
export async function soak(plan: SoakPlan): Promise<SoakReport> {
  const ports: number[] = []
  for (let index = 0; index < 2; index += 1) ports.push(await freePort())
  const arena = await Arena.open({
    postgres: plan.postgres,
    nodes: plan.postgres === null ? 1 : 2,
    timeScale: SCALE,
    accessSeconds: 6,
    perProfile: 5,
    shim: false,
    env: (index) => ({ NODE_OPTIONS: `--inspect-port=127.0.0.1:${ports[index - 1] ?? 0}`, EVERGRANT_LOG_LEVEL: 'error' }),
  })
  try {
    return await inArena(arena, plan, ports)
  } finally {
    await arena.close()
  }
}

async function inArena(arena: Arena, plan: SoakPlan, ports: readonly number[]): Promise<SoakReport> {
  const dice = new Dice(plan.seed)
  const readers = new Readers(arena, plan.readEveryMs ?? READ_EVERY_MS)
  const load = new MixedLoad(arena)
  const totalMs = plan.minutes * 60_000
  readers.start(dice.apart(1), 3)
  load.start(dice.apart(2))
  await rest(totalMs * WARM_UP_SHARE)
  plan.say(`warm after ${readers.counts.reads} reads, ${load.troubles} troubles`)
  const watched = await Promise.all(arena.nodes.map((node, index) => watch(node, ports[index] ?? 0)))
  const end = performance.now() + totalMs * (1 - WARM_UP_SHARE)
  while (performance.now() < end) {
    for (const { pid, samples } of watched) samples.push(processFigures(pid))
    await rest(SAMPLE_MS)
  }
  const loops = await Promise.all(watched.map(({ node }) => page(node).then((text) => metric(text, 'nodejs_eventloop_lag_p99_seconds') * 1_000)))
  await load.stop()
  await readers.stop()
  await arena.mend()
  await rest(CALM_MS)
  const nodes = await Promise.all(watched.map((one, index) => report(one, loops[index] ?? 0)))
  for (const { census } of watched) census.close()
  const violations = [
    ...watched.flatMap(crashes),
    ...nodes.flatMap((node) => complaints(node, plan.minutes)),
    ...arena.ledger.wrong.map((line) => `wrong token: ${line}`),
  ]
  return {
    soak: plan.postgres === null ? 'sqlite' : 'postgres',
    minutes: plan.minutes,
    seed: plan.seed,
    reads: readers.counts.reads,
    changes: load.changes,
    troubles: load.troubles,
    nodes,
    wrong_tokens_served: arena.ledger.wrong.length,
    violations,
  }
}

async function watch(node: ChaosNode, port: number): Promise<Watched> {
  const { pid } = node.server
  const census = await HeapCensus.of(pid, port)
  const heapBefore = await census.heapMib()
  await census.begin()
  // The first reading ends the time before it: the next one is about the measured time alone.
  await page(node)
  return { node, pid, census, heapBefore, samples: [] }
}

async function page(node: ChaosNode): Promise<string> {
  return await (await fetch(`${node.server.url}/metrics`)).text()
}

async function report({ node, census, heapBefore, samples }: Watched, loopMs: number): Promise<NodeReport> {
  const [most = null] = await census.grown(1)
  const third = Math.max(1, Math.floor(samples.length / 3))
  const [first, last] = [samples.slice(0, third), samples.slice(-third)]
  const grew = (of: (samples: readonly ProcessFigures[]) => number) => round(of(last) - of(first))
  // Pools empty and fill again: their fullest moments are compared.
  const mostFiles = (some: readonly ProcessFigures[]) => Math.max(...some.map(({ files }) => files))
  return {
    node: node.name,
    rss_mib: round(mean(samples.map(({ rssMib }) => rssMib))),
    rss_mib_per_minute: round(growthPerMinute(samples)),
    rss_mib_growth: grew((some) => mean(some.map(({ rssMib }) => rssMib))),
    heap_mib_growth: round((await census.heapMib()) - heapBefore),
    files: mostFiles(samples),
    files_growth: grew(mostFiles),
    event_loop_p99_ms: round(loopMs),
    most_grown_map: most,
    flights_left: await flightsLeft(node),
  }
}

/** The fewest that were up at once. */
async function flightsLeft(node: ChaosNode): Promise<number> {
  const end = performance.now() + LANDING_MS
  let fewest = Number.POSITIVE_INFINITY
  while (fewest > 0 && performance.now() < end) {
    fewest = Math.min(fewest, metric((await page(node)).replace('evergrant_engine{what="flights"}', 'flights'), 'flights'))
    if (fewest > 0) await rest(SAMPLE_MS / 10)
  }
  return fewest
}

/** The life that was measured must be the life that began, and it must have had nothing to say. */
function crashes({ node, pid }: Watched): readonly string[] {
  const output = node.server.output()
  const complaint = /unhandled|uncaught/i.exec(output)
  return [
    ...(node.server.pid === pid && alive(pid) ? [] : [`${node.name} did not live through it:\n${output.slice(-2_000)}`]),
    ...(complaint === null ? [] : [`${node.name} had an ${complaint[0]} error:\n${output.slice(complaint.index, complaint.index + 1_000)}`]),
  ]
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function complaints(node: NodeReport, minutes: number): readonly string[] {
  const rssLimit = minutes < YOUNG_MINUTES ? LIMITS.youngRssMib : Math.max(LIMITS.rssMib, LIMITS.rssShare * node.rss_mib)
  const over = (what: string, by: number, limit: number) => (by > limit ? [`${node.node}: ${what} grew by ${by}, more than ${limit}`] : [])
  const map = node.most_grown_map
  return [
    ...over('resident memory (MiB)', node.rss_mib_growth, rssLimit),
    ...over('the heap (MiB)', node.heap_mib_growth, LIMITS.heapMib),
    ...over('open files', node.files_growth, LIMITS.files),
    ...(map === null ? [] : over(`a ${map.kind} (${map.keys.join(', ')})`, map.to - map.from, LIMITS.mapEntries)),
    ...(node.event_loop_p99_ms > LIMITS.eventLoopMs ? [`${node.node}: the event loop's p99 delay was ${node.event_loop_p99_ms} ms`] : []),
    ...(node.flights_left > 0 ? [`${node.node}: ${node.flights_left} flights never land in the calm`] : []),
  ]
}

const round = (value: number): number => Math.round(value * 10) / 10
