import type { ExitCode } from './exit-code.ts'
import type { Output } from './output.ts'

/** What a command is given to speak with. */
export interface Shell {
  readonly output: Output
  /** Sets the exit code of a command that ended without an error of its own. */
  finish(code: ExitCode): void
}
