import type { ConnectService } from './core/connect/connect-service.ts'
import { type RevocationPorts, runRevocation } from './core/connection/revocation-worker.ts'
import type { ProviderDirectory } from './core/provider/context.ts'
import type { Seal } from './core/seal/seal.ts'
import { createPersonConnections } from './core/session/due-connections.ts'
import { AcceptedIssuers } from './core/sign-in/accepted-issuers.ts'
import type { Clock, Entropy, Timers } from './core/time.ts'
import { OwnerData } from './core/user/owner-data.ts'
import { UserService } from './core/user/user-service.ts'
import { reportView } from './http/routes/token-status.ts'
import type { Services } from './http/services.ts'
import type { Store } from './store/index.ts'

export interface PeopleParts extends Pick<Services, 'connections' | 'engine' | 'repairLink'> {
  readonly store: Pick<Store, 'users' | 'sessions' | 'organizations' | 'owners' | 'events' | 'connections' | 'integrations'>
  readonly providers: Pick<ProviderDirectory, 'get' | 'resolve'>
  readonly connect: Pick<ConnectService, 'discard'>
  readonly revocation: RevocationPorts
  readonly seal: Pick<Seal, 'mac'>
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
}

/** Users, what is held about them, and how their connections are. */
export function composePeople(parts: PeopleParts): Pick<Services, 'users' | 'ownerData' | 'personConnections' | 'dueConnections'> {
  const { store, providers, connections, engine, repairLink, connect, revocation, seal, clock, timers, entropy } = parts
  const personConnections = createPersonConnections({ connections, engine, repairLink, clock, timers })
  return {
    users: new UserService({ ...store, issuers: new AcceptedIssuers({ integrations: store.integrations, providers }), clock, entropy }),
    ownerData: new OwnerData({
      ...store,
      connections,
      revoke: (one) => runRevocation(revocation, one),
      discard: (session) => connect.discard(session),
      seal,
      clock,
      timers,
      entropy,
    }),
    personConnections,
    dueConnections: async (signedIn, deadlineMs) => (await personConnections.renewDue(signedIn, deadlineMs)).map(reportView),
  }
}
