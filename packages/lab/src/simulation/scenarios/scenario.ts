import type { StageOptions } from './stage.ts'

/** A named fact about the protocol, with the script that shows it. Rejects when the fact does not hold. */
export interface Scenario {
  readonly id: string
  /** The fact, in plain English. */
  readonly name: string
  /** Rules of the store are shown on its statements, too. `maps` alone by default. */
  readonly stores?: readonly NonNullable<StageOptions['store']>[]
  run(store: NonNullable<StageOptions['store']>): Promise<void>
}

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

export const BOTH_STORES = ['maps', 'sql'] as const
