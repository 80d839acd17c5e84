import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { composeEngine } from '../packages/evergrant/src/compose-engine.ts'
import { type NodeParts, openNode } from '../packages/evergrant/src/compose-node.ts'
import { composeTrust } from '../packages/evergrant/src/compose-trust.ts'
import { type Config, readConfig } from '../packages/evergrant/src/config.ts'
import { newId } from '../packages/evergrant/src/core/ids.ts'
import type { Log } from '../packages/evergrant/src/core/log.ts'
import type { ReuseClass } from '../packages/evergrant/src/core/provider/reuse.ts'
import { createAddressGuard } from '../packages/evergrant/src/outbound/address-guard.ts'
import { createTokenEndpoint } from '../packages/evergrant/src/outbound/token-endpoint.ts'
import { defineProvider } from '../packages/evergrant/src/providers/define.ts'
import { createProviderDirectory } from '../packages/evergrant/src/providers/directory.ts'
import { systemClock, systemEntropy, systemTimers } from '../packages/evergrant/src/system.ts'
import { type Rate, rateOf } from './figures.ts'
import { seedConnections } from './seed.ts'

export const IN_FLIGHT = 128
const BENCH_KEY = `k1:${Buffer.from(systemEntropy.bytes(32)).toString('base64')}`

interface EngineRun {
  /** The token endpoint's server. */
  readonly url: string
  /** Null: the embedded database. */
  readonly databaseUrl: string | null
  readonly pooled: boolean
  /** Connections, all due; each is renewed once. */
  readonly count: number
  /** Wraps the measured part alone, for a profiler. */
  readonly around?: (work: () => Promise<void>) => Promise<void>
}

export interface EngineRate extends Rate {
  /** How late the event loop came to its turns, in milliseconds. */
  readonly loopDelayP99: number
}

/** Renews every connection of a new database once, through the due queue. */
export async function engineRefreshes(run: EngineRun): Promise<EngineRate> {
  const dataDir = mkdtempSync(join(tmpdir(), 'evergrant-bench-'))
  const database = run.databaseUrl === null ? {} : { EVERGRANT_DATABASE_URL: run.databaseUrl, EVERGRANT_MASTER_KEYS: BENCH_KEY }
  const config = readConfig({ EVERGRANT_DATA_DIR: dataDir, EVERGRANT_WORKER_CONCURRENCY: String(IN_FLIGHT * 2), ...database }, { development: true })
  const log = { info: () => {}, warn: () => {}, error: (_: unknown, message: string) => console.error(message) }
  const node = await openNode(config, log)
  try {
    return await timed(node, config, run, log)
  } finally {
    await node.journal.close()
    await node.marks.close()
    await node.membership.leave()
    await node.store.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function timed(node: NodeParts, config: Config, run: EngineRun, log: Log): Promise<EngineRate> {
  const reuse: ReuseClass = run.pooled ? 'P0' : 'P4'
  const record = defineProvider({
    id: 'bench',
    name: 'Bench',
    authorize: { url: `${run.url}/authorize` },
    token: { url: `${run.url}/token` },
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
  await seedConnections(node, record, { count: run.count, concurrency: IN_FLIGHT, slug: newId('int', systemEntropy).slice(-12) })
  const observe = ({ kind }: { readonly kind: string }) => {
    if (kind !== 'granted') throw new Error(`the bare server answered ${kind}`)
    granted += 1
    if (granted === run.count) done()
  }
  const trust = composeTrust(config, node, newId('org', systemEntropy), log)
  await trust.examine(() => Promise.resolve({ answers: 0, goOn: () => Promise.resolve(new Map()) }))
  const { engine } = composeEngine(config, node, { trust, directory, endpoint, log, observe })
  const feed = async () => {
    while (granted < run.count) {
      const taken = await engine.runDue()
      if (taken === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const work = async () => {
    await Promise.all([feed(), all])
    await engine.drain()
  }
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const rate = await rateOf(run.count, () => (run.around === undefined ? work() : run.around(work)))
  delay.disable()
  endpoint.close()
  return { ...rate, loopDelayP99: delay.percentile(99) / 1e6 }
}
