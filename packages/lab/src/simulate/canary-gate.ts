import { CANARY_SCENARIOS, CANARY_SEEDS, type ScenarioCanary, type SeedCanary } from './canary-list.ts'
import { SeedPool } from './seed-pool.ts'

const SEEDS_AT_MOST = 60

interface CanaryVerdict {
  readonly invariant: string
  readonly canary: string
  /** Null: nobody noticed. */
  readonly caught: string | null
}

interface CanaryOptions {
  readonly workers: number
  readonly tell: (line: string) => void
}

/** One wrong history for each invariant. True when every one is caught. */
export async function runCanaries({ workers, tell }: CanaryOptions): Promise<boolean> {
  const pool = new SeedPool(workers)
  const verdicts: CanaryVerdict[] = []
  try {
    for (const canary of CANARY_SEEDS) verdicts.push(await caughtBySeeds(pool, canary))
  } finally {
    pool.close()
  }
  for (const canary of CANARY_SCENARIOS) verdicts.push(await caughtByScenario(canary))
  verdicts.sort((left, right) => Number(left.invariant.slice(1)) - Number(right.invariant.slice(1)))
  tell('| invariant | what is wrong on purpose | caught |')
  tell('|---|---|---|')
  for (const { invariant, canary, caught } of verdicts) tell(`| ${invariant} | ${canary} | ${caught ?? 'NOT CAUGHT'} |`)
  const missed = verdicts.filter((verdict) => verdict.caught === null).map((verdict) => verdict.invariant)
  tell(JSON.stringify({ command: 'canaries', canaries: verdicts.length, caught: verdicts.length - missed.length, missed }))
  return missed.length === 0
}

async function caughtBySeeds(pool: SeedPool, { invariant, name }: SeedCanary): Promise<CanaryVerdict> {
  for (let from = 1; from <= SEEDS_AT_MOST; from += pool.size) {
    const seeds = Array.from({ length: pool.size }, (_, index) => from + index)
    const answers = await Promise.all(seeds.map((seed) => pool.do({ kind: 'canary', name, seed })))
    for (const answer of answers) {
      if (answer.kind === 'error') throw new Error(`${name}: ${answer.text}`)
      if (answer.kind !== 'seed' || !answer.report.violations.some((violation) => violation.invariant === invariant)) continue
      return { invariant, canary: name, caught: `by seed ${answer.report.seed}` }
    }
  }
  return { invariant, canary: name, caught: null }
}

async function caughtByScenario({ invariant, mutant, scenario }: ScenarioCanary): Promise<CanaryVerdict> {
  const [wrong, right] = [new SeedPool(1, mutant), new SeedPool(1)]
  try {
    const [noticed, holds] = await Promise.all([wrong.do({ kind: 'scenario', id: scenario }), right.do({ kind: 'scenario', id: scenario })])
    const fails = noticed.kind === 'scenario' && !noticed.failures.includes(null)
    const passes = holds.kind === 'scenario' && holds.failures.every((failure) => failure === null)
    return { invariant, canary: mutant, caught: fails && passes ? `by the scenario ${scenario}` : null }
  } finally {
    wrong.close()
    right.close()
  }
}
