import type { ClassLosses, ProfileName, SeedReport } from '../simulation/seed-report.ts'
import type { Mutant } from './mutant.ts'
import { mutants } from './mutants.ts'
import { SeedPool } from './seed-pool.ts'

/** How one mutant fared. */
export interface MutantVerdict {
  readonly mutant: string
  readonly does: string
  /** Null: its scenario did not notice. */
  readonly scenario: string | null
  /** The first invariant that a seed found broken, and how many seeds that took. */
  readonly invariant: string | null
  readonly seeds: number | null
  /** Reuse classes that lost clearly more than the protocol does on the same seeds. */
  readonly losses: readonly string[]
  readonly killed: boolean
}

export interface GateOptions {
  readonly seeds: number
  readonly profile: ProfileName
  readonly workers: number
  readonly events: number
  readonly tell: (line: string) => void
}

type Losses = Readonly<Record<string, Pick<ClassLosses, 'lost' | 'falselyDead'>>>

/** Runs the scenario of the mutant, then seeds until one breaks an invariant; the loss count of all of them is held against the protocol's. */
export async function judgeMutant(mutant: Mutant, options: GateOptions, baseline: Losses | null): Promise<MutantVerdict> {
  const pool = new SeedPool(options.workers, mutant.name)
  try {
    const played = await pool.do({ kind: 'scenario', id: mutant.scenario })
    if (played.kind !== 'scenario') throw new Error(`${mutant.name}: ${played.kind === 'error' ? played.text : 'no scenario'}`)
    // A rule that stands in several stores must be missed in each.
    const scenario = played.failures.includes(null) ? null : mutant.scenario
    const found = await firstViolation(pool, options)
    const losses = found.broken === null && baseline !== null ? clearlyMore(found.losses, baseline) : []
    const killed = scenario !== null || found.broken !== null || losses.length > 0
    return { mutant: mutant.name, does: mutant.does, scenario, invariant: found.broken, seeds: found.broken === null ? null : found.seeds, losses, killed }
  } finally {
    pool.close()
  }
}

/** What the protocol itself loses on these seeds. */
export async function baselineLosses(options: GateOptions): Promise<Losses> {
  const pool = new SeedPool(options.workers)
  try {
    return (await firstViolation(pool, options)).losses
  } finally {
    pool.close()
  }
}

interface Broken {
  readonly seed: number
  readonly invariant: string
}

async function firstViolation(pool: SeedPool, options: GateOptions) {
  const losses: Record<string, { lost: number; falselyDead: number }> = {}
  let next = 1
  const broken: Broken[] = []
  const live = async () => {
    while (next <= options.seeds && broken.length === 0) {
      const seed = next
      next += 1
      const report = await pool.seed({ seed, profile: options.profile, events: options.events }).catch((error: unknown) => String(error))
      const invariant = typeof report === 'string' ? 'did not end' : (report.violations[0]?.invariant ?? null)
      if (typeof report !== 'string') add(losses, report)
      if (invariant !== null) broken.push({ seed, invariant })
    }
  }
  await Promise.all(Array.from({ length: pool.size }, live))
  const found = broken.sort((left, right) => left.seed - right.seed)[0]
  return { broken: found?.invariant ?? null, seeds: found?.seed ?? 0, losses }
}

function add(sum: Record<string, { lost: number; falselyDead: number }>, report: SeedReport): void {
  for (const [reuse, { lost, falselyDead }] of Object.entries(report.losses)) {
    const so = sum[reuse] ?? { lost: 0, falselyDead: 0 }
    sum[reuse] = { lost: so.lost + lost, falselyDead: so.falselyDead + falselyDead }
  }
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

/** The whole gate, or one mutant: a table, and one line of JSON at the end. False when a mutant survives. */
export async function runGate(options: GateOptions & { readonly only: string | null }): Promise<boolean> {
  const chosen = mutants.filter((mutant) => options.only === null || mutant.name === options.only)
  if (chosen.length === 0) throw new Error(`there is no mutant ${options.only}; known are ${mutants.map((mutant) => mutant.name).join(', ')}`)
  const baseline = await baselineLosses(options)
  options.tell('| mutant | what it does | scenario that notices | invariant, seeds needed | classes that lose more |')
  options.tell('|---|---|---|---|---|')
  const verdicts: MutantVerdict[] = []
  for (const mutant of chosen) {
    const verdict = await judgeMutant(mutant, options, baseline)
    verdicts.push(verdict)
    const found = verdict.invariant === null ? `none in ${options.seeds}` : `${verdict.invariant}, ${verdict.seeds}`
    options.tell(`| ${verdict.mutant} | ${verdict.does} | ${verdict.scenario ?? 'none'} | ${found} | ${verdict.losses.join(', ') || '-'} |`)
  }
  const survivors = verdicts.filter((verdict) => !verdict.killed).map((verdict) => verdict.mutant)
  const bySeeds = verdicts.filter((verdict) => verdict.invariant !== null).length
  const byScenario = verdicts.filter((verdict) => verdict.scenario !== null).length
  options.tell(
    JSON.stringify({
      command: 'mutants',
      mutants: verdicts.length,
      killed: verdicts.length - survivors.length,
      by_scenario: byScenario,
      by_seeds: bySeeds,
      seeds: options.seeds,
      survivors,
    }),
  )
  return survivors.length === 0
}
