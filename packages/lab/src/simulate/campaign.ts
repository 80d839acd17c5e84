import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { currentCommit } from './commit.ts'
import { liveSeeds } from './live-seeds.ts'
import type { Options } from './options.ts'
import { SeedPool } from './seed-pool.ts'
import { grantYears, NOTHING, plus, type Summary, totalLosses } from './summary.ts'

interface CampaignOptions extends Pick<Options, 'seeds' | 'from' | 'profile' | 'engine' | 'events' | 'workers' | 'shards' | 'shardSize'> {
  readonly tell: (line: string) => void
  readonly say: (line: string) => void
}

interface Shard {
  readonly commit: string
  readonly profile: string
  readonly engine: string
  readonly from: number
  readonly seconds: number
  readonly summary: Summary
}

/** Shards that are there already are not lived again: a campaign goes on where it stopped. */
export async function liveCampaign(options: CampaignOptions): Promise<boolean> {
  mkdirSync(options.shards, { recursive: true })
  const pool = new SeedPool(options.workers)
  const shards: Shard[] = []
  try {
    for (let from = options.from; from < options.from + options.seeds; from += options.shardSize) {
      const count = Math.min(options.shardSize, options.from + options.seeds - from)
      const shard = readShard(options, from, count) ?? (await liveShard(pool, options, from, count))
      shards.push(shard)
      options.tell(`seeds ${from} to ${from + count - 1}: ${shard.summary.events} events, ${shard.summary.violations} violations`)
    }
  } finally {
    pool.close()
  }
  const result = resultOf(options, shards)
  writeFileSync(join(options.shards, 'summary.json'), `${JSON.stringify(result, null, 2)}\n`)
  options.say(JSON.stringify(result))
  return result.violations === 0
}

const fileOf = ({ shards, profile, engine, events }: CampaignOptions, from: number, count: number) =>
  join(shards, `${engine}-${profile}-${events}-${from}-${count}.json`)

function readShard(options: CampaignOptions, from: number, count: number): Shard | null {
  const file = fileOf(options, from, count)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Shard) : null
}

async function liveShard(pool: SeedPool, options: CampaignOptions, from: number, count: number): Promise<Shard> {
  const { profile, engine, events } = options
  const startedAt = performance.now()
  const summary = await liveSeeds(pool, from, count, { profile, engine, events })
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  const shard: Shard = { commit: currentCommit(), profile, engine, from, seconds, summary }
  const file = fileOf(options, from, count)
  writeFileSync(`${file}.part`, JSON.stringify(shard))
  renameSync(`${file}.part`, file)
  return shard
}

function resultOf({ profile, engine, from }: CampaignOptions, shards: readonly Shard[]) {
  const sum = shards.map((shard) => shard.summary).reduce(plus, NOTHING)
  const seconds = shards.reduce((total, shard) => total + shard.seconds, 0)
  return {
    command: 'campaign',
    commits: [...new Set(shards.map((shard) => shard.commit))],
    profile,
    engine,
    from,
    seeds: sum.seeds,
    events: sum.events,
    fewest_events: sum.fewestEvents,
    simulated_grant_years: grantYears(sum),
    simulated_years: Math.round((sum.simulatedMs / (365.25 * 24 * 3_600_000)) * 10) / 10,
    refreshes: sum.refreshes,
    presentations: sum.presentations,
    asked: sum.asked,
    served: sum.served,
    seconds: Math.round(seconds),
    events_per_second: Math.round(sum.events / Math.max(seconds, 0.001)),
    violations: sum.violations,
    failed: sum.failed,
    losses: sum.losses,
    self_inflicted: totalLosses(sum).selfInflicted,
    counts: sum.counts,
  }
}
