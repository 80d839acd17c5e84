import type { Store } from '../contract.ts'
import { apiKeysStore, idempotencyStore, organizationsStore } from './access-store.ts'
import { agentsStore } from './agents-store.ts'
import { alertsStore } from './alerts-store.ts'
import { approvalsStore } from './approvals-store.ts'
import { channelsStore } from './channels-store.ts'
import { checksStore } from './checks-store.ts'
import { connectSessionsStore } from './connect-sessions-store.ts'
import { connectionsStore } from './connections-store.ts'
import { credentialsStore } from './credentials-store.ts'
import { enrolmentsStore } from './enrolments-store.ts'
import { eventsStore } from './events-store.ts'
import { factorsStore } from './factors-store.ts'
import { incidentsStore } from './incidents-store.ts'
import { installationsStore } from './installations-store.ts'
import { integrationsStore } from './integrations-store.ts'
import { lineagesStore } from './lineage-store.ts'
import { metaStore } from './meta-store.ts'
import { observedStore } from './observed-store.ts'
import { operationsStore } from './operations-store.ts'
import { ownersStore } from './owners-store.ts'
import { personSessionsStore } from './person-sessions-store.ts'
import type { Database } from './program.ts'
import { pushesStore } from './pushes-store.ts'
import { quotasStore } from './quotas-store.ts'
import { resealsStore } from './reseals-store.ts'
import { signInsStore } from './sign-ins-store.ts'
import { proofsSeenStore, signingKeysStore } from './signing-keys-store.ts'
import { throttlesStore } from './throttles-store.ts'
import { ticketsStore } from './tickets-store.ts'
import { trustSnapshotsStore } from './trust-snapshots-store.ts'
import { usersStore } from './users-store.ts'
import { usesStore } from './uses-store.ts'
import { webhooksStore } from './webhooks-store.ts'
import { workloadIssuersStore } from './workload-issuers-store.ts'

export type StoreParts = Omit<Store, 'nodes' | 'changes' | 'ping' | 'close'>

/** Everything of a store that is the same statements on both databases. */
export function storeParts(database: Database): StoreParts {
  return {
    credentials: credentialsStore(database),
    connections: connectionsStore(database),
    integrations: integrationsStore(database),
    connectSessions: connectSessionsStore(database),
    apiKeys: apiKeysStore(database),
    organizations: organizationsStore(database),
    users: usersStore(database),
    sessions: personSessionsStore(database),
    owners: ownersStore(database),
    signIns: signInsStore(database),
    agents: agentsStore(database),
    enrolments: enrolmentsStore(database),
    installations: installationsStore(database),
    approvals: approvalsStore(database),
    uses: usesStore(database),
    incidents: incidentsStore(database),
    trustSnapshots: trustSnapshotsStore(database),
    workloadIssuers: workloadIssuersStore(database),
    events: eventsStore(database),
    idempotency: idempotencyStore(database),
    meta: metaStore(database),
    pushes: pushesStore(database),
    checks: checksStore(database),
    quotas: quotasStore(database),
    tickets: ticketsStore(database),
    factors: factorsStore(database),
    throttles: throttlesStore(database),
    lineages: lineagesStore(database),
    alerts: alertsStore(database),
    channels: channelsStore(database),
    webhooks: webhooksStore(database),
    observed: observedStore(database),
    operations: operationsStore(database),
    reseals: resealsStore(database),
    signingKeys: signingKeysStore(database),
    proofsSeen: proofsSeenStore(database),
  }
}
