import type { Store } from '../../../../evergrant/src/engine.ts'
import type { ConnectionTruth, Ledger } from '../ledger.ts'
import type { Life } from '../life.ts'
import type { Weather } from '../profile.ts'
import type { SimSeal } from '../sim-seal.ts'
import type { TokenMint } from '../token-mint.ts'
import type { World } from '../world.ts'

/** What every checker knows of the world. */
export interface OracleParts {
  readonly world: World
  readonly weather: Weather
  readonly ledger: Ledger
  readonly seal: SimSeal
  readonly mint: TokenMint
  readonly store: () => Store
  readonly buggify: (life: Life, step: string) => boolean
  /** A step of the protocol concerns this connection: somebody may come exactly now. */
  readonly moment: (connection: ConnectionTruth) => void
  /** Does the database itself say that it is not to be trusted? */
  readonly distrusted: () => boolean
}
