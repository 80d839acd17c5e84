import { type AgentId, type InstallationId, idPattern, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { ACCESS_TOKEN_SECONDS, type AccessTokenPorts, type IssuedAccessToken } from '../session/access-token.ts'
import { ACCESS_TOKEN_TYPE, isBinding, isCount, isText, matches, type TokenOutcome, TokenReader } from '../session/token-reader.ts'
import { SECOND } from '../time.ts'
import type { Installation } from './installation.ts'
import type { SdkToken } from './sdk-token.ts'

/** What an access token of an installation says (docs/reference/sdk-protocol.md). Times are seconds since 1970 (RFC 7519). No right is in it. */
export interface AgentClaims {
  readonly iss: string
  readonly aud: string
  readonly sub: AgentId
  readonly ins: InstallationId
  /** Of the refresh token that it came with. */
  readonly gen: number
  readonly org: OrganizationId
  readonly iat: number
  readonly exp: number
  readonly jti: string
  /** Only with a proof of this key (RFC 9449 section 6.1). */
  readonly cnf?: { readonly jkt: string }
}

/** Access tokens of installations: signed with the keys of all others, and read apart from them. */
export class AgentTokens {
  readonly #ports: AccessTokenPorts
  readonly #reader: TokenReader<AgentClaims>

  constructor(ports: AccessTokenPorts) {
    this.#ports = ports
    this.#reader = new TokenReader(ports, { audience: [ports.audience], claimsOf: readAgentClaims })
  }

  /**
   * It never outlives its refresh token.
   * @throws Fault when there is no key to sign with
   */
  async issue(installation: Installation, token: Pick<SdkToken, 'generation' | 'keyThumbprint' | 'expiresAt'>, bound: boolean): Promise<IssuedAccessToken> {
    const { keys, signer, clock, entropy, issuer, audience } = this.#ports
    const key = await keys.signing()
    const iat = Math.floor(clock.wall() / SECOND)
    const exp = Math.max(iat + 1, Math.min(iat + ACCESS_TOKEN_SECONDS, Math.floor(token.expiresAt / SECOND)))
    const claims = {
      iss: issuer,
      aud: audience,
      sub: installation.agent,
      ins: installation.id,
      gen: token.generation,
      org: installation.organization,
      iat,
      exp,
      jti: entropy.uuid(),
      ...(bound ? { cnf: { jkt: token.keyThumbprint } } : {}),
    } satisfies AgentClaims
    return { token: await signer.sign(ACCESS_TOKEN_TYPE, claims, key), expiresIn: exp - iat }
  }

  /** The claims of a token that was read before and has not ended. `unknown`: ask {@link read}. Synchronous: the hot path. */
  peek(token: string): AgentClaims | 'expired' | 'unknown' {
    return this.#reader.peek(token)
  }

  /** Checks signature and claims. */
  read(token: string): Promise<TokenOutcome<AgentClaims>> {
    return this.#reader.read(token)
  }

  /** Forgets what was read: a key changed, and one of them may have been stolen. */
  forget(): void {
    this.#reader.forget()
  }
}

const AGENT_ID = new RegExp(idPattern('agt'))
const INSTALLATION_ID = new RegExp(idPattern('ins'))
const ORGANIZATION_ID = new RegExp(idPattern('org'))

/** Null: not what an installation is given. */
function readAgentClaims(claims: JsonObject): AgentClaims | null {
  const { sub, ins, org, gen, iss, aud, iat, exp, jti, cnf } = claims
  const ids = matches(sub, AGENT_ID) && matches(ins, INSTALLATION_ID) && matches(org, ORGANIZATION_ID)
  const times = isCount(iat) && isCount(exp) && isCount(gen)
  return ids && times && isText(iss) && isText(aud) && isText(jti) && isBinding(cnf) ? (claims as unknown as AgentClaims) : null
}
