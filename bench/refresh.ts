import { startBareServer } from './bare-process.ts'
import { median, type Rate, type Ratio } from './figures.ts'
import { withPostgres } from './postgres.ts'
import { rawPosts } from './raw-posts.ts'
import { type EngineRate, engineRefreshes, IN_FLIGHT } from './refresh-engine.ts'

const TARGETS = { sqlite: { fresh: 0.6, pooled: 0.45 }, postgres: { fresh: 0.6, pooled: 0.35 } }

/** Background refreshes, each durably stored, against raw POSTs to the same endpoint in the same run. */
export async function benchRefresh(options: { readonly short: boolean; readonly stores: readonly ('sqlite' | 'postgres')[] }): Promise<readonly Ratio[]> {
  const rounds = options.short ? 2 : 3
  const count = options.short ? 2_000 : 5_000
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
  const engines: EngineRate[] = []
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
  const loopDelayP99 = median(engines.map((engine) => engine.loopDelayP99))
  const measuredLoop = median(engines.map((engine) => engine.loopMicros))
  return { floor: rates(floors), measured: rates(engines), ratio, cpu: { floor: costs(floors), measured: costs(engines), measuredLoop }, loopDelayP99 }
}
