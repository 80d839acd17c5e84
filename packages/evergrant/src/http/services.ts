import type { ApiKey, ApiKeyScope } from '../core/access/api-key.ts'
import type { ApiKeysService } from '../core/access/api-keys-service.ts'
import type { IdempotentRequests } from '../core/access/idempotent-requests.ts'
import type { Organization } from '../core/access/organization.ts'
import type { OrganizationSettingsService } from '../core/access/settings-service.ts'
import type { AgentService } from '../core/agent/agent-service.ts'
import type { AgentSettingsService } from '../core/agent/agent-settings-service.ts'
import type { ApprovalService } from '../core/agent/approval-service.ts'
import type { ConnectionAccess } from '../core/agent/connection-access.ts'
import type { DeviceService } from '../core/agent/device-service.ts'
import type { EnrolmentService } from '../core/agent/enrolment-service.ts'
import type { InstallationGuard, ProvenInstallation } from '../core/agent/installation-guard.ts'
import type { InstallationService } from '../core/agent/installation-service.ts'
import type { ProjectDownloads } from '../core/agent/project-download.ts'
import type { SdkService } from '../core/agent/sdk-service.ts'
import type { TrustService } from '../core/agent/trust/trust-service.ts'
import type { UseCounter } from '../core/agent/use-counter.ts'
import type { Uses } from '../core/agent/uses.ts'
import type { WorkloadIdentities } from '../core/agent/workload-identities.ts'
import type { AlertService } from '../core/alert/alert-service.ts'
import type { ChannelService } from '../core/alert/channel-service.ts'
import type { AlertLinks } from '../core/alert/notifier.ts'
import type { Actor } from '../core/audit/event.ts'
import type { Events } from '../core/audit/events.ts'
import type { ConnectionChecks } from '../core/connection/check-connection.ts'
import type { ConnectionDetails, ConnectionService } from '../core/connection/connection-service.ts'
import type { IntegrationService } from '../core/connection/integration-service.ts'
import type { MachineConnections } from '../core/connection/machine-connections.ts'
import type { ReuseProbes } from '../core/connection/reuse-probes.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { ConnectionId, OrganizationId } from '../core/ids.ts'
import type { BulkService } from '../core/observe/bulk-service.ts'
import type { ConnectionUses } from '../core/observe/connection-uses.ts'
import type { ConsoleService } from '../core/observe/console-service.ts'
import type { HistoryService } from '../core/observe/history-service.ts'
import type { LiveHub } from '../core/observe/live-hub.ts'
import type { Observed } from '../core/observe/observed.ts'
import type { StoryService } from '../core/observe/story-service.ts'
import type { KeysService } from '../core/operate/keys-service.ts'
import type { SweepService } from '../core/operate/sweep-service.ts'
import type { DpopProofs } from '../core/proof/dpop-proofs.ts'
import type { ProviderDirectory } from '../core/provider/context.ts'
import type { PushService } from '../core/push/push-service.ts'
import type { RefreshEngine } from '../core/refresh/refresh-engine.ts'
import type { PersonConnections } from '../core/session/due-connections.ts'
import type { ProvenPerson, SessionGuard } from '../core/session/session-guard.ts'
import type { SessionService } from '../core/session/session-service.ts'
import type { SignedIn } from '../core/session/sessions.ts'
import type { SigningKeys } from '../core/session/signing-keys.ts'
import type { Clock, Entropy, Timers } from '../core/time.ts'
import type { OwnerData } from '../core/user/owner-data.ts'
import type { UserService } from '../core/user/user-service.ts'
import type { WebhookService } from '../core/webhook/webhook-service.ts'
import type { Webhooks } from '../core/webhook/webhooks.ts'
import type { Upstream } from './proxy/upstream.ts'

