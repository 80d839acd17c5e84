import type { Entropy } from '../../core/time.ts'
import type { Store } from '../contract.ts'

/** What a case needs beside the store. */
export interface StoreContext {
  readonly entropy: Entropy
  /** The plan of the due query, as the database explains it, on tables with many connections of which few are due. */
  duePlan(): Promise<string>
}

/** One fact that holds on every store. Cases share one store and never touch each other's organization. */
export interface StoreCase {
  readonly name: string
  run(store: Store, context: StoreContext): Promise<void>
}
