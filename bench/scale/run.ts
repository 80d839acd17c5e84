import { withPostgres } from '../postgres.ts'
import { type FullSpeedRun, measureFullSpeed, measureSteady, measureStore, type SteadyRun } from './renewing.ts'
import { measureRestart, type RestartCost } from './restart.ts'
import { measureServing, type ServingCost } from './serving.ts'
import type { StoreCost } from './store-cost.ts'
import { type Shape, withWorld } from './world.ts'

export interface ScaleResult {
  readonly store: 'sqlite' | 'postgres'
  readonly connections: number
  readonly loadSeconds: number
  readonly bytes: number
  readonly cost: StoreCost
  readonly serving: ServingCost
  readonly steady: SteadyRun
  readonly fullSpeed: FullSpeedRun
  readonly restart: RestartCost
}

export interface ScaleOptions {
  readonly connections: number
  readonly stores: readonly ('sqlite' | 'postgres')[]
  readonly short: boolean
  readonly curve: boolean
}

export async function runScale(options: ScaleOptions): Promise<void> {
  const results: ScaleResult[] = []
  for (const store of options.stores) {
    const result = await one(store, shapeOf(options.connections, options.short))
    console.error(JSON.stringify(result))
    results.push(result)
  }
  console.log(JSON.stringify({ scale: options.connections, results }))
}

/** One address takes 28,000 fresh connections a minute from another before the ports run out: hence no more than that at one provider. */
function shapeOf(connections: number, short: boolean): Shape {
  const most = (count: number) => Math.min(count, connections)
  return {
    connections,
    claimDue: most(short ? 10_000 : 50_000),
    fullSpeedDue: most(short ? 10_000 : 25_000),
    fullSpeedSeconds: short ? 10 : 30,
    steadySeconds: short ? 10 : 60,
    coldReads: most(short ? 4_000 : 10_000),
  }
}

async function one(store: 'sqlite' | 'postgres', shape: Shape): Promise<ScaleResult> {
  const measure = (databaseUrl: string | null) =>
    withWorld(shape, databaseUrl, async (world) => {
      const step = progress(`${store}, ${shape.connections} connections`)
      step(`loaded in ${world.loaded.seconds.toFixed(1)} s`)
      const serving = await measureServing(world)
      step('served')
      const cost = await measureStore(world)
      step('claims and chores measured')
      const steady = await measureSteady(world)
      step('renewed at a steady rate')
      const fullSpeed = await measureFullSpeed(world)
      step('renewed at full speed')
      const restart = await measureRestart(world)
      step('restarted')
      return { store, connections: shape.connections, loadSeconds: world.loaded.seconds, bytes: world.loaded.bytes, cost, serving, steady, fullSpeed, restart }
    })
  return store === 'sqlite' ? await measure(null) : await withPostgres((url) => measure(url))
}

function progress(what: string): (said: string) => void {
  const started = performance.now()
  return (said) => console.error(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${what}: ${said}`)
}
