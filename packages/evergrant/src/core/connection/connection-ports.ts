import type { ProviderDirectory } from '../provider/context.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock, Entropy } from '../time.ts'
import type { Checks } from './checks.ts'
import type { Connections } from './connections.ts'
import type { Integrations } from './integrations.ts'

/** What looking after connections needs from outside. */
export interface ConnectionPorts {
  readonly connections: Connections
  readonly checks: Pick<Checks, 'of'>
  readonly integrations: Integrations
  readonly providers: Pick<ProviderDirectory, 'get'>
  readonly seal: Seal
  readonly clock: Clock
  readonly entropy: Entropy
}
