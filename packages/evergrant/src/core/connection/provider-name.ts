import type { ProviderRecord } from '../provider/record.ts'
import type { Integration } from './integration.ts'

/** Records that only name a protocol; what people know is the name that the operator gave the integration. */
const NAMELESS: ReadonlySet<string> = new Set(['oidc', 'oauth2', 'oauth2-client-credentials', 'api-key', 'bearer-token', 'basic'])

/** What a record adds to tell itself from others of the same provider: for operators, who choose among them. */
const ADDITION = / \([^()]*\)$/

/** The provider's name as people know it: `{P}` in the texts of faults. */
export function providerNameOf(record: Pick<ProviderRecord, 'id' | 'name'> | undefined, integration: Pick<Integration, 'name'> | undefined): string {
  const name = record === undefined || NAMELESS.has(record.id) ? integration?.name : record.name
  return name?.replace(ADDITION, '') ?? 'the provider'
}
