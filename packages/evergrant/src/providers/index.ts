import type { ProviderRecord } from '../core/provider/record.ts'
import { oauth2 } from './catalogue/oauth2.ts'
import { oidc } from './catalogue/oidc.ts'

/** The records that ship with Evergrant. */
export const catalogue: readonly ProviderRecord[] = [oidc, oauth2]
