import type { ConnectPorts } from './core/connect/connect-ports.ts'
import type { Identity } from './core/identity/identity.ts'
import type { OrganizationId } from './core/ids.ts'
import type { SessionService } from './core/session/session-service.ts'
import { OwnerVisits } from './core/sign-in/owner-visits.ts'
import { PageSessions } from './core/sign-in/page-sessions.ts'
import { ProviderSignIn } from './core/sign-in/provider-sign-in.ts'
import type { Store } from './store/index.ts'

/** What stands behind the pages of people. */
export interface SignInParts {
  readonly providers: ProviderSignIn
  readonly pageSessions: PageSessions
  readonly visits: OwnerVisits
}

interface SignInComposition {
  readonly store: Pick<Store, 'organizations' | 'integrations' | 'users' | 'sessions' | 'signIns' | 'throttles' | 'tickets' | 'events'>
  readonly connect: ConnectPorts
  readonly identity: Pick<Identity, 'signIn'>
  readonly sessions: SessionService
  /** The one that exists from the start. */
  readonly organization: OrganizationId
}

export function composeSignIn({ store, connect, identity, sessions, organization }: SignInComposition): SignInParts {
  return {
    providers: new ProviderSignIn({ ...store, connect, signIn: identity.signIn, service: sessions, organization }),
    pageSessions: new PageSessions({ ...connect, sessions: store.sessions, service: sessions }),
    visits: new OwnerVisits({ ...connect, tickets: store.tickets, events: store.events }),
  }
}
