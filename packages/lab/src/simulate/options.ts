import { parseArgs } from 'node:util'
import { parseMask } from '../simulation/faults.ts'
import type { EngineKind, ProfileName } from '../simulation/seed-report.ts'

export interface Options {
  readonly command: 'seeds' | 'replay' | 'mutants' | 'canaries' | 'campaign' | 'help'
  readonly seeds: number
  readonly from: number
  readonly seed: number
  readonly mask: string | null
  readonly profile: ProfileName
  readonly engine: EngineKind
  readonly events: number
  readonly trace: boolean
  /** Also live the seeds with the plain lock. */
  readonly beside: boolean
  readonly workers: number
  readonly mutant: string | null
  readonly shards: string
  readonly shardSize: number
  readonly commit: string | null
  readonly drain: 'portable' | 'fast'
}

export const HELP = `npm run simulate -- [options]

  --seeds N [--from S]         live N seeds (100), from seed S (1); the plain lock beside them unless --alone
  --seed S [--mask M] [--trace] live one seed again, byte for byte; --trace tells every step
  --mutants [--mutant NAME]    the mutation gate: every mutant (or one) must be noticed
  --canaries                   wrong histories, one per invariant: each must be caught
  --shards DIR [--shard-size K] a campaign that goes on where it stopped; one small file per shard, summary.json at the end

  --profile brutal|realistic|unbounded   how often faults strike (brutal)
  --engine protocol|plain_lock|short_lock what the nodes run (protocol); the locks live 45 and 10 seconds
  --events N                             events before the calm hours (10000)
  --drain portable|fast                  how microtasks are drained; both give the same hash (fast)
  --workers N                            processes side by side (2)
  --alone                                without the plain lock beside
  --commit C                             the commit that a failure was seen on; another one is said
`

/** @throws Error that names the option */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      mask: { type: 'string' },
      trace: { type: 'boolean', default: false },
      profile: { type: 'string', default: 'brutal' },
      engine: { type: 'string', default: 'protocol' },
      events: { type: 'string', default: '10000' },
      drain: { type: 'string', default: 'fast' },
      workers: { type: 'string', default: '2' },
      alone: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
      mutant: { type: 'string' },
      canaries: { type: 'boolean', default: false },
      shards: { type: 'string' },
      'shard-size': { type: 'string', default: '500' },
      commit: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const command = values.help
    ? 'help'
    : values.canaries
      ? 'canaries'
      : values.mutants || values.mutant !== undefined
        ? 'mutants'
        : values.shards !== undefined
          ? 'campaign'
          : values.seed !== undefined
            ? 'replay'
            : 'seeds'
  return {
    command,
    seeds: whole('seeds', values.seeds ?? (command === 'campaign' ? '100000' : command === 'mutants' ? '500' : '100')),
    from: whole('from', values.from),
    seed: whole('seed', values.seed ?? '1'),
    mask: values.mask === undefined ? null : parseMask(values.mask),
    profile: oneOf('profile', values.profile, ['brutal', 'realistic', 'unbounded']),
    engine: oneOf('engine', values.engine, ['protocol', 'plain_lock', 'short_lock']),
    events: whole('events', values.events),
    trace: values.trace,
    beside: !values.alone,
    workers: whole('workers', values.workers),
    mutant: values.mutant ?? null,
    shards: values.shards ?? '',
    shardSize: whole('shard-size', values['shard-size']),
    commit: values.commit ?? null,
    drain: oneOf('drain', values.drain, ['portable', 'fast']),
  }
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1 on, not ${text}`)
  return value
}

function oneOf<Value extends string>(name: string, text: string, known: readonly Value[]): Value {
  const found = known.find((value) => value === text)
  if (found === undefined) throw new Error(`--${name} is one of ${known.join(', ')}, not ${text}`)
  return found
}
