import { isRecord, isSignedBy, type JsonRecord, readJws } from '../proof/jws.ts'
import { AuthenticationError } from './authentication-error.ts'
import type { KeySet } from './key-set.ts'

/** Ours have about 700 characters. */
const LENGTH_MAX = 8_192
/** From most to least. */
export const ROLES = ['owner', 'admin', 'operator', 'member', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/** The claims of an access token that was believed. Times are seconds since 1970. */
export interface AccessTokenClaims {
  readonly iss: string
  readonly aud: string | readonly string[]
  readonly sub: string
  readonly sid: string
  readonly gen: number
  readonly org: string
  readonly role: Role
  readonly owner: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly amr: readonly string[]
  readonly auth_time: number
  readonly cnf?: { readonly jkt: string }
}

interface Expectation {
  readonly issuer: string
  readonly audience: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** Seconds that clocks may differ. */
  readonly tolerance: number
}

/**
 * The claims of a genuine access token (RFC 9068, RFC 8725): the key comes from `keys` by its `kid` and from nowhere else.
 * @throws AuthenticationError `access_token_expired` for whatever is wrong with the token; `connection_failed` when no key can be had
 */
export async function readAccessToken(text: string, keys: Pick<KeySet, 'find'>, expected: Expectation): Promise<AccessTokenClaims> {
  const jws = readJws(text, LENGTH_MAX)
  if (jws === null) throw refused('It is no JWT.')
  const { typ, kid } = jws.header
  if (typeof typ !== 'string' || !/^(application\/)?at\+jwt$/i.test(typ)) throw refused('Its `typ` is not `at+jwt`: it is another kind of token.')
  if (jws.algorithm === null) throw refused('It is signed in a way that is not accepted.')
  if (typeof kid !== 'string') throw refused('It does not name its key.')
  // Looked at before the signature, so that tokens of somebody else cost no request for keys.
  if (jws.claims['iss'] !== expected.issuer) throw refused(`It was not issued by ${expected.issuer}.`)
  const key = await keys.find(kid)
  if (key === undefined) throw refused('It is signed with a key that the server does not publish.')
  if (key.algorithm !== jws.algorithm || !(await isSignedBy(jws, key.key, key.algorithm))) throw refused('Its signature is wrong.')
  checkAudience(jws.claims, expected.audience)
  checkTimes(jws.claims, expected)
  if (!isComplete(jws.claims)) throw refused('It lacks a claim that every access token has.')
  return jws.claims
}

function checkAudience({ aud }: JsonRecord, audience: string): void {
  const meant = Array.isArray(aud) ? aud : [aud]
  if (!meant.includes(audience)) throw refused(`It is not meant for ${audience}.`)
}

function checkTimes({ exp, nbf }: JsonRecord, { now, tolerance }: Expectation): void {
  const seconds = now / 1_000
  if (typeof exp !== 'number' || seconds >= exp + tolerance) throw refused('It is over.')
  if (nbf !== undefined && (typeof nbf !== 'number' || seconds < nbf - tolerance)) throw refused('It is not valid yet.')
}

function isComplete(claims: JsonRecord): claims is JsonRecord & AccessTokenClaims {
  const texts = ['sub', 'sid', 'org', 'owner', 'jti'].every((name) => typeof claims[name] === 'string' && claims[name] !== '')
  const numbers = ['gen', 'iat', 'auth_time'].every((name) => Number.isSafeInteger(claims[name]))
  const { cnf } = claims
  const bound = cnf === undefined || (isRecord(cnf) && typeof cnf['jkt'] === 'string')
  return texts && numbers && bound && Array.isArray(claims['amr']) && isRole(claims['role'])
}

export function isRole(role: unknown): role is Role {
  return ROLES.some((known) => known === role)
}

function refused(why: string): AuthenticationError {
  return new AuthenticationError('access_token_expired', {
    detail: `The access token was refused. ${why} Refresh the session and send the request again: it was not executed.`,
  })
}
