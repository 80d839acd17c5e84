import { KILLS } from './kill-strikes.ts'
import { PAUSES } from './pause-strikes.ts'
import type { Strike } from './strike.ts'
import { TROUBLES } from './trouble-strikes.ts'

/** Everything that can be done to this store on this machine. */
export function strikesFor(store: 'sqlite' | 'postgres', shim: boolean): readonly Strike[] {
  return [...KILLS, ...PAUSES, ...TROUBLES].filter((strike) => strike.stores.includes(store) && (shim || strike.shim !== true))
}
