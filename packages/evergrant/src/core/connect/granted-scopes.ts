import type { Integration } from '../connection/integration.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { ConnectSession } from './connect-sessions.ts'

/** Scopes that ask for something other than an API permission; providers do not repeat them in what they granted. */
const NEVER_REPEATED = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'offline'])

/** What a flow asks for: the link's own scopes, else the integration's, else those of the provider's record. */
export function scopesOfFlow(
  session: Pick<ConnectSession, 'scopes'>,
  integration: Pick<Integration, 'scopes'> | undefined,
  record: { readonly authorize: Pick<ProviderRecord['authorize'], 'defaultScopes'> } | undefined,
): readonly string[] {
  const said = session.scopes ?? integration?.scopes ?? []
  return said.length > 0 ? said : (record?.authorize.defaultScopes ?? [])
}

/** Scopes that were asked for and not granted. Empty when the provider does not say what it granted. */
export function missingScopes(asked: readonly string[], granted: readonly string[] | null): readonly string[] {
  if (granted === null) return []
  const has = new Set(granted.map(comparable))
  return asked.filter((scope) => !NEVER_REPEATED.has(scope.toLowerCase()) && !has.has(comparable(scope)))
}

/** Some providers answer a scope as an address that ends in the short name that was asked for. */
function comparable(scope: string): string {
  return scope.slice(scope.lastIndexOf('/') + 1).toLowerCase() || scope.toLowerCase()
}
