import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { composeEngine } from '../packages/evergrant/src/compose-engine.ts'
import { type NodeParts, openNode } from '../packages/evergrant/src/compose-node.ts'
import { readConfig } from '../packages/evergrant/src/config.ts'
import { newId } from '../packages/evergrant/src/core/ids.ts'
import type { ReuseClass } from '../packages/evergrant/src/core/provider/reuse.ts'
import { createAddressGuard } from '../packages/evergrant/src/outbound/address-guard.ts'
import { createTokenEndpoint } from '../packages/evergrant/src/outbound/token-endpoint.ts'
import { defineProvider } from '../packages/evergrant/src/providers/define.ts'
import { createProviderDirectory } from '../packages/evergrant/src/providers/directory.ts'
import { systemClock, systemEntropy, systemTimers } from '../packages/evergrant/src/system.ts'
import { startBareServer } from './bare-process.ts'
import { median, type Rate, type Ratio, rateOf } from './figures.ts'
import { withPostgres } from './postgres.ts'
import { rawPosts } from './raw-posts.ts'
import { seedConnections } from './seed.ts'

const IN_FLIGHT = 128
const BENCH_KEY = `k1:${Buffer.from(systemEntropy.bytes(32)).toString('base64')}`
const TARGETS = { sqlite: { fresh: 0.6, pooled: 0.45 }, postgres: { fresh: 0.6, pooled: 0.35 } }

/** Background refreshes, each durably stored, against raw POSTs to the same endpoint in the same run. */
export async function benchRefresh(options: { readonly short: boolean; readonly stores: readonly ('sqlite' | 'postgres')[] }): Promise<readonly Ratio[]> {
  const rounds = options.short ? 3 : 5
  const count = options.short ? 2_000 : 12_000
  const bare = await startBareServer()
  const ratios: Ratio[] = []
  try {
    for (const store of options.stores) {
      for (const kind of ['fresh', 'pooled'] as const) {
        const run = (databaseUrl: string | null) => sideBySide({ url: bare.url, databaseUrl, pooled: kind === 'pooled', rounds, count })
        const figures = store === 'sqlite' ? await run(null) : await withPostgres(run)
        ratios.push({ name: `refresh ${store} ${kind}`, ...figures, target: TARGETS[store][kind] })
      }
    }
  } finally {
    bare.stop()
  }
  return ratios
}

interface Side {
  readonly url: string
  readonly databaseUrl: string | null
  readonly pooled: boolean
  readonly rounds: number
  readonly count: number
}

/** Floor and engine alternate, so that both meet the same machine. */
async function sideBySide(side: Side): Promise<Omit<Ratio, 'name' | 'target'>> {
  const floors: Rate[] = []
  const engines: Rate[] = []
  const { url, count, pooled } = side
  await rawPosts(url, { count: 500, inFlight: IN_FLIGHT, pooled })
  for (let round = 0; round <= side.rounds; round += 1) {
    const floor = await rawPosts(url, { count, inFlight: IN_FLIGHT, pooled })
    const engine = await engineRefreshes(side)
    if (round === 0) continue
    floors.push(floor)
    engines.push(engine)
  }
  const ratio = median(engines.map((engine, round) => engine.perSecond / (floors[round] ?? engine).perSecond))
  const rates = (side: readonly Rate[]) => median(side.map((rate) => rate.perSecond))
  const costs = (side: readonly Rate[]) => median(side.map((rate) => rate.cpuMicros))
  return { floor: rates(floors), measured: rates(engines), ratio, cpu: { floor: costs(floors), measured: costs(engines) } }
}

async function engineRefreshes(side: Side): Promise<Rate> {
  const dataDir = mkdtempSync(join(tmpdir(), 'evergrant-bench-'))
  const database = side.databaseUrl === null ? {} : { EVERGRANT_DATABASE_URL: side.databaseUrl, EVERGRANT_MASTER_KEYS: BENCH_KEY }
  const config = readConfig({ EVERGRANT_DATA_DIR: dataDir, EVERGRANT_WORKER_CONCURRENCY: String(IN_FLIGHT * 2), ...database }, { development: true })
  const log = { info: () => {}, warn: () => {}, error: (_: unknown, message: string) => console.error(message) }
  const node = await openNode(config, log)
  try {
    return await timed(node, config, side, log)
  } finally {
    await node.journal.close()
    await node.store.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function timed(node: NodeParts, config: Parameters<typeof composeEngine>[0], side: Side, log: Parameters<typeof composeEngine>[2]['log']): Promise<Rate> {
  const reuse: ReuseClass = side.pooled ? 'P0' : 'P4'
  const record = defineProvider({
    id: 'bench',
    name: 'Bench',
    authorize: { url: `${side.url}/authorize` },
    token: { url: `${side.url}/token` },
    reuse: { class: reuse, evidence: 'bench' },
  })
  const guard = createAddressGuard({ allowPrivateHosts: [], development: true })
  const endpoint = createTokenEndpoint({ guard, timers: systemTimers })
  const directory = createProviderDirectory({ records: [record], fetchJson: () => Promise.reject(new Error('unused')), clock: systemClock })
  let granted = 0
  let done = () => {}
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  await seedConnections(node, record, { count: side.count, concurrency: IN_FLIGHT, slug: newId('int', systemEntropy).slice(-12) })
  const observe = ({ kind }: { readonly kind: string }) => {
    if (kind !== 'granted') throw new Error(`the bare server answered ${kind}`)
    granted += 1
    if (granted === side.count) done()
  }
  const { engine } = composeEngine(config, node, { directory, endpoint, log, observe })
  const feed = async () => {
    while (granted < side.count) {
      const taken = await engine.runDue()
      if (taken === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const rate = await rateOf(side.count, async () => {
    await Promise.all([feed(), all])
    await engine.drain()
  })
  endpoint.close()
  return rate
}
