import type { AuditEvent } from '../../core/audit/event.ts'
import type { EventFilter, Events } from '../../core/audit/events.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import { type EventId, idFrom, type OrganizationId } from '../../core/ids.ts'
import type { Credentials } from '../../core/refresh/credentials.ts'
import type { Meta, Store, StoreOptions } from '../contract.ts'
import { Listeners } from '../listeners.ts'
import { afterOf, limitOf, toPage } from '../sql/paging.ts'
import { apiKeysPart, idempotencyPart, organizationsPart } from './access-part.ts'
import { agentsPart } from './agents-part.ts'
import { alertsPart, channelsPart } from './alerts-part.ts'
import { approvalsPart } from './approvals-part.ts'
import { checksPart } from './checks-part.ts'
import { claim, markReads, reclaim, reclaimForgotten, release, reschedule } from './claims.ts'
import { connectSessionsPart } from './connect-sessions-part.ts'
import { connectionsPart } from './connections-part.ts'
import { settleDeath, takeHeldProbes, unsettledDeaths } from './deaths.ts'
import { enrolmentsPart, workloadIssuersPart } from './enrolments-part.ts'
import { commitFailure, commitGrant } from './grants.ts'
import { factorsPart, throttlesPart, ticketsPart } from './identity-part.ts'
import { installationsPart } from './installations-part.ts'
import { integrationsPart } from './integrations-part.ts'
import { lineagesPart } from './lineages-part.ts'
import { type NodeLocks, nodesPart } from './nodes-part.ts'
import { observedPart } from './observed-part.ts'
import { operationsPart } from './operations-part.ts'
import { ownersPart } from './owners-part.ts'
import { parkedIntegrations, takeDue, takeParked } from './parked.ts'
import { personSessionsPart } from './person-sessions-part.ts'
import { pushesPart } from './pushes-part.ts'
import { quotasPart } from './quotas-part.ts'
import { resealsPart } from './reseals-part.ts'
import { signInsPart } from './sign-ins-part.ts'
import { proofsSeenPart, signingKeysPart } from './signing-keys-part.ts'
import { type Snapshot, Tables } from './tables.ts'
import { incidentsPart, trustSnapshotsPart } from './trust-part.ts'
import { usersPart } from './users-part.ts'
import { usesPart } from './uses-part.ts'
import { dueWarnings, warn } from './warnings.ts'
import { webhooksPart } from './webhooks-part.ts'

export type { Snapshot } from './tables.ts'

/**
 * The contract on plain maps, for simulators: nothing is durable, and every method applies in the one synchronous step in
 * which it is called. Not a product store.
 */
export interface VolatileStore extends Store {
  /** All rows as they are now. O(rows); rows are shared, never changed. */
  snapshot(): Snapshot
  /** Makes the rows those of `snapshot`, as a failover to an old replica or a restored backup would. Tells nobody. */
  restore(snapshot: Snapshot): void
  readonly locks: NodeLocks
}

export function openVolatileStore(options: Pick<StoreOptions, 'clock' | 'timers' | 'log'>): VolatileStore {
  const listeners = new Listeners(options.log)
  const tables = new Tables(options.clock, (change) => listeners.announce([change]))
  return {
    credentials: credentialsPart(tables),
    connections: connectionsPart(tables),
    integrations: integrationsPart(tables),
    connectSessions: connectSessionsPart(tables),
    apiKeys: apiKeysPart(tables),
    organizations: organizationsPart(tables),
    users: usersPart(tables),
    sessions: personSessionsPart(tables),
    owners: ownersPart(tables),
    signIns: signInsPart(tables),
    agents: agentsPart(tables),
    enrolments: enrolmentsPart(tables),
    approvals: approvalsPart(tables),
    uses: usesPart(tables),
    incidents: incidentsPart(tables),
    trustSnapshots: trustSnapshotsPart(tables),
    workloadIssuers: workloadIssuersPart(tables),
    events: eventsPart(tables),
    idempotency: idempotencyPart(tables),
    meta: metaPart(tables),
    installations: installationsPart(tables),
    pushes: pushesPart(tables),
    checks: checksPart(tables),
    quotas: quotasPart(tables),
    tickets: ticketsPart(tables),
    factors: factorsPart(tables),
    throttles: throttlesPart(tables),
    lineages: lineagesPart(tables),
    alerts: alertsPart(tables),
    channels: channelsPart(tables),
    webhooks: webhooksPart(tables),
    observed: observedPart(tables),
    operations: operationsPart(tables),
    reseals: resealsPart(tables),
    signingKeys: signingKeysPart(tables),
    proofsSeen: proofsSeenPart(tables),
    ...nodesPart(tables, options),
    changes: { subscribe: (listener) => listeners.subscribe(listener), fresh: () => true },
    ping: async () => {},
    close: async () => {},
    snapshot: () => tables.snapshot(),
    restore: (snapshot) => tables.restore(snapshot),
  }
}

