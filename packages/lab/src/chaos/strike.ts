import type { Arena } from './arena.ts'
import type { Dice } from './dice.ts'

/** One way to do harm. Resolves with whether it struck where it aimed; what it broke, `Arena.mend` mends. */
export interface Strike {
  readonly name: string
  readonly stores: readonly ('sqlite' | 'postgres')[]
  /** Needs failing system calls or a movable clock. */
  readonly shim?: boolean
  readonly run: (arena: Arena, dice: Dice) => Promise<boolean>
}

export const BOTH = ['sqlite', 'postgres'] as const
