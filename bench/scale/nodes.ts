import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerProcess } from '../../packages/lab/src/server-process.ts'
import { lateness, makeDue } from './due.ts'
import { type RunCost, startServer, watch } from './server-run.ts'
import { type World, withProvider, withSide } from './world.ts'

export interface NodesRun extends RunCost {
  readonly nodes: number
  /** Connections that were due and not renewed when the watch ended. */
  readonly left: number
}

/** Several server processes share one due queue: how fast, and is anything renewed twice? */
export async function measureNodes(world: World, nodes: number): Promise<NodesRun> {
  const { fullSpeedDue, fullSpeedSeconds } = world.shape
  const from = Date.now() + 3_000 + nodes * 2_000
  await withSide(world, (side) => makeDue(side, { count: fullSpeedDue, from, perSecond: null }))
  const run = await withProvider(world, async (provider) => {
    const servers: ServerProcess[] = []
    try {
      for (let node = 1; node <= nodes; node += 1) servers.push(await startNode(world, node))
      return await watch(servers, provider, { exchanges: fullSpeedDue, seconds: fullSpeedSeconds })
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
      await Promise.all(servers.map((server) => server.dispose()))
    }
  })
  const { left } = await withSide(world, lateness)
  return { nodes, ...run, left }
}

/** Each node has a name and a data folder of its own; key and database are the same. */
async function startNode(world: World, node: number): Promise<ServerProcess> {
  const dataDir = join(world.dataDir, `node-${node}`)
  mkdirSync(dataDir, { recursive: true })
  const { server } = await startServer({ ...world.env, EVERGRANT_NODE_ID: `scale-node-${node}`, EVERGRANT_DATA_DIR: dataDir }, dataDir)
  return server
}
