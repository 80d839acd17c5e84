import type { Integration } from '../connection/integration.ts'
import type { Integrations } from '../connection/integrations.ts'
import type { LiveAnswer } from '../drift/drift-watch.ts'
import type { OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { ProviderDirectory } from '../provider/context.ts'
import type { SigningPorts } from '../provider/signing.ts'
import type { Verdict } from '../provider/verdict.ts'
import type { TokenEndpoint } from '../provider/wire.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock, Entropy, Timers } from '../time.ts'
import type { Tracing } from '../tracing.ts'
import type { Admission } from './admission.ts'
import type { AnsweredRefreshes } from './answered-refreshes.ts'
import type { Backlogs } from './backlog.ts'
import type { Credentials, NodeIdentity } from './credentials.ts'
import type { StuckWrites } from './durable.ts'
import type { EndpointBreakers } from './endpoint-breaker.ts'
import type { ExchangeTimes } from './exchange-times.ts'
import type { FirstAnswers } from './first-answers.ts'
import type { GrantContexts } from './grant-contexts.ts'
import type { Trust } from './high-water.ts'
import type { Journal } from './journal.ts'
import type { Liveness } from './liveness.ts'
import type { Nodes } from './nodes.ts'
import type { ProtocolTimes } from './protocol-times.ts'
import type { RetryBudgets } from './retry-budget.ts'
import type { TokenBudgets } from './token-budget.ts'
import type { Told } from './told.ts'

/** Everything the engine touches. A simulation hands in a simulated world. */
export interface EnginePorts {
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly seal: Seal
  readonly log: Log
  readonly credentials: Credentials
  readonly integrations: Pick<Integrations, 'load' | 'setBlocked' | 'decideDeaths'>
  readonly directory: ProviderDirectory
  /** For providers whose refreshes repeat the redirect URI of the consent. */
  readonly redirectUriOf?: (integration: Integration) => string
  /** For providers that want signed requests; without it none can be built. */
  readonly signing?: SigningPorts
  readonly endpoint: TokenEndpoint
  readonly journal: Journal
  readonly node: NodeIdentity
  /** Is the database the newest that we know of? `TRUSTING` for an engine that never doubts it. */
  readonly trust: Trust
  readonly nodes: Pick<Nodes, 'list' | 'leasesOf' | 'takeOver'>
  readonly liveness: Liveness
  /** Would a change made elsewhere have reached us by now? If not, memory is not trusted. */
  readonly changesFresh: () => boolean
  readonly times: ProtocolTimes
  readonly options: EngineOptions
  readonly observe: (observation: Observation) => void
  /** Without it nothing is traced, and nothing is slower. */
  readonly tracing?: Tracing
  /** UTF-8, with replacement characters. */
  readonly decode: (bytes: Uint8Array) => string
}

interface EngineOptions {
  readonly cacheEntries: number
  /** Due connections that this node has under way at once. */
  readonly backgroundFlights: number
  /** At P2 a token is handed out only after the database has it: true where another node may take over. */
  readonly databaseFirst: boolean
  /** How long memory may answer while the store does not, counted from when it was last known to be current. */
  readonly withoutStoreMs: number
}

/** For metrics: what became of one presentation. */
export interface Observation {
  readonly kind: Verdict['kind'] | 'served_from_memory'
  readonly provider: string
  readonly durationMs: number
  /** A granting answer as it came, for the comparison with its sample. */
  readonly live?: LiveAnswer
  /** Whose grant was renewed; of other presentations nothing is said. */
  readonly organization?: OrganizationId
  /** How long the token before would have lived on, when its successor came; negative when it was over. */
  readonly leadMs?: number
}

/** The ports plus the engine's own shared state. */
export interface EngineWorld extends EnginePorts {
  readonly contexts: GrantContexts
  readonly breakers: EndpointBreakers
  readonly retries: RetryBudgets
  readonly budgets: TokenBudgets
  readonly backlogs: Backlogs
  readonly answered: AnsweredRefreshes
  readonly admission: Admission
  readonly exchanges: ExchangeTimes
  readonly told: Told
  readonly firstAnswers: FirstAnswers
  readonly stuck: StuckWrites
  readonly draining: () => boolean
}
