import type { ApiKey } from '../../core/access/api-key.ts'
import type { Organization } from '../../core/access/organization.ts'
import type { OrganizationSettings } from '../../core/access/organization-settings.ts'
import type { Agent } from '../../core/agent/agent.ts'
import type { Approval } from '../../core/agent/approvals.ts'
import type { Enrolment } from '../../core/agent/enrolments.ts'
import type { Incident, IncidentClosure } from '../../core/agent/incident.ts'
import type { Installation } from '../../core/agent/installation.ts'
import type { RecoveryAttempt } from '../../core/agent/installations.ts'
import type { AgentSettings } from '../../core/agent/recovery-settings.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import type { TrustSnapshot } from '../../core/agent/trust-snapshots.ts'
import type { DayCount, UseCount } from '../../core/agent/uses.ts'
import type { WorkloadIssuer } from '../../core/agent/workload-issuers.ts'
import type { AuditEvent, NewEvent } from '../../core/audit/event.ts'
import type { ConnectSession, KeptCode } from '../../core/connect/connect-sessions.ts'
import type { Factor } from '../../core/identity/factor.ts'
import type { ThrottleState } from '../../core/identity/throttle.ts'
import type {
  AgentId,
  ApiKeyId,
  ApprovalId,
  BulkId,
  ConnectionId,
  ConnectSessionId,
  EnrolmentId,
  FactorId,
  IncidentId,
  InstallationId,
  IntegrationId,
  IntentId,
  OrganizationId,
  PushNoticeId,
  RecoveryAttemptId,
  RevocationId,
  SdkTokenId,
  SessionId,
  SigningKeyId,
  SweepId,
  UserId,
  WorkloadIssuerId,
} from '../../core/ids.ts'
import type { BulkAction, HistoryRow } from '../../core/observe/observed.ts'
import type { Sweep } from '../../core/operate/operations.ts'
import type { Reseal } from '../../core/operate/reseals.ts'
import type { QuotaState } from '../../core/pacing/quotas.ts'
import type { PushSecrets } from '../../core/push/pushes.ts'
import type { Lineage, NodeComparison } from '../../core/refresh/lineage.ts'
import type { Session } from '../../core/session/session.ts'
import type { SigningKey } from '../../core/session/signing-key.ts'
import type { Clock, Instant } from '../../core/time.ts'
import type { Membership, User } from '../../core/user/user.ts'
import type { Identity } from '../../core/user/users.ts'
import type { Change } from '../contract.ts'
import { type AlertRows, AlertTables } from './alert-tables.ts'
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
  KeptTicket,
} from './kept-rows.ts'
import { type KeptRevocation, RevocationTable } from './revocation-table.ts'

/** Every row, by its key. Rows are values that nobody changes, so a copy of the maps is a copy of the store. */
export interface Snapshot {
  readonly organizations: ReadonlyMap<OrganizationId, Organization>
  readonly settings: ReadonlyMap<OrganizationId, OrganizationSettings>
  readonly integrations: ReadonlyMap<IntegrationId, KeptIntegration>
  readonly connections: ReadonlyMap<ConnectionId, StoredConnection>
  readonly answers: ReadonlyMap<IntentId, KeptAnswer>
  readonly revocations: ReadonlyMap<RevocationId, KeptRevocation>
  readonly sessions: ReadonlyMap<ConnectSessionId, ConnectSession>
  readonly pushedCodes: ReadonlyMap<string, KeptCode>
  /** By intent: when a node last said that it has the answer. */
  readonly keptExchanges: ReadonlyMap<string, Instant>
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
  readonly people: ReadonlyMap<UserId, User>
  readonly memberships: ReadonlyMap<string, Membership>
  readonly identities: ReadonlyMap<string, Identity>
  readonly personSessions: ReadonlyMap<SessionId, Session>
  readonly signingKeys: ReadonlyMap<SigningKeyId, SigningKey>
  /** One number, under the empty name. */
  readonly keyRing: ReadonlyMap<'', number>
  readonly proofsSeen: ReadonlyMap<string, Instant>
  readonly tickets: ReadonlyMap<string, KeptTicket>
  readonly factors: ReadonlyMap<FactorId, Factor>
  readonly recoveryCodes: ReadonlyMap<string, Instant | null>
  readonly throttles: ReadonlyMap<string, ThrottleState>
  readonly agents: ReadonlyMap<AgentId, Agent>
  readonly agentSettings: ReadonlyMap<OrganizationId, AgentSettings>
  readonly installations: ReadonlyMap<InstallationId, Installation>
  readonly sdkTokens: ReadonlyMap<SdkTokenId, SdkToken>
  readonly healed: ReadonlyMap<InstallationId, Instant>
  readonly recoveryAttempts: ReadonlyMap<RecoveryAttemptId, RecoveryAttempt>
  readonly incidents: ReadonlyMap<IncidentId, Incident>
  readonly closures: ReadonlyMap<IncidentId, IncidentClosure>
  readonly trustSnapshots: ReadonlyMap<string, TrustSnapshot>
  readonly trustDue: ReadonlyMap<AgentId, Instant>
  readonly enrolments: ReadonlyMap<EnrolmentId, Enrolment>
  readonly approvals: ReadonlyMap<ApprovalId, Approval>
  readonly workloadIssuers: ReadonlyMap<WorkloadIssuerId, WorkloadIssuer>
  readonly connectionUses: ReadonlyMap<string, UseCount>
  readonly installationDays: ReadonlyMap<string, DayCount>
  readonly history: ReadonlyMap<string, HistoryRow>
  readonly bulks: ReadonlyMap<BulkId, BulkAction>
  readonly sweeps: ReadonlyMap<SweepId, Sweep>
  readonly reseals: ReadonlyMap<string, Reseal>
  readonly alerting: AlertRows
}

