import { idPattern, type OrganizationId, type SessionId, type UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { type Clock, type Entropy, SECOND } from '../time.ts'
import { ownerOf, ROLES, type Role } from '../user/user.ts'
import { lacksFactor } from './second-factor.ts'
import type { AuthMethod } from './session.ts'
import type { SignedIn } from './sessions.ts'
import type { SigningKeys } from './signing-keys.ts'
import { ACCESS_TOKEN_TYPE, isBinding, isCount, isText, matches, type TokenOutcome, TokenReader } from './token-reader.ts'
import type { TokenSigner } from './token-signer.ts'

/** Lifetime of an access token. */
export const ACCESS_TOKEN_SECONDS = 600

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

/** Issues access tokens of people and reads them. */
export class AccessTokens {
  readonly #ports: AccessTokenPorts
  readonly #reader: TokenReader<AccessClaims>

  constructor(ports: AccessTokenPorts) {
    const { audience, issuer } = ports
    this.#ports = ports
    this.#reader = new TokenReader(ports, { audience: [audience, enrolmentAudience(issuer)], claimsOf: readClaims })
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

  /** See {@link TokenReader.peek}. */
  peek(token: string): AccessClaims | 'expired' | 'unknown' {
    return this.#reader.peek(token)
  }

  /** See {@link TokenReader.read}. */
  read(token: string): Promise<TokenOutcome<AccessClaims>> {
    return this.#reader.read(token)
  }

  /** See {@link TokenReader.forget}. */
  forget(): void {
    this.#reader.forget()
  }
}

/** Whom a token is for that may do nothing but add or show a second factor. */
function enrolmentAudience(issuer: string): string {
  return `${issuer}/second-factor`
}

export function isForEnrolment({ aud, iss }: Pick<AccessClaims, 'aud' | 'iss'>): boolean {
  return aud === enrolmentAudience(iss)
}

const USER_ID = new RegExp(idPattern('usr'))
const SESSION_ID = new RegExp(idPattern('ses'))
const ORGANIZATION_ID = new RegExp(idPattern('org'))

/** A genuine signature says that we wrote it, not that this version did: every claim is looked at. */
function readClaims(claims: JsonObject): AccessClaims | null {
  const { sub, sid, org, gen, role, owner, iss, aud, iat, exp, jti, amr, auth_time, cnf } = claims
  const ids = matches(sub, USER_ID) && matches(sid, SESSION_ID) && matches(org, ORGANIZATION_ID)
  const times = isCount(iat) && isCount(exp) && isCount(auth_time) && isCount(gen)
  const texts = isText(iss) && isText(aud) && isText(jti) && isText(owner)
  const said = ROLES.some((known) => known === role) && Array.isArray(amr) && amr.every(isText)
  return ids && times && texts && said && isBinding(cnf) ? (claims as unknown as AccessClaims) : null
}
