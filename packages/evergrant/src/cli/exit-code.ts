/** What a command's exit code says; the same for every command. */
export const EXIT = {
  done: 0,
  /** A problem was found, or the request was refused. */
  problem: 1,
  usage: 2,
  /** Answers of providers are only in the journal of this machine. */
  onlyInJournal: 3,
  /** Neither server nor database answers. */
  unreachable: 4,
  /** Some of many were done, and some refused. */
  partial: 5,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with a message for a person; `facts` go into the JSON form. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exitCode: ExitCode
  readonly facts: Readonly<Record<string, unknown>>

  constructor(exitCode: ExitCode, message: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.exitCode = exitCode
    this.facts = facts
  }
}
