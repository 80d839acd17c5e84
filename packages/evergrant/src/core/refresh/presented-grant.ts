import type { Connection } from '../connection/connection.ts'
import type { ProviderContext } from '../provider/context.ts'
import { isRenewedGrant } from '../provider/grant-kind.ts'
import { contextOf, grantRequest } from '../provider/grant-request.ts'
import { machineVerdict } from '../provider/grant-verdict.ts'
import { readKept, secretsOf } from '../provider/own-credentials.ts'
import { refreshRequest } from '../provider/token-request.ts'
import type { Verdict } from '../provider/verdict.ts'
import type { ProviderRequest } from '../provider/wire.ts'
import type { GrantContext } from './grant-contexts.ts'

/** What the sealed text of a credential becomes: a request, and how its answer is read. */
export interface PresentedGrant {
  readonly context: ProviderContext
  readonly request: ProviderRequest
  /** Values that the provider may echo. */
  readonly secrets: readonly string[]
  readonly read: (verdict: Verdict) => Verdict
}

/**
 * A refresh token is spent; credentials of a grant without a browser are presented again. `text` is what was opened.
 * @throws Fault `invalid_request` when the request cannot be built
 */
export function presented(
  provider: ProviderContext,
  { record, integration }: GrantContext,
  { scopes }: Pick<Connection, 'scopes'>,
  text: string,
): PresentedGrant {
  const { grant } = record
  if (!isRenewedGrant(grant)) {
    const request = refreshRequest(provider, { refreshToken: text, scopes: scopes ?? [] })
    return { context: provider, request, secrets: [], read: (verdict) => verdict }
  }
  const credentials = readKept(text)
  return {
    context: contextOf(provider, { grant, credentials }),
    request: grantRequest(provider, { grant, credentials, scopes: integration.scopes }),
    secrets: secretsOf(credentials),
    read: (verdict) => machineVerdict(verdict, grant, credentials),
  }
}
