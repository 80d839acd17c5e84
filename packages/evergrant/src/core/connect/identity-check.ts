import { decodeJwt } from '../provider/base64url.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { Instant } from '../time.ts'

/** Why the id_token of an answer must not be believed; null when it may be, or when there is none to believe. */
export function identityProblem(idToken: string | null, context: ProviderContext, nonce: string | null, _now: Instant): string | null {
  if (nonce === null) return null
  const claims = idToken === null ? null : decodeJwt(idToken)?.claims
  return claims?.['nonce'] === nonce ? null : 'nonce'
}
