import { memoryOf } from '../process-cost.ts'
import { type ReadCost, readAll } from './reads.ts'
import type { SideDatabase } from './side-database.ts'
import { type World, withServer, withSide } from './world.ts'

const PAGE = 50
const WARM_CONNECTIONS = 1_000
const ALONE = 500
const LANES = 32
const PAGE_ROUNDS = 20

export interface ServingCost {
  /** From the spawn of the process to the first ready answer, in milliseconds. */
  readonly readyMs: number
  readonly idleBytes: number
  /** First reads of connections that are not in memory: one at a time, then 32 at a time. */
  readonly cold: ReadCost
  readonly coldBusy: ReadCost
  readonly warm: ReadCost
  readonly firstPage: ReadCost
  readonly lastPage: ReadCost
  readonly ofOwner: ReadCost
  /** After all of these. */
  readonly residentBytes: number
}

/** What a node with nothing due answers, and how fast. */
export async function measureServing(world: World): Promise<ServingCost> {
  const { ids, oldest } = await withSide(world, (side) => pick(side, world.shape.coldReads + ALONE))
  return await withServer(world, async (server, readyMs) => {
    const { headers } = await server.client()
    const idleBytes = memoryOf(server.pid).resident
    const api = `${server.url}/api/v1`
    const tokens = ids.map((id) => `/connections/${id}/token`)
    const repeated = (path: string) => Array.from({ length: PAGE_ROUNDS }, () => path)
    const cold = await readAll(api, headers, tokens.slice(0, ALONE), 1)
    const coldBusy = await readAll(api, headers, tokens.slice(ALONE), LANES)
    const warmPaths = tokens.slice(0, Math.min(WARM_CONNECTIONS, ALONE))
    const warm = await readAll(api, headers, Array.from({ length: 10 }, () => warmPaths).flat(), LANES)
    return {
      readyMs,
      idleBytes,
      cold,
      coldBusy,
      warm,
      firstPage: await readAll(api, headers, repeated(`/connections?limit=${PAGE}`), 1),
      lastPage: await readAll(api, headers, repeated(`/connections?limit=${PAGE}&cursor=${cursorAfter(oldest)}`), 1),
      ofOwner: await readAll(api, headers, repeated('/connections?owner=owner-of-connection-7'), 1),
      residentBytes: memoryOf(server.pid).resident,
    }
  })
}

async function pick(side: SideDatabase, count: number): Promise<{ readonly ids: readonly string[]; readonly oldest: string }> {
  const found = await side.query("select id from connection where account <> 'account-0' order by substr(id, 28) limit ?", count)
  const [end] = await side.query('select id from connection order by id limit 1 offset ?', PAGE / 2)
  return { ids: found.map((row) => String(row.id)), oldest: String(end?.id) }
}

/** Cursors are opaque to clients; the bench may look inside to reach the last page at once. */
function cursorAfter(id: string): string {
  return Buffer.from(id, 'utf8').toString('base64url')
}
