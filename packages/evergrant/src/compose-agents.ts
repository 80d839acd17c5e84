import type { InstallationParts } from './compose-installations.ts'
import type { Config } from './config.ts'
import { AgentService } from './core/agent/agent-service.ts'
import { ApprovalService } from './core/agent/approval-service.ts'
import { ConnectionAccess } from './core/agent/connection-access.ts'
import { DeviceService } from './core/agent/device-service.ts'
import { EnrolmentService } from './core/agent/enrolment-service.ts'
import { TrustService } from './core/agent/trust/trust-service.ts'
import { WorkloadIdentities } from './core/agent/workload-identities.ts'
import type { Log } from './core/log.ts'
import type { Seal } from './core/seal/seal.ts'
import type { Clock, Entropy, Timers } from './core/time.ts'
import type { Services } from './http/services.ts'
import { createIdentityTokenVerifier, type IdentityTokenOptions } from './outbound/identity-tokens.ts'
import type { Store } from './store/index.ts'

/** Agents: who they are, how machines become theirs, and what they may use. */
export interface AgentParts extends Pick<Services, 'agents' | 'enrolment' | 'devices' | 'workloads' | 'approvals' | 'trust' | 'useHistory'> {
  readonly connectionAccess: ConnectionAccess
}

export interface AgentComposition extends Pick<InstallationParts, 'sdkCredentials' | 'uses'> {
  readonly config: Pick<Config, 'publicUrl' | 'development' | 'dangerousPrivateHosts' | 'serveWithoutDatabaseMs' | 'sdkTokenMs'>
  readonly store: Pick<
    Store,
    | 'agents'
    | 'installations'
    | 'enrolments'
    | 'approvals'
    | 'incidents'
    | 'trustSnapshots'
    | 'uses'
    | 'workloadIssuers'
    | 'users'
    | 'connections'
    | 'events'
    | 'changes'
  >
  readonly client: IdentityTokenOptions['client']
  readonly seal: Pick<Seal, 'digest'>
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
}

export function composeAgents(parts: AgentComposition): AgentParts {
  const { config, store, client, sdkCredentials, uses, seal, clock, timers, entropy, log } = parts
  const ports = { clock, timers, entropy, seal, log, publicUrl: config.publicUrl }
  const agents = new AgentService({ ...ports, ...store })
  const workloads = new WorkloadIdentities({
    ...ports,
    issuers: store.workloadIssuers,
    agents,
    verifier: createIdentityTokenVerifier({ client, clock }),
    privateAllowed: config.development || config.dangerousPrivateHosts.length > 0,
  })
  const connectionAccess = new ConnectionAccess({
    ...ports,
    ...store,
    uses,
    changesFresh: () => store.changes.fresh(),
    withoutStoreMs: config.serveWithoutDatabaseMs,
  })
  store.changes.subscribe((change) => {
    if (change.kind === 'connection') connectionAccess.forget(change.connection)
    if (change.kind === 'unknown') connectionAccess.forgetAll()
  })
  return {
    agents,
    enrolment: new EnrolmentService({
      ...ports,
      agents: store.agents,
      service: agents,
      enrolments: store.enrolments,
      workloads,
      credentials: sdkCredentials,
      events: store.events,
      tokenLifeMs: config.sdkTokenMs,
    }),
    devices: new DeviceService({ ...ports, enrolments: store.enrolments, agents }),
    workloads,
    approvals: new ApprovalService({ ...ports, approvals: store.approvals, agents: store.agents, connections: store.connections }),
    connectionAccess,
    trust: new TrustService({ ...ports, ...store, snapshots: store.trustSnapshots }),
    useHistory: store.uses,
  }
}
