/** A wrong engine that lives seeds until the world notices. */
export interface SeedCanary {
  readonly invariant: string
  readonly name: string
  /** The faults that bring it out. */
  readonly mask?: string
}

/** A mutant that a directed scenario must notice: for invariants about many connections, restores and ciphertexts. */
export interface ScenarioCanary {
  readonly invariant: string
  readonly mutant: string
  readonly scenario: string
}

export const CANARY_SEEDS: readonly SeedCanary[] = [
  { invariant: 'I1', name: 'retries_like_a_library', mask: 'bc' },
  { invariant: 'I2', name: 'serves_an_old_generation' },
  { invariant: 'I3', name: 'silence_is_death', mask: 'bd' },
  { invariant: 'I4', name: 'durable_only_in_words' },
  { invariant: 'I5', name: 'presents_spent_tokens', mask: '-' },
  { invariant: 'I6', name: 'forgets_suspicions', mask: 'ab' },
  { invariant: 'I7', name: 'drops_answers' },
  { invariant: 'I8', name: 'serves_nobody' },
  { invariant: 'I11', name: 'sends_twice' },
  { invariant: 'I12', name: 'config_is_death', mask: 'h' },
  { invariant: 'I13', name: 'serves_after_the_disconnect', mask: 'w' },
  { invariant: 'I14', name: 'exits_at_once', mask: 'y' },
  { invariant: 'I15', name: 'logs_tokens' },
  { invariant: 'I18', name: 'ends_without_an_event', mask: 'ax' },
  { invariant: 'I19', name: 'ignores_the_tenant' },
]

export const CANARY_SCENARIOS: readonly ScenarioCanary[] = [
  { invariant: 'I9', mutant: 'no_breaker', scenario: 'outage-knocks' },
  { invariant: 'I10', mutant: 'everybody_at_the_same_second', scenario: 'spread-of-renewals' },
  { invariant: 'I16', mutant: 'sealed_to_no_row', scenario: 'moved-ciphertext' },
  { invariant: 'I17', mutant: 'replays_without_looking', scenario: 'journal-replayed-again-and-again' },
  { invariant: 'I20', mutant: 'no_high_water_check', scenario: 'database-went-back' },
]
