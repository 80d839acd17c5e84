import type { IntegrationId, OrganizationId } from '../ids.ts'
import type { DeathsHeld } from '../refresh/deaths.ts'
import type { Instant } from '../time.ts'
import type { Role } from '../user/user.ts'
import type { StoredFault } from './connection.ts'

/** When tokens are renewed: `auto` by interest (DESIGN section 5.1), always `ahead` of time, or only `on_use`. */
export type Renewal = 'auto' | 'ahead' | 'on_use'

/** People may sign in to Evergrant through this integration. */
interface SignInSetting {
  /** Whether somebody whom nobody knows yet becomes a member. Otherwise only those who added it to themselves come in this way. */
  readonly createUsers: boolean
  /** Of new members: at most `operator`. Owners and administrators are made by people. */
  readonly role: SignInRole
}

export type SignInRole = Exclude<Role, 'owner' | 'admin'>

export interface IntegrationSettings {
  readonly renewal: Renewal
  /** The margin m of DESIGN section 5.1, in milliseconds; null takes the provider's, else 15 minutes. */
  readonly marginMs: number | null
  /** A redirect URI already registered at the provider, when it is not our own callback URL. Then `state` carries the integration. */
  readonly redirectUri: string | null
  /** Exact URLs that a connect session may send the browser to when it ends. No prefixes, no patterns. */
  readonly returnUrls: readonly string[]
  /** Token requests under way at once against this integration, per node. */
  readonly concurrency: number
  /** How often the proxy replays a request after a 401-caused refresh: 0 or 1 by default 1, at most 3. */
  readonly proxyReplays: number
  /** Extra or overriding authorize parameters. */
  readonly authorizeParameters: Readonly<Record<string, string>>
  /** Operator's knowledge of this tenant's rotation, when it differs from the record: `P0`, `P1:<seconds>`, `P2`, `P3`, `P4`. */
  readonly reuse: string | null
  /** Which of the tokens of one answer this integration holds, for providers that answer more than one (Slack: `bot`, `user`). */
  readonly token: string | null
  /** How often each connection is checked by itself; null: as often as the provider demands, which is mostly never. */
  readonly checkEveryMs: number | null
  /** Percent of each quota of the provider's API, 0 to 50, that the proxy leaves to whoever else uses the same client. */
  readonly quotaReserve: number
  /** Null: nobody signs in through it. */
  readonly signIn: SignInSetting | null
}

export const DEFAULT_SETTINGS: IntegrationSettings = {
  renewal: 'auto',
  marginMs: null,
  redirectUri: null,
  returnUrls: [],
  concurrency: 8,
  proxyReplays: 1,
  authorizeParameters: {},
  reuse: null,
  token: null,
  checkEveryMs: null,
  quotaReserve: 0,
  signIn: null,
}

/** A provider plus this organization's client id, secret, scopes and settings. */
export interface Integration {
  readonly id: IntegrationId
  readonly organization: OrganizationId
  /** Unique in the organization, used in URLs: lower-case letters, digits, dashes. */
  readonly slug: string
  readonly name: string
  readonly provider: string
  readonly clientId: string
  /** Sealed, row = integration id, table `integration`, column `client_secret`. Write-only through the API (S24). */
  readonly clientSecret: Uint8Array | null
  readonly scopes: readonly string[]
  /** Values for the record's URL templates that are the same for every connection: tenant, domain, issuer. */
  readonly variables: Readonly<Record<string, string>>
  readonly settings: IntegrationSettings
  /** Set while the provider refuses our client credentials; every connection then shows `blocked`, and no grant changes. */
  readonly blocked: StoredFault | null
  /** Set while the ends of its grants are held because too many died at once. Written by the death watch alone. */
  readonly deathsHeld: DeathsHeld | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly version: number
}
