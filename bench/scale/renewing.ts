import { cpuMicrosOfTree } from '../process-cost.ts'
import { lateness, makeDue } from './due.ts'
import { type Latency, latencyOf } from './latency.ts'
import { type RunCost, watch } from './server-run.ts'
import type { SideDatabase } from './side-database.ts'
import { openBare, type StoreCost, storeCost } from './store-cost.ts'
import { type World, withProvider, withServer, withSide } from './world.ts'

/** What a million connections with hourly tokens need. */
export const STEADY_PER_SECOND = 278
/** Time for a server to start before the first connection comes due. */
const START_MS = 4_000

/** Claims and chores on the store alone, with `claimDue` connections due. */
export async function measureStore(world: World): Promise<StoreCost> {
  await withSide(world, (side) => makeDue(side, { count: world.shape.claimDue, from: Date.now() - 1_000, perSecond: null }))
  const store = await openBare(world.where)
  try {
    return await storeCost(store, world.loaded.organization)
  } finally {
    await store.close()
  }
}

export interface SteadyRun extends RunCost {
  /** From the due time to the durable renewal, in milliseconds. */
  readonly lag: Latency
  readonly left: number
}

/** Young objects get 4 MiB twice instead of what V8 takes where memory is plenty. */
export const LEAN = { NODE_OPTIONS: '--max-semi-space-size=4' }

/** 278 connections come due each second: does one node keep up, at what price? */
export async function measureSteady(world: World, env: Readonly<Record<string, string>> = {}): Promise<SteadyRun> {
  const { steadySeconds } = world.shape
  const count = Math.min(world.shape.connections, STEADY_PER_SECOND * steadySeconds)
  await withSide(world, (side) => makeDue(side, { count, from: Date.now() + START_MS, perSecond: STEADY_PER_SECOND }))
  const run = await withProvider(world, (provider) =>
    withServer(world, (server) => watch([server], provider, { exchanges: count, seconds: steadySeconds * 2 + START_MS / 1_000 }), env),
  )
  const { lags, left } = await withSide(world, lateness)
  return { ...run, lag: latencyOf(lags), left }
}

export interface FullSpeedRun extends RunCost {
  /** Growth of the database for each renewal: the kept answer, the event, their indexes, what the updates left behind. */
  readonly bytesEach: number
  /** PostgreSQL alone: log written and processor time of the database server for each renewal. */
  readonly logBytesEach: number | null
  readonly databaseMicrosEach: number | null
}

/** Everything is due at once. */
export async function measureFullSpeed(world: World): Promise<FullSpeedRun> {
  const { fullSpeedDue, fullSpeedSeconds } = world.shape
  await withSide(world, (side) => makeDue(side, { count: fullSpeedDue, from: Date.now() - 1_000, perSecond: null }))
  const before = await withSide(world, sizes)
  const databaseCpu = world.databasePid === null ? 0 : cpuMicrosOfTree(world.databasePid)
  const run = await withProvider(world, (provider) =>
    withServer(world, (server) => watch([server], provider, { exchanges: fullSpeedDue, seconds: fullSpeedSeconds })),
  )
  const databaseMicrosEach = world.databasePid === null ? null : (cpuMicrosOfTree(world.databasePid) - databaseCpu) / run.exchanges
  const after = await withSide(world, sizes)
  const logBytesEach = before.log === null || after.log === null ? null : (after.log - before.log) / run.exchanges
  return { ...run, bytesEach: (after.bytes - before.bytes) / run.exchanges, logBytesEach, databaseMicrosEach }
}

async function sizes(side: SideDatabase): Promise<{ readonly bytes: number; readonly log: number | null }> {
  const bytes = await side.bytes()
  return { bytes, log: await side.logBytes() }
}
