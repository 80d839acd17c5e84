import type { ApiKey } from '../../core/access/api-key.ts'
import type { Organization } from '../../core/access/organization.ts'
import type { AuditEvent, NewEvent } from '../../core/audit/event.ts'
import type { ConnectSession, KeptCode } from '../../core/connect/connect-sessions.ts'
import type { ApiKeyId, ConnectionId, ConnectSessionId, IntegrationId, IntentId, OrganizationId, PushNoticeId, RevocationId } from '../../core/ids.ts'
import type { QuotaState } from '../../core/pacing/quotas.ts'
import type { PushSecrets } from '../../core/push/pushes.ts'
import type { Lineage, NodeComparison } from '../../core/refresh/lineage.ts'
import type { Clock, Instant } from '../../core/time.ts'
import type { Change } from '../contract.ts'
import { AnswerTable, type KeptAnswer } from './answer-table.ts'
import { ConnectionTable, type StoredConnection } from './connection-table.ts'
import type {
  CountedDeath,
  DeathWatch,
  KeptBehind,
  KeptCheck,
  KeptCheckPlan,
  KeptImport,
  KeptIntegration,
  KeptNode,
  KeptNotice,
  KeptParked,
  KeptRequest,
} from './kept-rows.ts'
import { type KeptRevocation, RevocationTable } from './revocation-table.ts'

/** Every row, by its key. Rows are values that nobody changes, so a copy of the maps is a copy of the store. */
export interface Snapshot {
  readonly organizations: ReadonlyMap<OrganizationId, Organization>
  readonly integrations: ReadonlyMap<IntegrationId, KeptIntegration>
  readonly connections: ReadonlyMap<ConnectionId, StoredConnection>
  readonly answers: ReadonlyMap<IntentId, KeptAnswer>
  readonly revocations: ReadonlyMap<RevocationId, KeptRevocation>
  readonly sessions: ReadonlyMap<ConnectSessionId, ConnectSession>
  readonly pushedCodes: ReadonlyMap<string, KeptCode>
  readonly apiKeys: ReadonlyMap<ApiKeyId, ApiKey>
  readonly requests: ReadonlyMap<string, KeptRequest>
  readonly events: ReadonlyMap<string, AuditEvent>
  readonly meta: ReadonlyMap<string, Uint8Array>
  readonly nodes: ReadonlyMap<string, KeptNode>
  readonly watches: ReadonlyMap<IntegrationId, DeathWatch>
  readonly deaths: ReadonlyMap<ConnectionId, CountedDeath>
  readonly parked: ReadonlyMap<ConnectionId, KeptParked>
  readonly imports: ReadonlyMap<string, KeptImport>
  /** One row, under the empty name. */
  readonly lineage: ReadonlyMap<'', Lineage>
  readonly ticks: ReadonlyMap<string, NodeComparison>
  readonly behind: ReadonlyMap<string, KeptBehind>
  readonly pushSecrets: ReadonlyMap<IntegrationId, PushSecrets>
  readonly notices: ReadonlyMap<PushNoticeId, KeptNotice>
  readonly checks: ReadonlyMap<ConnectionId, KeptCheck>
  readonly checkPlans: ReadonlyMap<IntegrationId, KeptCheckPlan>
  readonly eventKeys: ReadonlyMap<string, Instant>
  readonly quotas: ReadonlyMap<string, QuotaState>
}

