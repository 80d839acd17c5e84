import type { JsonObject, JsonValue } from '../json.ts'
import { DAY, type Instant, MINUTE, SECOND } from '../time.ts'
import { decodeJwt } from './base64url.ts'

interface IdTokenExpectation {
  /** Exactly as the provider writes it; null where the record promises none: then `iss` is not compared. */
  readonly issuer: string | null
  readonly clientId: string
  /** What the authorization request carried; null when it carried none. */
  readonly nonce: string | null
  readonly now: Instant
}

type IdTokenVerdict = { readonly ok: true; readonly claims: JsonObject } | { readonly ok: false; readonly reason: IdTokenFlaw }

type IdTokenFlaw =
  | 'malformed'
  | 'unsigned'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'wrong_authorized_party'
  | 'wrong_nonce'
  | 'no_subject'
  | 'expired'
  | 'not_yet_valid'
  | 'issued_too_long_ago'

/** How far the provider's clock and ours may differ. */
const SKEW = 5 * MINUTE
/** An id_token is made for the answer that carries it. */
const OLDEST = DAY

/**
 * Checks an id_token that came straight from the token endpoint over TLS (OpenID Connect Core 3.1.3.7). There the
 * connection vouches for the issuer (point 6), so the signature is not verified; `alg: none` and an empty signature are refused.
 */
export function checkIdToken(token: string, expected: IdTokenExpectation): IdTokenVerdict {
  const decoded = decodeJwt(token)
  if (decoded === null) return { ok: false, reason: 'malformed' }
  const { header, claims, signed } = decoded
  if (typeof header.alg !== 'string' || header.alg.toLowerCase() === 'none' || !signed) return { ok: false, reason: 'unsigned' }
  const reason = partyFlaw(claims, expected) ?? timeFlaw(claims, expected.now)
  return reason === null ? { ok: true, claims } : { ok: false, reason }
}

function partyFlaw(claims: JsonObject, expected: IdTokenExpectation): IdTokenFlaw | null {
  if (expected.issuer !== null && claims.iss !== expected.issuer) return 'wrong_issuer'
  const audiences: readonly JsonValue[] = Array.isArray(claims.aud) ? claims.aud : claims.aud === undefined ? [] : [claims.aud]
  if (!audiences.includes(expected.clientId)) return 'wrong_audience'
  if (claims.azp !== undefined ? claims.azp !== expected.clientId : audiences.length > 1) return 'wrong_authorized_party'
  if (expected.nonce !== null && claims.nonce !== expected.nonce) return 'wrong_nonce'
  return typeof claims.sub === 'string' && claims.sub !== '' && claims.sub.length <= 255 ? null : 'no_subject'
}

function timeFlaw(claims: JsonObject, now: Instant): IdTokenFlaw | null {
  const { exp, iat, nbf } = claims
  if (!isTime(exp) || !isTime(iat) || (nbf !== undefined && !isTime(nbf))) return 'malformed'
  if (exp * SECOND <= now - SKEW) return 'expired'
  if (iat * SECOND > now + SKEW || (nbf !== undefined && nbf * SECOND > now + SKEW)) return 'not_yet_valid'
  return iat * SECOND < now - OLDEST ? 'issued_too_long_ago' : null
}

function isTime(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}
