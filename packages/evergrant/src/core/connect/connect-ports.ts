import type { Organization } from '../access/organization.ts'
import type { OrganizationSettings } from '../access/organization-settings.ts'
import type { Events } from '../audit/events.ts'
import type { Connections } from '../connection/connections.ts'
import type { Integration } from '../connection/integration.ts'
import type { Integrations } from '../connection/integrations.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { ProviderContext, ProviderDirectory } from '../provider/context.ts'
import type { SigningPorts } from '../provider/signing.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { Credentials } from '../refresh/credentials.ts'
import type { CodeExchange } from '../refresh/exchange.ts'
import type { GrantedTokens } from '../refresh/new-credential.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock, Entropy, Timers } from '../time.ts'
import type { ConnectSessions } from './connect-sessions.ts'

/** Everything the connect flow needs from outside. */
export interface ConnectPorts {
  readonly sessions: ConnectSessions
  readonly connections: Pick<Connections, 'insert' | 'get' | 'byOwner' | 'byAccount' | 'replaceGrant'>
  /** By id alone, for links that carry their own proof. */
  readonly credentials: Pick<Credentials, 'read'>
  readonly integrations: Pick<Integrations, 'get' | 'bySlug' | 'load' | 'list'>
  readonly organizations: {
    get(id: OrganizationId): Promise<Pick<Organization, 'name'> | undefined>
    settings(id: OrganizationId): Promise<OrganizationSettings>
  }
  readonly events: Pick<Events, 'append'>
  readonly providers: Pick<ProviderDirectory, 'get' | 'resolve'>
  readonly exchange: CodeExchange
  /** Sends the one request that some providers need to tell the account. Never rejects. */
  readonly ask: (request: ProviderRequest, limits: { readonly deadlineMs: number }) => Promise<WireOutcome>
  readonly discard: DiscardGrant
  /** Presents a connection's refresh token soon, in the background, so that the provider says whether its grant lives. Never throws. */
  readonly probe: (organization: OrganizationId, connection: ConnectionId) => void
  readonly seal: Seal
  readonly signing?: SigningPorts
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
  /** Address of this server as browsers see it, without a slash at the end. */
  readonly publicUrl: string
}

/**
 * Gives a grant back that will never be used. Called only where the provider revokes per token, so that no sibling can
 * suffer. Must not reject; failing is logged and costs nothing but a grant that ends by itself.
 */
type DiscardGrant = (grant: DiscardedGrant) => Promise<void>

export interface DiscardedGrant {
  readonly organization: OrganizationId
  readonly integration: Integration
  readonly context: ProviderContext
  readonly tokens: GrantedTokens
}
