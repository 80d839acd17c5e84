import { newId } from '../../packages/evergrant/src/core/ids.ts'
import { systemEntropy } from '../../packages/evergrant/src/system.ts'
import { openBare } from './store-cost.ts'
import { type World, withServer, withSide } from './world.ts'

const ORPHANS = 1_000
const LEASE_MS = 600_000

export interface RestartCost {
  readonly orphans: number
  /** From the spawn to the first ready answer, with that many intents open, in milliseconds. */
  readonly readyMs: number
  /** Intents still open once it was ready: 0 when recovery did its work. */
  readonly left: number
}

/** A node that died with many refreshes under way starts again. */
export async function measureRestart(world: World): Promise<RestartCost> {
  const orphans = Math.min(ORPHANS, world.shape.connections)
  const found = await withSide(world, (side) => side.query("select id from connection where state = 'active' order by substr(id, 28) desc limit ?", orphans))
  const store = await openBare(world.where)
  const node = { id: world.env.EVERGRANT_NODE_ID ?? '', incarnation: 'the one that died' }
  try {
    for (const { id } of found) {
      const connection = id as `con_${string}`
      const row = await store.credentials.read(connection)
      if (row === undefined) throw new Error(`${connection} is gone`)
      const { generation, epoch } = row.credential
      const intent = newId('itn', systemEntropy)
      const claimed = await store.credentials.claim({ connection, generation, epoch, node, intent, leaseMs: LEASE_MS })
      if (claimed.kind !== 'claimed') throw new Error(`${connection} could not be claimed: ${claimed.kind}`)
    }
  } finally {
    await store.close()
  }
  return await withServer(world, async (_, readyMs) => {
    const [open] = await withSide(world, (side) => side.query('select count(*) as n from credential where intent_id is not null'))
    return { orphans, readyMs, left: Number(open?.n) }
  })
}
