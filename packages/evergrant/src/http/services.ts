import type { ApiKey, ApiKeyScope } from '../core/access/api-key.ts'
import type { ApiKeysService } from '../core/access/api-keys-service.ts'
import type { IdempotentRequests } from '../core/access/idempotent-requests.ts'
import type { Organization } from '../core/access/organization.ts'
import type { Actor } from '../core/audit/event.ts'
import type { Events } from '../core/audit/events.ts'
import type { ConnectionChecks } from '../core/connection/check-connection.ts'
import type { ConnectionDetails, ConnectionService } from '../core/connection/connection-service.ts'
import type { IntegrationService } from '../core/connection/integration-service.ts'
import type { MachineConnections } from '../core/connection/machine-connections.ts'
import type { ReuseProbes } from '../core/connection/reuse-probes.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { OrganizationId } from '../core/ids.ts'
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
  /** Whether a request comes from the holder of a key (DPoP). */
  readonly proofs: Pick<DpopProofs, 'check' | 'nonces'>
  readonly signingKeys: Pick<SigningKeys, 'published' | 'mustOperate' | 'rotateNow'>
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
  readonly users: UserService
  readonly ownerData: Pick<OwnerData, 'export' | 'erase' | 'erasePerson'>
  readonly personConnections: Pick<PersonConnections, 'report'>
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

/** Who calls: set before every handler of a route that is not public. A backend with its key, or a person with an access token. */
export interface Caller {
  readonly organization: OrganizationId
  readonly actor: Actor
  /** What the key or the person's role allows. */
  readonly scopes: readonly ApiKeyScope[]
  /** Not null: only connections of this owner. A route that does not say `own` refuses such a caller. */
  readonly owner: string | null
  readonly key: ApiKey | null
  readonly person: Person | null
}

/** A person as the access token of this request proves them. */
export type Person = ProvenPerson
