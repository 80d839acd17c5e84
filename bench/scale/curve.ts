import { cpuMicrosOf } from '../process-cost.ts'
import { makeDue } from './due.ts'
import { latencyOf, timed } from './latency.ts'
import { watch } from './server-run.ts'
import { openBare } from './store-cost.ts'
import { type World, withProvider, withServer, withSide } from './world.ts'

/** The same number of due connections at every size, so that only the others can make a difference. */
const CURVE_DUE = 1_000
const CLAIM = 500
const ROUNDS = 6
const DAY_MS = 86_400_000

export interface CurvePoint {
  readonly connections: number
  readonly bytesEach: number
  /** `takeDue(500)` with 1,000 due, and with nothing due, in milliseconds. */
  readonly claimMs: number
  readonly emptyMs: number
  /** Processor time of the server for each of 1,000 renewals, and of an idle second afterwards, in microseconds. */
  readonly renewalMicros: number
  readonly idleMicrosPerSecond: number
  readonly peakBytes: number
}

export async function curvePoint(world: World): Promise<CurvePoint> {
  const due = Math.min(CURVE_DUE, world.shape.connections)
  const claims: number[] = []
  const empties: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await withSide(world, (side) => makeDue(side, { count: due, from: Date.now() - 1_000, perSecond: null }))
    const store = await openBare(world.where)
    // The first call of a connection prepares its statements.
    await store.credentials.takeDue(1, DAY_MS)
    claims.push(await timed(() => store.credentials.takeDue(CLAIM, DAY_MS)))
    await store.credentials.takeDue(due, DAY_MS)
    empties.push(await timed(() => store.credentials.takeDue(CLAIM, DAY_MS)))
    await store.close()
  }
  const renewed = await renewals(world, due)
  const { connections } = world.shape
  return { connections, bytesEach: world.loaded.bytes / connections, claimMs: latencyOf(claims).p50, emptyMs: latencyOf(empties).p50, ...renewed }
}

async function renewals(world: World, due: number): Promise<Pick<CurvePoint, 'renewalMicros' | 'idleMicrosPerSecond' | 'peakBytes'>> {
  await withSide(world, (side) => makeDue(side, { count: due, from: Date.now() + 5_000, perSecond: null }))
  return await withProvider(world, (provider) =>
    withServer(world, async (server) => {
      const run = await watch([server], provider, { exchanges: due, seconds: 30 })
      const before = cpuMicrosOf(server.pid)
      await new Promise((resolve) => setTimeout(resolve, 3_000))
      const idleMicrosPerSecond = (cpuMicrosOf(server.pid) - before) / 3
      return { renewalMicros: run.cpuMicros / run.exchanges, idleMicrosPerSecond, peakBytes: run.peakBytes }
    }),
  )
}
