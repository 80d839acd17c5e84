import type { ConnectionId, EnginePorts, Entropy, NodeIdentity, OrganizationId, ProtocolTimes, Seal, Store } from '../../../../evergrant/src/engine.ts'
import type { StageProvider } from './stage-provider.ts'
import type { StageTime } from './stage-time.ts'

export interface StageConnection {
  readonly id: ConnectionId
  /** Which consent of the provider it holds. */
  readonly family: number
}

/** What every node of a stage shares. */
export interface StageParts {
  readonly time: StageTime
  readonly store: Store
  readonly provider: StageProvider
  readonly seal: Seal
  readonly entropy: Entropy
  readonly times: ProtocolTimes
  readonly directory: EnginePorts['directory']
  readonly databaseFirst: boolean
  readonly organization: OrganizationId
  /** Every node asks its database whether it is the newest. */
  readonly doubting: boolean
  /** The process of this node is gone. */
  lose(node: NodeIdentity): void
}
