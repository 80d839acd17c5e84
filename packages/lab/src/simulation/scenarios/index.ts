import { callers } from './callers.ts'
import { durability } from './durability.ts'
import { leases } from './leases.ts'
import { lostAnswers } from './lost-answers.ts'
import { rates } from './rates.ts'
import { restores } from './restores.ts'
import type { Scenario } from './scenario.ts'
import { sockets } from './sockets.ts'
import { verdicts } from './verdicts.ts'

/** Every directed scenario. CI runs them on the real protocol, the mutation gate on each mutant. */
export const scenarios: readonly Scenario[] = [...lostAnswers, ...leases, ...durability, ...verdicts, ...callers, ...rates, ...restores, ...sockets]

/** Plays it on every store it names. The first reason of each store on which its fact does not hold, null where it holds. */
export async function playScenario(scenario: Scenario): Promise<readonly (string | null)[]> {
  const outcomes: (string | null)[] = []
  for (const store of scenario.stores ?? ['maps' as const]) {
    outcomes.push(
      await scenario.run(store).then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
    )
  }
  return outcomes
}
