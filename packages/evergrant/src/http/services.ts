import type { ApiKey } from '../core/access/api-key.ts'
import type { ApiKeysService } from '../core/access/api-keys-service.ts'
import type { IdempotentRequests } from '../core/access/idempotent-requests.ts'
import type { Organization } from '../core/access/organization.ts'
import type { Events } from '../core/audit/events.ts'
import type { ConnectionChecks } from '../core/connection/check-connection.ts'
import type { ConnectionDetails, ConnectionService } from '../core/connection/connection-service.ts'
import type { IntegrationService } from '../core/connection/integration-service.ts'
import type { MachineConnections } from '../core/connection/machine-connections.ts'
import type { ReuseProbes } from '../core/connection/reuse-probes.ts'
import type { OrganizationId } from '../core/ids.ts'
import type { ProviderDirectory } from '../core/provider/context.ts'
import type { PushService } from '../core/push/push-service.ts'
import type { RefreshEngine } from '../core/refresh/refresh-engine.ts'
import type { Clock, Entropy, Timers } from '../core/time.ts'
import type { Upstream } from './proxy/upstream.ts'

/** What the routes use: services of core and plain functions. Never a store. */
export interface Services {
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly engine: RefreshEngine
  readonly apiKeys: ApiKeysService
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
  readonly events: Pick<Events, 'list' | 'drift'>
  readonly upstream: Upstream
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

/** Who calls: set before every handler of a route that is not public. */
export interface Caller {
  readonly organization: OrganizationId
  readonly key: ApiKey
}
