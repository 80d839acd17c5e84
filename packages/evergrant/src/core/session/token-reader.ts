import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { type Clock, SECOND } from '../time.ts'
import { RecentMap } from './recent-map.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { PublicSigningKey, TokenRefusal, TokenSigner } from './token-signer.ts'

/** RFC 9068 section 2.1: so that no other JWT of ours, and no ID token, can stand in for it. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'
const LEEWAY_SECONDS = 5
/** Ours have about 700 characters; longer texts are not looked at. */
const LENGTH_MAX = 4_096
const REMEMBERED = 20_000

export type TokenOutcome<Claims> = { readonly kind: 'verified'; readonly claims: Claims } | { readonly kind: 'refused'; readonly why: TokenRefusal }

interface TokenReaderPorts {
  readonly signer: Pick<TokenSigner, 'verify'>
  readonly keys: Pick<SigningKeys, 'verifying' | 'verifyingNewer'>
  readonly clock: Pick<Clock, 'wall'>
  readonly issuer: string
}

/** What one kind of access token must say. */
interface TokenKind<Claims> {
  /** One of these. */
  readonly audience: readonly string[]
  /** A genuine signature says that we wrote it, not that it is of this kind: every claim is looked at. Null: it is not. */
  readonly claimsOf: (claims: JsonObject) => Claims | null
}

/** Reads access tokens of one kind. A token that was read once costs a look at a map until it ends. */
export class TokenReader<Claims extends { readonly exp: number }> {
  readonly #ports: TokenReaderPorts
  readonly #kind: TokenKind<Claims>
  readonly #read = new RecentMap<string, Claims>(REMEMBERED)
  /** +1 whenever keys change: what was being read meanwhile is not remembered. */
  #epoch = 0

  constructor(ports: TokenReaderPorts, kind: TokenKind<Claims>) {
    this.#ports = ports
    this.#kind = kind
  }

  /** The claims of a token that was read before and has not ended. `unknown`: ask {@link read}. Synchronous: the hot path. */
  peek(token: string): Claims | 'expired' | 'unknown' {
    const claims = this.#read.get(token)
    if (claims === undefined) return 'unknown'
    return this.#isOver(claims) ? 'expired' : claims
  }

  /** Checks signature and claims. Asks for newer keys once when the token names one that is not known. */
  async read(token: string): Promise<TokenOutcome<Claims>> {
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

  async #verify(token: string, keys: readonly PublicSigningKey[]): Promise<TokenOutcome<Claims>> {
    const { signer, issuer, clock } = this.#ports
    const { audience, claimsOf } = this.#kind
    const expected = { type: ACCESS_TOKEN_TYPE, issuer, audience, now: clock.wall(), leewaySeconds: LEEWAY_SECONDS }
    const reading = await signer.verify(token, keys, expected)
    if (reading.kind === 'refused') return reading
    const claims = claimsOf(reading.claims)
    return claims === null ? { kind: 'refused', why: 'claims_incomplete' } : { kind: 'verified', claims }
  }

  #isOver({ exp }: Claims): boolean {
    return this.#ports.clock.wall() >= (exp + LEEWAY_SECONDS) * SECOND
  }
}

const SHAPE = /^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** True for a text that may be an access token: three parts of base64url, the first of them JSON. Costs microseconds. */
export function looksLikeToken(text: string): boolean {
  return text.length <= LENGTH_MAX && SHAPE.test(text)
}

export const isText = (value: JsonValue | undefined): value is string => typeof value === 'string' && value !== ''
export const matches = (value: JsonValue | undefined, pattern: RegExp): boolean => typeof value === 'string' && pattern.test(value)
export const isCount = (value: JsonValue | undefined): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
/** No `cnf`, or one that names a key (RFC 9449 section 6.1). */
export const isBinding = (cnf: JsonValue | undefined): boolean => cnf === undefined || (isJsonObject(cnf) && isText(cnf.jkt))