function credentialsPart(tables: Tables): Credentials {
  return {
    read: async (connection) => tables.connections.get(connection)?.grant,
    claim: async (request) => claim(tables, request),
    release: async (connection, intent, dueAt) => release(tables, connection, intent, dueAt),
    commitGrant: async (commit) => commitGrant(tables, commit),
    commitFailure: async (commit) => commitFailure(tables, commit),
    takeDue: async (limit, visibilityMs, parking) => takeDue(tables, limit, visibilityMs, parking ?? []),
    takeParked: async (integration, limit, visibilityMs) => takeParked(tables, integration, limit, visibilityMs),
    parkedIntegrations: async () => parkedIntegrations(tables),
    reclaim: async (node) => reclaim(tables, node),
    reclaimForgotten: async (connection, node, epoch) => reclaimForgotten(tables, connection, node, epoch),
    markReads: async (marks) => markReads(tables, marks),
    reschedule: async (taken, dueAt) => reschedule(tables, taken, dueAt),
    cutAnswers: async (olderThan, limit) => tables.answers.cut(olderThan, limit),
    forgetAnswers: async (olderThan, limit) => tables.answers.forget(olderThan, limit),
    dueWarnings: async (limit) => dueWarnings(tables, limit),
    warn: async (steps) => warn(tables, steps),
    takeHeldProbes: async (everyMs) => takeHeldProbes(tables, everyMs),
    unsettledDeaths: async (limit) => unsettledDeaths(tables, limit),
    settleDeath: async (settlement) => settleDeath(tables, settlement),
    unappliedAnswers: async (organization, limit) => tables.answers.unapplied(organization, limit),
  }
}

/** Newest first. */
function list(tables: Tables, organization: OrganizationId, filter: EventFilter, page: PageRequest): Page<AuditEvent> {
  const limit = limitOf(page)
  const after = afterOf(page)
  const found = [...tables.events.values()].filter(
    (event) =>
      event.organization === organization &&
      (after === null || event.id < after) &&
      (filter.connection === undefined || event.connection === filter.connection) &&
      (filter.subject === undefined || event.subject === filter.subject) &&
      (filter.type === undefined || event.type === filter.type),
  )
  found.sort((left, right) => (left.id < right.id ? 1 : -1))
  return toPage(found.slice(0, limit + 1), limit, (item) => item.id)
}

/** The rows are few: looking at those that stay again costs nothing here. */
function forgetRefreshes(tables: Tables, organization: OrganizationId, before: EventId, limit: number): number {
  const old = [...tables.events].filter(([, event]) => event.organization === organization && event.type === 'connection.refreshed' && event.id < before)
  const gone = old.sort(([, left], [, right]) => (left.id < right.id ? -1 : 1)).slice(0, limit)
  for (const [key] of gone) tables.events.delete(key)
  return gone.length
}

function eventsPart(tables: Tables): Events {
  return {
    append: async (event) => tables.append(event),
    appendOnce: async (key, event) => {
      if (tables.eventKeys.has(key)) return false
      tables.eventKeys.set(key, tables.now())
      tables.append(event)
      return true
    },
    drift: async (organization, provider, limit) => {
      const filter = { type: 'provider.drift_detected', ...(provider === null ? {} : { subject: provider }) } as const
      return list(tables, organization, filter, { limit, cursor: null }).items
    },
    forgetKeys: async (before, limit) => {
      const old = [...tables.eventKeys].filter(([, at]) => at < before).slice(0, limit)
      for (const [key] of old) tables.eventKeys.delete(key)
      return old.length
    },
    forgetRefreshes: async (organization, before, limit) => forgetRefreshes(tables, organization, idFrom('evt', before), limit),
    list: async (organization, filter, page) => list(tables, organization, filter, page),
  }
}

function metaPart(tables: Tables): Meta {
  return {
    get: async (name) => tables.meta.get(name),
    putIfAbsent: async (name, value) => {
      const kept = tables.meta.get(name)
      if (kept === undefined) tables.meta.set(name, value)
      return kept ?? value
    },
    put: async (name, value) => {
      tables.meta.set(name, value)
    },
  }
}
