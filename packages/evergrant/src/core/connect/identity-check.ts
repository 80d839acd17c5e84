import type { ProviderContext } from '../provider/context.ts'
import { checkIdToken } from '../provider/id-token.ts'
import type { Instant } from '../time.ts'

/** Why the id_token of an answer must not be believed; null when it may be, or when nothing depends on one. */
export function identityProblem(idToken: string | null, context: ProviderContext, nonce: string | null, now: Instant): string | null {
  const { issuer } = context.endpoints
  if (idToken === null) return nonce === null ? null : 'missing'
  if (issuer === null && nonce === null) return null
  const verdict = checkIdToken(idToken, { issuer, clientId: context.clientId, nonce, now })
  return verdict.ok ? null : verdict.reason
}
