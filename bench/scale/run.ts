import { withPostgres } from '../postgres.ts'
import { writeResult } from '../results.ts'
import { type CurvePoint, curvePoint } from './curve.ts'
import { measureNodes, type NodesRun } from './nodes.ts'
import { LEAN, measureFullSpeed, measureSteady, measureStore } from './renewing.ts'
import { choresTable, curveTable, nodesTable, type ScaleResult, type StoreName, scaleTable, verdicts } from './report.ts'
import { measureRestart } from './restart.ts'
import { measureServing } from './serving.ts'
import { type Shape, type World, withWorld } from './world.ts'

const PROCESSES = [1, 2, 4]

interface ScaleOptions {
  readonly connections: number
  readonly stores: readonly StoreName[]
  readonly short: boolean
  /** Also a tenth, a hundredth and a thousandth of the connections, each with the same number due. */
  readonly curve: boolean
}

export interface ScaleFigures {
  readonly result: ScaleResult
  readonly curve: readonly CurvePoint[]
}

/** Measures, prints tables, writes one results file for each store, ends with one JSON line. */
export async function runScale(options: ScaleOptions): Promise<void> {
  const all: ScaleFigures[] = []
  for (const store of options.stores) {
    const figures = await measure(store, options)
    writeResult(`scale-${store}`, options.short, figures)
    all.push(figures)
  }
  const results = all.map((figures) => figures.result)
  console.log(scaleTable(results))
  console.log(`\n${choresTable(results)}`)
  for (const { result, curve } of all) {
    if (result.nodes.length > 0) console.log(`\n${nodesTable(result.nodes)}`)
    if (curve.length > 1) console.log(`\n${result.store}\n${curveTable(curve)}`)
  }
  const verdict = results.flatMap(verdicts)
  for (const { name, value, target, met } of verdict) console.log(`${met ? 'met   ' : 'MISSED'} ${name}: ${Math.round(value)} (target ${target})`)
  console.log(JSON.stringify({ scale: options.connections, short: options.short, verdicts: verdict, results: all }))
}

async function measure(store: StoreName, options: ScaleOptions): Promise<ScaleFigures> {
  const { connections, short } = options
  const curve: CurvePoint[] = []
  const smaller = options.curve ? [1_000, 100, 10].map((part) => Math.round(connections / part)).filter((size) => size >= 1_000) : []
  for (const size of smaller) {
    curve.push(await inWorld(store, shapeOf(size, short), curvePoint))
    say(`${store}, ${size} connections: a point of the curve`)
  }
  return await inWorld(store, shapeOf(connections, short), async (world) => {
    const result = await one(store, world)
    writeResult(`scale-${store}`, short, { result, curve })
    if (options.curve) curve.push(await curvePoint(world))
    return { result, curve }
  })
}

function inWorld<Result>(store: StoreName, shape: Shape, work: (world: World) => Promise<Result>): Promise<Result> {
  return store === 'sqlite' ? withWorld(shape, null, work) : withPostgres((_, server) => withWorld(shape, server, work))
}

/** One address takes 28,000 fresh connections a minute from another before the ports run out: hence no more than that at one provider. */
function shapeOf(connections: number, short: boolean): Shape {
  const most = (count: number) => Math.min(count, connections)
  return {
    connections,
    claimDue: most(short ? 10_000 : 50_000),
    fullSpeedDue: most(short ? 10_000 : 25_000),
    fullSpeedSeconds: short ? 10 : 30,
    steadySeconds: short ? 10 : 40,
    coldReads: most(short ? 4_000 : 10_000),
  }
}

async function one(store: StoreName, world: World): Promise<ScaleResult> {
  const step = progress(`${store}, ${world.shape.connections} connections`)
  step(`loaded in ${world.loaded.seconds.toFixed(1)} s`)
  const serving = await measureServing(world)
  step('served')
  const cost = await measureStore(world)
  step('claims and chores measured')
  const steady = await measureSteady(world)
  const lean = await measureSteady(world, LEAN)
  step('renewed at a steady rate')
  const fullSpeed = await measureFullSpeed(world)
  step('renewed at full speed')
  const nodes: NodesRun[] = []
  for (const count of store === 'postgres' ? PROCESSES : []) nodes.push(await measureNodes(world, count))
  if (nodes.length > 0) step('renewed by several processes')
  const restart = await measureRestart(world)
  step('restarted')
  const { seconds, bytes } = world.loaded
  return { store, connections: world.shape.connections, loadSeconds: seconds, bytes, cost, serving, steady, lean, fullSpeed, restart, nodes }
}

const say = (what: string) => console.error(what)

function progress(what: string): (said: string) => void {
  const started = performance.now()
  return (said) => say(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${what}: ${said}`)
}
