import { registerEngine } from '../simulation/engines.ts'
import { plainLockEngine, shortLockEngine } from '../simulation/plain-lock-engine.ts'
import { runSeed } from '../simulation/run-seed.ts'
import { liveCampaign } from './campaign.ts'
import { runCanaries } from './canary-gate.ts'
import { currentCommit } from './commit.ts'
import { liveSeeds, shrink } from './live-seeds.ts'
import { runGate } from './mutation-gate.ts'
import { HELP, type Options, readOptions } from './options.ts'
import { SeedPool } from './seed-pool.ts'
import { comparisonTable, type FailedSeed, grantYears, type Summary, totalLosses } from './summary.ts'

const SHRUNK_AT_MOST = 3

const say = (line: string) => process.stdout.write(`${line}\n`)
// Whoever reads may have read enough (`| head`).
process.stdout.on('error', () => process.exit(0))
const progress = (line: string) => process.stderr.write(`${line}\n`)

/** The one line that shows a failure again. */
function replayCommand({ seed, profile, engine, events }: Pick<Options, 'seed' | 'profile' | 'engine' | 'events'>, mask: string): string {
  const other = `${engine === 'protocol' ? '' : ` --engine ${engine}`}${events === 10_000 ? '' : ` --events ${events}`}`
  return `npm run simulate -- --seed ${seed} --mask ${mask} --profile ${profile}${other} --commit ${currentCommit()}`
}

async function replay(options: Options): Promise<boolean> {
  registerEngine('plain_lock', plainLockEngine)
  registerEngine('short_lock', shortLockEngine)
  if (options.commit !== null && options.commit !== currentCommit()) progress(`this is ${currentCommit()}, and the failure was seen on ${options.commit}`)
  const report = await runSeed({
    seed: options.seed,
    profile: options.profile,
    engine: options.engine,
    events: options.events,
    drain: options.drain,
    ...(options.mask === null ? {} : { mask: options.mask }),
    ...(options.trace ? { trace: say } : {}),
  })
  for (const { invariant, at, event, text } of report.violations) say(`${invariant} at ${at} ms, event ${event}: ${text}`)
  say(JSON.stringify({ ...report, violations: report.violations.length }))
  return report.violations.length === 0
}

async function seeds(options: Options): Promise<boolean> {
  const pool = new SeedPool(options.workers)
  try {
    const settings = { profile: options.profile, engine: options.engine, events: options.events }
    const startedAt = performance.now()
    const tell = (done: number) => done % 50 === 0 && progress(`${done} of ${options.seeds} seeds`)
    const ours = await liveSeeds(pool, options.from, options.seeds, settings, tell)
    const seconds = (performance.now() - startedAt) / 1_000
    await tellFailures(pool, options, ours.failed)
    const plain =
      options.beside && options.engine === 'protocol' ? await liveSeeds(pool, options.from, options.seeds, { ...settings, engine: 'plain_lock' }) : null
    if (plain !== null) say(`\n${comparisonTable(ours, plain)}\n`)
    say(JSON.stringify(closing(options, ours, plain, seconds)))
    return ours.violations === 0
  } finally {
    pool.close()
  }
}

async function tellFailures(pool: SeedPool, options: Options, failed: readonly FailedSeed[]): Promise<void> {
  for (const [index, { seed, mask, invariant, text }] of failed.entries()) {
    say(`seed ${seed}: ${invariant}: ${text}`)
    const { profile, engine, events } = options
    const shrunk = index < SHRUNK_AT_MOST && mask !== '?' ? await shrink(pool, seed, mask, invariant, { profile, engine, events }) : mask
    say(replayCommand({ ...options, seed }, shrunk))
  }
}

function closing(options: Options, ours: Summary, plain: Summary | null, seconds: number) {
  const total = totalLosses(ours)
  return {
    command: 'simulate',
    commit: currentCommit(),
    profile: options.profile,
    engine: options.engine,
    seeds: ours.seeds,
    from: options.from,
    events: ours.events,
    fewest_events: ours.fewestEvents,
    simulated_grant_years: grantYears(ours),
    refreshes: ours.refreshes,
    presentations: ours.presentations,
    asked: ours.asked,
    served: ours.served,
    seconds: Math.round(seconds),
    events_per_second: Math.round(ours.events / Math.max(seconds, 0.001)),
    violations: ours.violations,
    failed_seeds: ours.failed.length,
    losses: ours.losses,
    self_inflicted: total.selfInflicted,
    ...(plain === null
      ? {}
      : {
          plain_lock: plain.losses,
          plain_lock_self_inflicted: totalLosses(plain).selfInflicted,
          plain_lock_failed_seeds: plain.failed.length,
          times_fewer_lost: Math.round((totalLosses(plain).lost / Math.max(1, total.lost)) * 100) / 100,
        }),
  }
}

async function run(options: Options): Promise<boolean> {
  switch (options.command) {
    case 'help':
      say(HELP)
      return true
    case 'replay':
      return replay(options)
    case 'seeds':
      return seeds(options)
    case 'mutants':
      return runGate({ ...options, only: options.mutant, tell: say })
    case 'canaries':
      return runCanaries({ workers: options.workers, tell: say })
    case 'campaign':
      return liveCampaign({ ...options, tell: progress, say })
  }
}

try {
  process.exitCode = (await run(readOptions(process.argv.slice(2)))) ? 0 : 1
} catch (error) {
  progress(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