/** What the parts of the store share: the rows, the database's clock, and the way to tell of changes. */
export class Tables {
  readonly organizations = new Map<OrganizationId, Organization>()
  readonly integrations = new Map<IntegrationId, KeptIntegration>()
  readonly connections = new ConnectionTable()
  readonly answers = new AnswerTable()
  readonly revocations = new RevocationTable()
  readonly sessions = new Map<ConnectSessionId, ConnectSession>()
  readonly pushedCodes = new Map<string, KeptCode>()
  readonly apiKeys = new Map<ApiKeyId, ApiKey>()
  readonly requests = new Map<string, KeptRequest>()
  readonly events = new Map<string, AuditEvent>()
  readonly meta = new Map<string, Uint8Array>()
  readonly nodes = new Map<string, KeptNode>()
  readonly watches = new Map<IntegrationId, DeathWatch>()
  readonly deaths = new Map<ConnectionId, CountedDeath>()
  readonly parked = new Map<ConnectionId, KeptParked>()
  /** By integration and fingerprint; one entry for each owner. */
  readonly imports = new Map<string, KeptImport>()
  readonly lineage = new Map<'', Lineage>()
  readonly ticks = new Map<string, NodeComparison>()
  readonly behind = new Map<string, KeptBehind>()
  readonly pushSecrets = new Map<IntegrationId, PushSecrets>()
  readonly notices = new Map<PushNoticeId, KeptNotice>()
  readonly checks = new Map<ConnectionId, KeptCheck>()
  readonly checkPlans = new Map<IntegrationId, KeptCheckPlan>()
  readonly eventKeys = new Map<string, Instant>()
  readonly quotas = new Map<string, QuotaState>()
  readonly changed: (change: Change) => void
  readonly #clock: Clock

  constructor(clock: Clock, changed: (change: Change) => void) {
    this.#clock = clock
    this.changed = changed
  }

  now(): Instant {
    return this.#clock.wall()
  }

  /** The same id twice is one event, so that a repeated write repeats nothing. */
  append(event: NewEvent): void {
    const key = `${event.organization} ${event.id}`
    if (!this.events.has(key)) this.events.set(key, event)
  }

  snapshot(): Snapshot {
    return {
      organizations: new Map(this.organizations),
      integrations: new Map(this.integrations),
      connections: this.connections.copy(),
      answers: this.answers.copy(),
      revocations: this.revocations.copy(),
      sessions: new Map(this.sessions),
      pushedCodes: new Map(this.pushedCodes),
      apiKeys: new Map(this.apiKeys),
      requests: new Map(this.requests),
      events: new Map(this.events),
      meta: new Map(this.meta),
      nodes: new Map(this.nodes),
      watches: new Map(this.watches),
      deaths: new Map(this.deaths),
      parked: new Map(this.parked),
      imports: new Map(this.imports),
      lineage: new Map(this.lineage),
      ticks: new Map(this.ticks),
      behind: new Map(this.behind),
      pushSecrets: new Map(this.pushSecrets),
      notices: new Map(this.notices),
      checks: new Map(this.checks),
      checkPlans: new Map(this.checkPlans),
      eventKeys: new Map(this.eventKeys),
      quotas: new Map(this.quotas),
    }
  }

  restore(snapshot: Snapshot): void {
    refill(this.organizations, snapshot.organizations)
    refill(this.integrations, snapshot.integrations)
    this.connections.refill(snapshot.connections)
    this.answers.refill(snapshot.answers)
    this.revocations.refill(snapshot.revocations)
    refill(this.sessions, snapshot.sessions)
    refill(this.pushedCodes, snapshot.pushedCodes)
    refill(this.apiKeys, snapshot.apiKeys)
    refill(this.requests, snapshot.requests)
    refill(this.events, snapshot.events)
    refill(this.meta, snapshot.meta)
    refill(this.nodes, snapshot.nodes)
    refill(this.watches, snapshot.watches)
    refill(this.deaths, snapshot.deaths)
    refill(this.parked, snapshot.parked)
    refill(this.imports, snapshot.imports)
    refill(this.lineage, snapshot.lineage)
    refill(this.ticks, snapshot.ticks)
    refill(this.behind, snapshot.behind)
    refill(this.pushSecrets, snapshot.pushSecrets)
    refill(this.notices, snapshot.notices)
    refill(this.checks, snapshot.checks)
    refill(this.checkPlans, snapshot.checkPlans)
    refill(this.eventKeys, snapshot.eventKeys)
    refill(this.quotas, snapshot.quotas)
  }
}

function refill<Key, Value>(map: Map<Key, Value>, from: ReadonlyMap<Key, Value>): void {
  map.clear()
  for (const [key, value] of from) map.set(key, value)
}
