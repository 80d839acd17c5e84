import type { ApiKeys } from '../core/access/api-key.ts'
import type { Idempotency } from '../core/access/idempotency.ts'
import type { Organizations } from '../core/access/organization.ts'
import type { Agents } from '../core/agent/agents.ts'
import type { Approvals } from '../core/agent/approvals.ts'
import type { Enrolments } from '../core/agent/enrolments.ts'
import type { Incidents } from '../core/agent/incidents.ts'
import type { Installations } from '../core/agent/installations.ts'
import type { TrustSnapshots } from '../core/agent/trust-snapshots.ts'
import type { Uses } from '../core/agent/uses.ts'
import type { WorkloadIssuers } from '../core/agent/workload-issuers.ts'
import type { Alerts, Channels } from '../core/alert/alerts.ts'
import type { Events } from '../core/audit/events.ts'
import type { ConnectSessions } from '../core/connect/connect-sessions.ts'
import type { Checks } from '../core/connection/checks.ts'
import type { Connections } from '../core/connection/connections.ts'
import type { Integrations } from '../core/connection/integrations.ts'
import type { Factors } from '../core/identity/factor.ts'
import type { Throttles } from '../core/identity/throttle.ts'
import type { Tickets } from '../core/identity/ticket.ts'
import type { AgentId, AlertId, ConnectionId, DeliveryId, InstallationId, IntegrationId, OrganizationId, SessionId, UserId } from '../core/ids.ts'
import type { Observed } from '../core/observe/observed.ts'
import type { Operations } from '../core/operate/operations.ts'
import type { Reseals } from '../core/operate/reseals.ts'
import type { QuotaState, Quotas } from '../core/pacing/quotas.ts'
import type { ProofsSeen } from '../core/proof/dpop-proofs.ts'
import type { Pushes } from '../core/push/pushes.ts'
import type { Credentials } from '../core/refresh/credentials.ts'
import type { Lineages } from '../core/refresh/lineage.ts'
import type { Nodes } from '../core/refresh/nodes.ts'
import type { Sessions } from '../core/session/sessions.ts'
import type { SigningKeyStore } from '../core/session/signing-key.ts'
import type { SignIns } from '../core/sign-in/sign-ins.ts'
import type { Clock, Timers } from '../core/time.ts'
import type { Owners } from '../core/user/owners.ts'
import type { Users } from '../core/user/users.ts'
import type { Webhooks } from '../core/webhook/webhooks.ts'

/** Something changed that another node or a cache may hold. Sent after the change is durable; may repeat, never reorders per key. */
export type Change =
  | { readonly kind: 'connection'; readonly connection: ConnectionId }
  | { readonly kind: 'integration'; readonly integration: IntegrationId }
  | { readonly kind: 'api_key' }
  /** Its generation, its end or its organization. */
  | { readonly kind: 'session'; readonly session: SessionId }
  /** A person, or what they are in an organization: all their sessions see it at once. */
  | { readonly kind: 'user'; readonly user: UserId }
  /** What it asks of the people in it: all their sessions see it at once. */
  | { readonly kind: 'organization'; readonly organization: OrganizationId }
  /** An agent: its status, its policy or its acceptance. */
  | { readonly kind: 'agent'; readonly agent: AgentId }
  /** Its status, its key, or what access tokens of it still count. */
  | { readonly kind: 'installation'; readonly installation: InstallationId }
  /** Opened, changed or over. */
  | { readonly kind: 'alert'; readonly alert: AlertId }
  /** Tried or replayed. */
  | { readonly kind: 'delivery'; readonly delivery: DeliveryId }
  /** One of the keys behind access tokens. */
  | { readonly kind: 'signing_key' }
  /** Carries all there is to know: a reader of every row would ask the database once a second. */
  | { readonly kind: 'quota'; readonly state: QuotaState }
  /** The channel was deaf for a while: forget everything cached. */
  | { readonly kind: 'unknown' }

/** The one contract of every store; `conformance.ts` is its proof. Rows never leave a store: domain values do. */
export interface Store {
  readonly credentials: Credentials
  readonly connections: Connections
  readonly integrations: Integrations
  readonly connectSessions: ConnectSessions
  readonly apiKeys: ApiKeys
  readonly organizations: Organizations
  readonly users: Users
  readonly sessions: Sessions
  readonly signingKeys: SigningKeyStore
  readonly proofsSeen: ProofsSeen
  readonly tickets: Tickets
  readonly factors: Factors
  readonly throttles: Throttles
  readonly owners: Owners
  readonly signIns: SignIns
  readonly agents: Agents
  readonly installations: Installations
  readonly enrolments: Enrolments
  readonly approvals: Approvals
  readonly uses: Uses
  readonly incidents: Incidents
  readonly trustSnapshots: TrustSnapshots
  readonly workloadIssuers: WorkloadIssuers
  readonly events: Events
  readonly idempotency: Idempotency
  readonly meta: Meta
  readonly pushes: Pushes
  readonly checks: Checks
  readonly quotas: Quotas
  readonly lineages: Lineages
  readonly alerts: Alerts
  readonly channels: Channels
  readonly webhooks: Webhooks
  readonly observed: Observed
  readonly operations: Operations
  readonly reseals: Reseals
  readonly nodes: Nodes
  readonly changes: Changes
  /** Resolves when the database answers a trivial read and accepts writes; rejects otherwise. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Facts about the database itself, by name: instance id, sealed canary. */
export interface Meta {
  get(name: string): Promise<Uint8Array | undefined>
  /** Writes only if absent; returns what is stored afterwards. */
  putIfAbsent(name: string, value: Uint8Array): Promise<Uint8Array>
  put(name: string, value: Uint8Array): Promise<void>
}

export interface Changes {
  subscribe(listener: (change: Change) => void): () => void
  /** True when a change made by any node would have reached us within the last second (own ping echoed). Always true embedded. */
  fresh(): boolean
}

/** What is applied and what is not. */
export interface MigrationStatus {
  readonly version: number
  readonly name: string
  readonly appliedAt: number | null
}

/** What is stored in a table, or in one column of it, that goes when the last migration is taken back. */
export interface Loss {
  readonly table: string
  /** Null: the whole table. */
  readonly column: string | null
  /** How many rows have something there. Never 0. */
  readonly rows: number
}

export interface Migrations {
  /** Those of this program, and those that a newer one applied. */
  status(): Promise<readonly MigrationStatus[]>
  /** Applies what is missing, in order, each in its own transaction. Returns the versions applied. */
  up(): Promise<readonly number[]>
  /** What `rollback` would take away with it. @throws Fault `store_unavailable` when the last migration is of a newer version */
  losses(): Promise<readonly Loss[]>
  /** Takes the last applied migration back. Returns its version, or null when there is none. @throws Fault as `losses` */
  rollback(): Promise<number | null>
}

/** `clock` is the embedded database's clock; PostgreSQL uses the server's own. */
export interface StoreOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** Applies missing migrations before opening; without it an outdated schema is refused. False by default. */
  readonly migrate?: boolean
  /** Connections to PostgreSQL that this store may hold, 10 at least; 16 by default. The embedded database has one. */
  readonly connections?: number
  /**
   * Told once when the embedded database can no longer be trusted by this process (a sync to disk failed): every call is refused
   * from then on, and the process must be started again. Without it the error is thrown where nothing catches it.
   */
  readonly lost?: (error: Error) => void
  readonly log?: { warn(fields: Readonly<Record<string, string | number>>, message: string): void }
}
