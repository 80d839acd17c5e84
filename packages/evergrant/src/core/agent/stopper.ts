import type { Actor } from '../audit/event.ts'

/** Who stopped an agent or an installation. What somebody of the whole organization stopped is not undone by whoever reaches only their own. */
export interface Stopper {
  readonly actor: Actor
  /** They reached the whole organization when they did. */
  readonly whole: boolean
}
