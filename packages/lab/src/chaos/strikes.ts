import type { Arena } from './arena.ts'
import type { Dice } from './dice.ts'
import { KILLS } from './kill-strikes.ts'

/** One way to do harm. Resolves with whether it struck where it aimed; what it broke, `Arena.mend` mends. */
export interface Strike {
  readonly name: string
  readonly stores: readonly ('sqlite' | 'postgres')[]
  /** Left out at the true values of the times, where it would only repeat what a faster profile shows. */
  readonly scaledOnly?: boolean
  readonly run: (arena: Arena, dice: Dice) => Promise<boolean>
}

export function strikesFor(store: 'sqlite' | 'postgres', profile: 'scaled' | 'true'): readonly Strike[] {
  return [...KILLS].filter(({ stores, scaledOnly }) => stores.includes(store) && !(profile === 'true' && scaledOnly === true))
}
