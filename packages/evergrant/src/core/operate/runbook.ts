/** One page for whoever is woken by an alert. */
export interface Runbook {
  /** Of the address: `/docs/runbooks/<id>`. An alert kind is spelt with dashes. */
  readonly id: string
  readonly title: string
  /** What is seen, and who feels it. */
  readonly symptom: string
  /** The likeliest first. */
  readonly causes: readonly string[]
  /** What to look at, and the command or the request that shows it. */
  readonly look: readonly (readonly [what: string, command: string])[]
  /** In order. */
  readonly remedy: readonly string[]
}
