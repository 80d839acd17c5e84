import { digestOf } from './base64url.ts'
import { importPublicKey, isRecord, isSignedBy, type JsonRecord, publicJwk, readJws, thumbprintOf } from './jws.ts'

const LENGTH_MAX = 4_096
const AGE_MAX_MS = 120_000
const AHEAD_MAX_MS = 60_000

/** The request that a proof came with. */
interface ProofTarget {
  readonly method: string
  /** Absolute, as the caller used it. */
  readonly url: string
  readonly accessToken: string
  /** The `cnf.jkt` of that token. */
  readonly boundTo: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** `until`: when the proof is too old anyway, so that `id` need not be remembered for longer. */
type ProofReading = { readonly kind: 'proven'; readonly id: string; readonly until: number } | { readonly kind: 'refused'; readonly why: string }

/** Every check of RFC 9449 section 4.3, except that it was not used before: that needs a memory. `header` is the value of the one `DPoP` field. */
export async function readProof(header: string | null, target: ProofTarget): Promise<ProofReading> {
  const refused = (why: string): ProofReading => ({ kind: 'refused', why })
  if (header === null || header === '') return refused('the header DPoP is missing')
  if (header.includes(',')) return refused('there is more than one DPoP header')
  const jws = readJws(header, LENGTH_MAX)
  if (jws === null) return refused('it is no compact JWS')
  if (jws.header['typ'] !== 'dpop+jwt') return refused('its typ is not dpop+jwt')
  if (jws.algorithm === null) return refused('its alg is neither ES256 nor EdDSA')
  const given = jws.header['jwk']
  if (!isRecord(given)) return refused('it has no jwk')
  if ('d' in given || 'k' in given) return refused('its jwk holds a private key')
  const jwk = publicJwk(given, jws.algorithm)
  const key = jwk === null ? null : await importPublicKey(jwk, jws.algorithm).catch(() => null)
  if (jwk === null || key === null) return refused('its jwk is no public key that fits alg')
  if (!(await isSignedBy(jws, key, jws.algorithm))) return refused('its signature does not fit its jwk')
  const { jti, iat } = jws.claims
  if (typeof jti !== 'string' || jti === '' || typeof iat !== 'number' || !Number.isFinite(iat)) return refused('jti or iat is missing')
  const why = await mismatch(jws.claims, target)
  if (why !== null) return refused(why)
  const thumbprint = await thumbprintOf(jwk)
  if (thumbprint !== target.boundTo) return refused('it was made with another key than the token is bound to')
  const age = target.now - iat * 1_000
  if (age > AGE_MAX_MS || age < -AHEAD_MAX_MS) return refused('it is too old or from the future: compare the clocks')
  return { kind: 'proven', id: await digestOf(`${thumbprint}\n${String(jws.claims['htu'])}\n${jti}`), until: iat * 1_000 + AGE_MAX_MS }
}

async function mismatch({ htm, htu, ath }: JsonRecord, target: ProofTarget): Promise<string | null> {
  if (htm !== target.method) return 'htm is not the method of the request'
  if (typeof htu !== 'string' || plainUrl(htu) !== plainUrl(target.url)) return 'htu is not the address of the request'
  return ath === (await digestOf(target.accessToken)) ? null : 'ath is not the hash of the access token'
}

/** Without query and fragment, in the one form in which spellings are compared. */
function plainUrl(text: string): string | null {
  if (!URL.canParse(text)) return null
  const { protocol, host, pathname } = new URL(text)
  return `${protocol}//${host}${pathname}`
}