/** What the parts of the store share: the rows, the database's clock, and the way to tell of changes. */
export class Tables {
  readonly organizations = new Map<OrganizationId, Organization>()
  readonly settings = new Map<OrganizationId, OrganizationSettings>()
  readonly integrations = new Map<IntegrationId, KeptIntegration>()
  readonly connections = new ConnectionTable()
  readonly answers = new AnswerTable()
  readonly revocations = new RevocationTable()
  readonly sessions = new Map<ConnectSessionId, ConnectSession>()
  readonly pushedCodes = new Map<string, KeptCode>()
  readonly keptExchanges = new Map<string, Instant>()
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
  readonly people = new Map<UserId, User>()
  /** By organization and user. */
  readonly memberships = new Map<string, Membership>()
  /** By issuer and subject. */
  readonly identities = new Map<string, Identity>()
  readonly personSessions = new Map<SessionId, Session>()
  readonly signingKeys = new Map<SigningKeyId, SigningKey>()
  readonly keyRing = new Map<'', number>()
  readonly proofsSeen = new Map<string, Instant>()
  readonly tickets = new Map<string, KeptTicket>()
  readonly factors = new Map<FactorId, Factor>()
  /** By user and hash; when it was spent, or null. */
  readonly recoveryCodes = new Map<string, Instant | null>()
  readonly throttles = new Map<string, ThrottleState>()
  readonly agents = new Map<AgentId, Agent>()
  readonly agentSettings = new Map<OrganizationId, AgentSettings>()
  readonly installations = new Map<InstallationId, Installation>()
  readonly sdkTokens = new Map<SdkTokenId, SdkToken>()
  /** When an installation last recovered. */
  readonly healed = new Map<InstallationId, Instant>()
  readonly recoveryAttempts = new Map<RecoveryAttemptId, RecoveryAttempt>()
  readonly incidents = new Map<IncidentId, Incident>()
  readonly closures = new Map<IncidentId, IncidentClosure>()
  /** By agent and instant. */
  readonly trustSnapshots = new Map<string, TrustSnapshot>()
  /** When the score of an agent is computed next; none: at once. */
  readonly trustDue = new Map<AgentId, Instant>()
  readonly enrolments = new Map<EnrolmentId, Enrolment>()
  readonly approvals = new Map<ApprovalId, Approval>()
  readonly workloadIssuers = new Map<WorkloadIssuerId, WorkloadIssuer>()
  readonly connectionUses = new Map<string, UseCount>()
  readonly installationDays = new Map<string, DayCount>()
  readonly history = new Map<string, HistoryRow>()
  readonly bulks = new Map<BulkId, BulkAction>()
  readonly sweeps = new Map<SweepId, Sweep>()
  readonly reseals = new Map<string, Reseal>()
  readonly alerting = new AlertTables()
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
    if (this.events.has(key)) return
    this.events.set(key, event)
    if (event.type !== 'connection.refreshed') this.alerting.outbox.set(event.id, event.organization)
  }

  snapshot(): Snapshot {
    return {
      organizations: new Map(this.organizations),
      settings: new Map(this.settings),
      integrations: new Map(this.integrations),
      connections: this.connections.copy(),
      answers: this.answers.copy(),
      revocations: this.revocations.copy(),
      sessions: new Map(this.sessions),
      pushedCodes: new Map(this.pushedCodes),
      keptExchanges: new Map(this.keptExchanges),
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
      people: new Map(this.people),
      memberships: new Map(this.memberships),
      identities: new Map(this.identities),
      personSessions: new Map(this.personSessions),
      signingKeys: new Map(this.signingKeys),
      keyRing: new Map(this.keyRing),
      proofsSeen: new Map(this.proofsSeen),
      tickets: new Map(this.tickets),
      factors: new Map(this.factors),
      recoveryCodes: new Map(this.recoveryCodes),
      throttles: new Map(this.throttles),
      agents: new Map(this.agents),
      agentSettings: new Map(this.agentSettings),
      installations: new Map(this.installations),
      sdkTokens: new Map(this.sdkTokens),
      healed: new Map(this.healed),
      recoveryAttempts: new Map(this.recoveryAttempts),
      incidents: new Map(this.incidents),
      closures: new Map(this.closures),
      trustSnapshots: new Map(this.trustSnapshots),
      trustDue: new Map(this.trustDue),
      enrolments: new Map(this.enrolments),
      approvals: new Map(this.approvals),
      workloadIssuers: new Map(this.workloadIssuers),
      connectionUses: new Map(this.connectionUses),
      installationDays: new Map(this.installationDays),
      history: new Map(this.history),
      bulks: new Map(this.bulks),
      sweeps: new Map(this.sweeps),
      reseals: new Map(this.reseals),
      alerting: this.alerting.copy(),
    }
  }

  restore(snapshot: Snapshot): void {
    refill(this.organizations, snapshot.organizations)
    refill(this.settings, snapshot.settings)
    refill(this.integrations, snapshot.integrations)
    this.connections.refill(snapshot.connections)
    this.answers.refill(snapshot.answers)
    this.revocations.refill(snapshot.revocations)
    refill(this.sessions, snapshot.sessions)
    refill(this.pushedCodes, snapshot.pushedCodes)
    refill(this.keptExchanges, snapshot.keptExchanges)
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
    refill(this.people, snapshot.people)
    refill(this.memberships, snapshot.memberships)
    refill(this.identities, snapshot.identities)
    refill(this.personSessions, snapshot.personSessions)
    refill(this.signingKeys, snapshot.signingKeys)
    refill(this.keyRing, snapshot.keyRing)
    refill(this.proofsSeen, snapshot.proofsSeen)
    refill(this.tickets, snapshot.tickets)
    refill(this.factors, snapshot.factors)
    refill(this.recoveryCodes, snapshot.recoveryCodes)
    refill(this.throttles, snapshot.throttles)
    refill(this.agents, snapshot.agents)
    refill(this.agentSettings, snapshot.agentSettings)
    refill(this.installations, snapshot.installations)
    refill(this.sdkTokens, snapshot.sdkTokens)
    refill(this.healed, snapshot.healed)
    refill(this.recoveryAttempts, snapshot.recoveryAttempts)
    refill(this.incidents, snapshot.incidents)
    refill(this.closures, snapshot.closures)
    refill(this.trustSnapshots, snapshot.trustSnapshots)
    refill(this.trustDue, snapshot.trustDue)
    refill(this.enrolments, snapshot.enrolments)
    refill(this.approvals, snapshot.approvals)
    refill(this.workloadIssuers, snapshot.workloadIssuers)
    refill(this.connectionUses, snapshot.connectionUses)
    refill(this.installationDays, snapshot.installationDays)
    refill(this.history, snapshot.history)
    refill(this.bulks, snapshot.bulks)
    refill(this.sweeps, snapshot.sweeps)
    refill(this.reseals, snapshot.reseals)
    this.alerting.refill(snapshot.alerting)
  }
}

function refill<Key, Value>(map: Map<Key, Value>, from: ReadonlyMap<Key, Value>): void {
  map.clear()
  for (const [key, value] of from) map.set(key, value)
}
