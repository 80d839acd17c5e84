import { idPattern, type OrganizationId, type SessionId, type UserId } from '../ids.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { type Clock, type Entropy, SECOND } from '../time.ts'
import { ownerOf, ROLES, type Role } from '../user/user.ts'
import { RecentMap } from './recent-map.ts'
import { lacksFactor } from './second-factor.ts'
import type { AuthMethod } from './session.ts'
import type { SignedIn } from './sessions.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { PublicSigningKey, TokenRefusal, TokenSigner } from './token-signer.ts'

/** Lifetime of an access token. */
export const ACCESS_TOKEN_SECONDS = 600
/** RFC 9068 section 2.1: so that no other JWT of ours, and no ID token, can stand in for it. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'
const LEEWAY_SECONDS = 5
/** Ours have about 700 characters; longer texts are not looked at. */
const LENGTH_MAX = 4_096
const REMEMBERED = 20_000

/** What an access token says. Times are seconds since 1970 (RFC 7519). */
export interface AccessClaims {
  readonly iss: string
  readonly aud: string
  readonly sub: UserId
  readonly sid: SessionId
  readonly gen: number
  readonly org: OrganizationId
  /** When it was issued; what counts at our own API is the role now. */
  readonly role: Role
  readonly owner: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly amr: readonly AuthMethod[]
  readonly auth_time: number
  /** Only with a proof of this key (RFC 9449 section 6.1). */
  readonly cnf?: { readonly jkt: string }
}

export interface IssuedAccessToken {
  readonly token: string
  /** Whole seconds. */
  readonly expiresIn: number
}

export type AccessReading = { readonly kind: 'verified'; readonly claims: AccessClaims } | { readonly kind: 'refused'; readonly why: TokenRefusal }

export interface AccessTokenPorts {
  readonly signer: Pick<TokenSigner, 'sign' | 'verify'>
  readonly keys: Pick<SigningKeys, 'signing' | 'verifying' | 'verifyingNewer'>
  readonly clock: Clock
  readonly entropy: Entropy
  /** The public URL of this server. */
  readonly issuer: string
  /** Whom the tokens are for: `issuer` where nothing else is said. */
  readonly audience: string
}

/** Issues access tokens and reads them. A token that was read once costs a look at a map until it ends. */
export class AccessTokens {
  readonly #ports: AccessTokenPorts
  readonly #read = new RecentMap<string, AccessClaims>(REMEMBERED)
  /** +1 whenever keys change: what was being read meanwhile is not remembered. */
  #epoch = 0

  constructor(ports: AccessTokenPorts) {
    this.#ports = ports
  }

  /**
   * For the session's current generation. It never outlives the session. One that may only add a second factor gets a token for that audience, which no
   * application takes for its own. @throws Fault when there is no key to sign with */
  async issue(signedIn: SignedIn & { readonly role: Role }): Promise<IssuedAccessToken> {
    const { session, user, role } = signedIn
    const { keys, signer, clock, entropy, issuer, audience } = this.#ports
    const key = await keys.signing()
    const iat = Math.floor(clock.wall() / SECOND)
    const exp = Math.max(iat + 1, Math.min(iat + ACCESS_TOKEN_SECONDS, Math.floor(session.expiresAt / SECOND)))
    const claims = {
      iss: issuer,
      aud: lacksFactor(signedIn) ? enrolmentAudience(issuer) : audience,
      sub: user.id,
      sid: session.id,
      gen: session.generation,
      org: session.organization,
      role,
      owner: ownerOf(user),
      iat,
      exp,
      jti: entropy.uuid(),
      amr: session.methods,
      auth_time: Math.floor(session.authenticatedAt / SECOND),
      ...(session.keyThumbprint === null ? {} : { cnf: { jkt: session.keyThumbprint } }),
    } satisfies AccessClaims
    return { token: await signer.sign(ACCESS_TOKEN_TYPE, claims, key), expiresIn: exp - iat }
  }