/** What the routes use: services of core and plain functions. Never a store. */
export interface Services {
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly engine: RefreshEngine
  readonly apiKeys: ApiKeysService
  readonly sessions: SessionService
  readonly identity: Identity
  /** Who sent an access token. */
  readonly guard: Pick<SessionGuard, 'peek' | 'lookUp'>
  /** Which installation sent an access token. */
  readonly installationGuard: Pick<InstallationGuard, 'peek' | 'lookUp'>
  /** Refresh, recovery and end of installations. */
  readonly sdk: Pick<SdkService, 'refresh' | 'recover' | 'revoke'>
  readonly agents: AgentService
  readonly enrolment: EnrolmentService
  readonly devices: DeviceService
  readonly workloads: WorkloadIdentities
  readonly approvals: ApprovalService
  readonly installations: InstallationService
  readonly agentSettings: AgentSettingsService
  readonly downloads: Pick<ProjectDownloads, 'create'>
  /** What the policy of a program says about a connection. */
  readonly connectionAccess: Pick<ConnectionAccess, 'peek' | 'require'>
  /** Called on the hot path: must cost nanoseconds. */
  readonly uses: Pick<UseCounter, 'count' | 'countDay' | 'flush'>
  readonly trust: TrustService
  readonly useHistory: Pick<Uses, 'ofConnection' | 'ofAgent'>
  /** Who used these connections in the last 24 hours. */
  readonly pageUses: (organization: OrganizationId, connections: readonly ConnectionId[]) => Promise<readonly ConnectionUses[]>
  /** Whether a request comes from the holder of a key (DPoP). */
  readonly proofs: Pick<DpopProofs, 'check' | 'examine' | 'spend' | 'nonces'>
  readonly signingKeys: Pick<SigningKeys, 'published' | 'mustOperate' | 'rotateNow' | 'schedule'>
  /** Renews the person's connections that are due, waits `deadlineMs` at most, and reports all, as auth/token-status does. */
  readonly dueConnections: (signedIn: SignedIn, deadlineMs: number) => Promise<readonly unknown[]>
  readonly idempotency: IdempotentRequests
  readonly connections: ConnectionService
  readonly machines: Pick<MachineConnections, 'create' | 'replaceCredentials'>
  /** The page that repairs a connection whose grant is over; null where there is none. */
  readonly repairLink: (details: ConnectionDetails) => string | null
  readonly integrations: IntegrationService
  readonly pushes: PushService
  readonly checks: Pick<ConnectionChecks, 'test'>
  readonly probes: Pick<ReuseProbes, 'learn'>
  readonly providers: Pick<ProviderDirectory, 'get' | 'list'>
  readonly organizations: { get(id: OrganizationId): Promise<Organization | undefined> }
  readonly settings: Pick<OrganizationSettingsService, 'get' | 'change'>
  readonly users: UserService
  readonly ownerData: Pick<OwnerData, 'export' | 'erase' | 'erasePerson'>
  readonly personConnections: Pick<PersonConnections, 'report'>
  readonly events: Pick<Events, 'list' | 'drift'>
  readonly upstream: Upstream
  /** Many connections seen together. */
  readonly console: ConsoleService
  readonly bulks: BulkService
  readonly stories: StoryService
  readonly history: Pick<HistoryService, 'read'>
  readonly eventSearch: Pick<Observed, 'events'> & Pick<Webhooks, 'event'>
  readonly live: Pick<LiveHub, 'subscribe' | 'streamsOf' | 'publish' | 'close'>
  /** Whether what opened a stream would still open it. */
  readonly stillAllowed: (caller: Caller) => Promise<boolean>
  /** Open alerts as the API shows them. */
  readonly openAlerts?: (organization: OrganizationId) => Promise<readonly object[]>
  readonly alerts: AlertService
  readonly alertLinks: AlertLinks
  readonly channels: ChannelService
  readonly webhooks: WebhookService
  /** Of this installation for push services, base64url. */
  readonly pushKey: () => Promise<string>
  readonly sweeps: Pick<SweepService, 'start' | 'list' | 'look'>
  /** Master keys, what each seals, and sealing everything anew. */
  readonly keys: Pick<KeysService, 'status' | 'reload' | 'reseal' | 'progress' | 'remove'>
  readonly health: HealthSource
  readonly metrics: MetricsSource
}

export interface HealthSource {
  /** Each part that must work before this node should get traffic. Never rejects. */
  check(): Promise<readonly HealthCheck[]>
}

export interface HealthCheck {
  readonly name: string
  readonly ok: boolean
  /** For operators: no secret, no address. */
  readonly detail: string | null
}

export interface MetricsSource {
  /** Called on the hot path: must cost nanoseconds. */
  tokenRead(fromMemory: boolean): void
  /** Prometheus text format 0.0.4. */
  render(): Promise<string>
}

/** Who calls: set before every handler of a route that is not public. A backend with its key, a person or a program with an access token. */
export interface Caller {
  readonly organization: OrganizationId
  readonly actor: Actor
  /** What the key or the person's role allows. */
  readonly scopes: readonly ApiKeyScope[]
  /** Not null: only connections of this owner. A route that does not say `own` refuses such a caller. */
  readonly owner: string | null
  readonly key: ApiKey | null
  readonly person: Person | null
  /** A program, whose policy says which connections it may use and how: only routes that say `agents` ever see one. */
  readonly installation: ProvenInstallation | null
}

/** A person as the access token of this request proves them. */
export type Person = ProvenPerson
