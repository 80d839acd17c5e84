import type { Integration } from '../connection/integration.ts'
import type { ProviderContext } from '../provider/context.ts'

interface IssuerFacts extends Pick<ProviderContext, 'record'> {
  readonly endpoints: Pick<ProviderContext['endpoints'], 'issuer'>
}

/**
 * Whose word the account's id is. An OpenID issuer vouches for its own subjects, whoever asks. A provider with fixed addresses is the same for
 * everybody. Where the operator chose the addresses, the word counts inside that one integration: otherwise a server of theirs could
 * name the accounts of another organization.
 */
export function identityIssuer({ record, endpoints }: IssuerFacts, { id }: Pick<Integration, 'id'>): string {
  if (record.discovery !== null && endpoints.issuer !== null) return endpoints.issuer
  return Object.keys(record.variables).length === 0 ? `provider:${record.id}` : `integration:${id}`
}
