import { callers } from './callers.ts'
import { durability } from './durability.ts'
import { leases } from './leases.ts'
import { lostAnswers } from './lost-answers.ts'
import type { Scenario } from './scenario.ts'
import { verdicts } from './verdicts.ts'

export type { Scenario } from './scenario.ts'

/** Every directed scenario. CI runs them on the real protocol, the mutation gate on each mutant. */
export const scenarios: readonly Scenario[] = [...lostAnswers, ...leases, ...durability, ...verdicts, ...callers]

/** Runs it on every store it names. @throws Error when its fact does not hold */
export async function playScenario(scenario: Scenario): Promise<void> {
  for (const store of scenario.stores ?? ['maps' as const]) await scenario.run(store)
}
