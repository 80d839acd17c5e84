import { digestOf } from '../proof/base64url.ts'
import { importPublicKey, isRecord, isSignedBy, publicJwk, readJws, thumbprintOf } from '../proof/jws.ts'

/** A nonce says in which two minutes it was given out, and is good for the two slots after. */
export const NONCE_SLOT_MS = 120_000
const SLOTS_BACK = 2
/** Beside an access token a proof without a nonce counts by its clock: so old, and so far ahead. */
const AGE_MAX_MS = 120_000
const AHEAD_MAX_MS = 60_000
const LENGTH_MAX = 4_096

interface Proven {
  readonly thumbprint: string
  /** Start of the time in which its nonce was given out: the proof was made after that. */
  readonly after: number
  /** The same for the same proof at the same address: each is good for one request. */
  readonly use: string
}

interface ProofExpectation {
  readonly method: string
  readonly url: string
  /** Of the credential in the body. */
  readonly credential?: string
  readonly accessToken?: string
}

/** Checks of RFC 9449 section 4.3 and of the private claim `rth`. */
export class FakeProofs {
  readonly #now: () => number
  readonly #seen = new Set<string>()
  #serial = 0

  constructor(now: () => number) {
    this.#now = now
  }

  nonce(): string {
    this.#serial += 1
    return `n${this.#now() - (this.#now() % NONCE_SLOT_MS)}.${this.#serial}`
  }

  async check(header: string | null, { method, url, credential, accessToken }: ProofExpectation): Promise<Proven | 'nonce' | 'invalid'> {
    const jws = header === null ? null : readJws(header, LENGTH_MAX)
    if (jws === null || jws.header['typ'] !== 'dpop+jwt' || jws.algorithm === null) return 'invalid'
    const given = jws.header['jwk']
    const jwk = isRecord(given) && !('d' in given) ? publicJwk(given, jws.algorithm) : null
    const key = jwk === null ? null : await importPublicKey(jwk, jws.algorithm).catch(() => null)
    if (jwk === null || key === null || !(await isSignedBy(jws, key, jws.algorithm))) return 'invalid'
    const { jti, htm, htu, iat, nonce, rth, ath } = jws.claims
    if (typeof jti !== 'string' || jti.length < 22 || htm !== method || htu !== url.replace(/[?#].*$/s, '')) return 'invalid'
    if (credential !== undefined && rth !== (await digestOf(credential))) return 'invalid'
    if (accessToken !== undefined && ath !== (await digestOf(accessToken))) return 'invalid'
    const thumbprint = await thumbprintOf(jwk)
    const use = `${thumbprint} ${htu} ${jti}`
    if (nonce === undefined && accessToken !== undefined) {
      const age = this.#now() - Number(iat) * 1_000
      return age > AGE_MAX_MS || age < -AHEAD_MAX_MS ? 'nonce' : { thumbprint, after: 0, use }
    }
    const after = typeof nonce === 'string' ? Number(/^n(\d+)\./.exec(nonce)?.[1]) : Number.NaN
    if (Number.isNaN(after) || this.#now() - after >= (SLOTS_BACK + 1) * NONCE_SLOT_MS) return 'nonce'
    return { thumbprint, after, use }
  }

  /** False when it was used before. Apart from the check, because the real server looks at the credential in between. */
  spend({ use }: Pick<Proven, 'use'>): boolean {
    if (this.#seen.has(use)) return false
    this.#seen.add(use)
    return true
  }
}