  /** The claims of a token that was read before and has not ended. `unknown`: ask {@link read}. Synchronous: the hot path. */
  peek(token: string): AccessClaims | 'expired' | 'unknown' {
    const claims = this.#read.get(token)
    if (claims === undefined) return 'unknown'
    return this.#isOver(claims) ? 'expired' : claims
  }

  /** Checks signature and claims. Asks for newer keys once when the token names one that is not known. */
  async read(token: string): Promise<AccessReading> {
    if (!looksLikeToken(token)) return { kind: 'refused', why: 'malformed' }
    const epoch = this.#epoch
    const { keys } = this.#ports
    let reading = await this.#verify(token, await keys.verifying())
    if (reading.kind === 'refused' && reading.why === 'key_unknown') {
      const newer = await keys.verifyingNewer()
      if (newer !== null) reading = await this.#verify(token, newer)
    }
    if (reading.kind === 'verified' && epoch === this.#epoch) this.#read.set(token, reading.claims)
    return reading
  }

  /** Forgets what was read: a key changed, and one of them may have been stolen. */
  forget(): void {
    this.#epoch += 1
    this.#read.clear()
  }

  async #verify(token: string, keys: readonly PublicSigningKey[]): Promise<AccessReading> {
    const { signer, issuer, audience, clock } = this.#ports
    const expected = { type: ACCESS_TOKEN_TYPE, issuer, audience: [audience, enrolmentAudience(issuer)], now: clock.wall(), leewaySeconds: LEEWAY_SECONDS }
    const reading = await signer.verify(token, keys, expected)
    if (reading.kind === 'refused') return reading
    const claims = readClaims(reading.claims)
    return claims === null ? { kind: 'refused', why: 'claims_incomplete' } : { kind: 'verified', claims }
  }

  #isOver(claims: AccessClaims): boolean {
    return this.#ports.clock.wall() >= (claims.exp + LEEWAY_SECONDS) * SECOND
  }
}

/** Whom a token is for that may do nothing but add or show a second factor. */
function enrolmentAudience(issuer: string): string {
  return `${issuer}/second-factor`
}

export function isForEnrolment({ aud, iss }: Pick<AccessClaims, 'aud' | 'iss'>): boolean {
  return aud === enrolmentAudience(iss)
}

const SHAPE = /^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** True for a text that may be an access token: three parts of base64url, the first of them JSON. Costs microseconds. */
export function looksLikeToken(text: string): boolean {
  return text.length <= LENGTH_MAX && SHAPE.test(text)
}

const USER_ID = new RegExp(idPattern('usr'))
const SESSION_ID = new RegExp(idPattern('ses'))
const ORGANIZATION_ID = new RegExp(idPattern('org'))

/** A genuine signature says that we wrote it, not that this version did: every claim is looked at. */
export function readClaims(claims: JsonObject): AccessClaims | null {
  const { sub, sid, org, gen, role, owner, iss, aud, iat, exp, jti, amr, auth_time, cnf } = claims
  const ids = matches(sub, USER_ID) && matches(sid, SESSION_ID) && matches(org, ORGANIZATION_ID)
  const times = isCount(iat) && isCount(exp) && isCount(auth_time) && isCount(gen)
  const texts = isText(iss) && isText(aud) && isText(jti) && isText(owner)
  const said = ROLES.some((known) => known === role) && Array.isArray(amr) && amr.every(isText)
  const bound = cnf === undefined || (isJsonObject(cnf) && isText(cnf.jkt))
  return ids && times && texts && said && bound ? (claims as unknown as AccessClaims) : null
}

const isText = (value: JsonValue | undefined): value is string => typeof value === 'string' && value !== ''
const matches = (value: JsonValue | undefined, pattern: RegExp): boolean => typeof value === 'string' && pattern.test(value)
const isCount = (value: JsonValue | undefined): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
