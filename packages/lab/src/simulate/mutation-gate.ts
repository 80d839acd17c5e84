import type { ClassLosses, ProfileName } from '../simulation/seed-report.ts'
import { liveSeeds } from './live-seeds.ts'
import type { Mutant } from './mutant.ts'
import { mutants } from './mutants.ts'
import { SeedPool } from './seed-pool.ts'
import { NOTHING, plus, type Summary, summaryOf } from './summary.ts'

/** How one mutant fared. */
interface MutantVerdict {
  readonly mutant: string
  readonly does: string
  /** Null: its scenario did not notice. */
  readonly scenario: string | null
  /** The invariant that a seed found broken which the protocol holds on the same seed, and how many seeds that took. */
  readonly broken: Broken | null
  /** Reuse classes that lost clearly more than the protocol does on the same seeds. */
  readonly losses: readonly string[]
  readonly killed: boolean
}

interface GateOptions {
  readonly seeds: number
  readonly profile: ProfileName
  readonly workers: number
  readonly events: number
  readonly tell: (line: string) => void
}

interface Broken {
  readonly seed: number
  readonly invariant: string
}

type Losses = Readonly<Record<string, Pick<ClassLosses, 'lost' | 'falselyDead'>>>

/** The protocol itself, on the seeds of the gate: what breaks there is no mutant's doing. */
class Baseline {
  readonly #pool: SeedPool
  readonly #options: GateOptions
  readonly #holds = new Map<number, Promise<boolean>>()
  #losses: Promise<Losses> | null = null

  constructor(options: GateOptions) {
    this.#pool = new SeedPool(options.workers)
    this.#options = options
  }

  holds(seed: number): Promise<boolean> {
    const { profile, events } = this.#options
    const known = this.#holds.get(seed) ?? this.#pool.seed({ seed, profile, events }).then((report) => report.violations.length === 0)
    this.#holds.set(seed, known)
    return known
  }

  losses(): Promise<Losses> {
    const { seeds, profile, events } = this.#options
    this.#losses ??= liveSeeds(this.#pool, 1, seeds, { profile, events }).then((lived) => lived.losses)
    return this.#losses
  }

  async failed(): Promise<number[]> {
    const failed: number[] = []
    for (const [seed, holds] of this.#holds) if (!(await holds)) failed.push(seed)
    return failed.sort((left, right) => left - right)
  }

  close(): void {
    this.#pool.close()
  }
}

/** The scenario of the mutant, then seeds until one breaks that the protocol holds; else the losses of all of them. */
async function judgeMutant(mutant: Mutant, options: GateOptions, baseline: Baseline): Promise<MutantVerdict> {
  const pool = new SeedPool(options.workers, mutant.name)
  try {
    const played = await pool.do({ kind: 'scenario', id: mutant.scenario })
    if (played.kind !== 'scenario') throw new Error(`${mutant.name}: ${played.kind === 'error' ? played.text : 'no scenario'}`)
    // A rule that stands in several stores must be missed in each.
    const scenario = played.failures.includes(null) ? null : mutant.scenario
    const { broken, lived } = await firstBroken(pool, options, baseline)
    const losses = broken === null ? clearlyMore(lived.losses, await baseline.losses()) : []
    return { mutant: mutant.name, does: mutant.does, scenario, broken, losses, killed: scenario !== null || broken !== null || losses.length > 0 }
  } finally {
    pool.close()
  }
}

async function firstBroken(pool: SeedPool, options: GateOptions, baseline: Baseline): Promise<{ readonly broken: Broken | null; readonly lived: Summary }> {
  const { seeds, profile, events } = options
  const broken: Broken[] = []
  let lived = NOTHING
  let next = 1
  const live = async () => {
    while (next <= seeds && broken.length === 0) {
      const seed = next
      next += 1
      const report = await pool.seed({ seed, profile, events }).catch(() => null)
      if (report !== null) lived = plus(lived, summaryOf(report))
      const invariant = report === null ? 'did not end' : report.violations[0]?.invariant
      if (invariant !== undefined && (await baseline.holds(seed))) broken.push({ seed, invariant })
    }
  }
  await Promise.all(Array.from({ length: pool.size }, live))
  return { broken: broken.sort((left, right) => left.seed - right.seed)[0] ?? null, lived }
}

/** More than three standard deviations of a Poisson count beyond the protocol's own. */
export function clearlyMore(mutant: Losses, protocol: Losses): string[] {
  return Object.keys(mutant).filter((reuse) => {
    const own = protocol[reuse] ?? { lost: 0, falselyDead: 0 }
    const its = mutant[reuse] ?? { lost: 0, falselyDead: 0 }
    const more = (count: number, than: number) => count - than > 3 * Math.sqrt(count + than) && count - than >= 5
    return more(its.lost, own.lost) || more(its.falselyDead, own.falselyDead)
  })
}

/** The whole gate, or one mutant: a table, and one line of JSON at the end. False when a mutant survives, or a seed breaks without any. */
export async function runGate(options: GateOptions & { readonly only: string | null }): Promise<boolean> {
  const chosen = mutants.filter((mutant) => options.only === null || mutant.name === options.only)
  if (chosen.length === 0) throw new Error(`there is no mutant ${options.only}; known are ${mutants.map((mutant) => mutant.name).join(', ')}`)
  options.tell('| mutant | what it does | scenario that notices | invariant, seeds needed | classes that lose more |')
  options.tell('| --- | --- | --- | --- | --- |')
  const baseline = new Baseline(options)
  const verdicts: MutantVerdict[] = []
  try {
    for (const mutant of chosen) {
      const verdict = await judgeMutant(mutant, options, baseline)
      verdicts.push(verdict)
      options.tell(rowOf(verdict, options.seeds))
    }
    const failed = await baseline.failed()
    options.tell(JSON.stringify(closing(verdicts, options.seeds, failed)))
    return failed.length === 0 && verdicts.every((verdict) => verdict.killed)
  } finally {
    baseline.close()
  }
}

function rowOf({ mutant, does, scenario, broken, losses }: MutantVerdict, seeds: number): string {
  const found = broken === null ? `none in ${seeds}` : `${broken.invariant}, ${broken.seed}`
  return `| ${mutant} | ${does} | ${scenario ?? 'none'} | ${found} | ${losses.join(', ') || '-'} |`
}

function closing(verdicts: readonly MutantVerdict[], seeds: number, failed: readonly number[]) {
  const survivors = verdicts.filter((verdict) => !verdict.killed).map((verdict) => verdict.mutant)
  return {
    command: 'mutants',
    mutants: verdicts.length,
    killed: verdicts.length - survivors.length,
    by_scenario: verdicts.filter((verdict) => verdict.scenario !== null).length,
    by_seeds: verdicts.filter((verdict) => verdict.broken !== null).length,
    by_losses: verdicts.filter((verdict) => verdict.losses.length > 0).length,
    seeds,
    survivors,
    seeds_that_break_without_a_mutant: failed,
  }
}
