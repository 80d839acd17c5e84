import { createHmac, createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import type { AccessClaims } from '../core/session/access-token.ts'

/** A private key of the issuer whose public half stands in its JWKS under `kid`. */
export interface IssuerKey {
  readonly kid: string
  readonly privateJwk: string
}

/** What a genuine token is made of, and a second key that the issuer publishes, too. */
export interface GenuineParts {
  readonly claims: AccessClaims
  readonly key: IssuerKey
  readonly other: IssuerKey
}

export interface BadToken {
  readonly name: string
  readonly token: string
}

const encoded = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const privateKey = ({ privateJwk }: IssuerKey): KeyObject => createPrivateKey({ key: JSON.parse(privateJwk) as JsonWebKey, format: 'jwk' })

/** A token as the issuer makes it; header and claims may be altered before they are signed. */
export function signedToken({ claims, key }: Pick<GenuineParts, 'claims' | 'key'>, header: object = {}, altered: object = {}): string {
  const input = `${encoded({ alg: 'EdDSA', typ: 'at+jwt', kid: key.kid, ...header })}.${encoded({ ...claims, ...altered })}`
  return `${input}.${sign(null, Buffer.from(input), privateKey(key)).toString('base64url')}`
}

/**
 * Tokens that nobody may believe, by name: the module names of the OpenID Connect conformance suite for relying parties where they apply to an
 * access token, the advice of RFC 8725, and what Wycheproof tries. Everything but the named fault is as it should be.
 */
export function badTokens(genuine: GenuineParts): readonly BadToken[] {
  return [...badAlgorithms(genuine), ...badKeys(genuine), ...badClaims(genuine), ...badShapes(genuine)]
}

function badAlgorithms(genuine: GenuineParts): readonly BadToken[] {
  const { claims, key } = genuine
  const body = encoded(claims)
  const unsigned = (alg: string) => `${encoded({ alg, typ: 'at+jwt', kid: key.kid })}.${body}.`
  const mac = (alg: string, digest: string, secret: Buffer | string) => {
    const input = `${encoded({ alg, typ: 'at+jwt', kid: key.kid })}.${body}`
    return `${input}.${createHmac(digest, secret).update(input).digest('base64url')}`
  }
  const { x = '', ...publicJwk } = JSON.parse(key.privateJwk) as JsonWebKey
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const rsaInput = `${encoded({ alg: 'RS256', typ: 'at+jwt', kid: key.kid })}.${body}`
  return [
    { name: 'alg none without a signature', token: unsigned('none') },
    { name: 'alg None in another spelling', token: unsigned('nOnE') },
    { name: 'alg none with the genuine signature', token: `${unsigned('none')}${signedToken(genuine).split('.')[2]}` },
    { name: 'HS256 with the public key as its secret', token: mac('HS256', 'sha256', Buffer.from(x, 'base64url')) },
    { name: 'HS256 with the text of the public key as its secret', token: mac('HS256', 'sha256', x) },
    { name: 'HS256 with the JWK as its secret', token: mac('HS256', 'sha256', JSON.stringify({ x, kty: publicJwk.kty, crv: publicJwk.crv })) },
    { name: 'HS512 with an empty secret', token: mac('HS512', 'sha512', '') },
    { name: 'RS256 by a key of its own', token: `${rsaInput}.${sign('sha256', Buffer.from(rsaInput), rsa.privateKey).toString('base64url')}` },
    { name: 'the genuine signature under alg ES256', token: signedToken(genuine, { alg: 'ES256' }) },
    { name: 'no alg', token: signedToken(genuine, { alg: undefined }) },
  ]
}

function badKeys(genuine: GenuineParts): readonly BadToken[] {
  const { claims, key, other } = genuine
  const stranger = generateKeyPairSync('ed25519')
  const strangerJwk = stranger.publicKey.export({ format: 'jwk' })
  const foreign: IssuerKey = { kid: key.kid, privateJwk: JSON.stringify(stranger.privateKey.export({ format: 'jwk' })) }
  const byStranger = (header: object) => signedToken({ claims, key: foreign }, header)
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const input = `${encoded({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, jwk: p256.publicKey.export({ format: 'jwk' }) })}.${encoded(claims)}`
  return [
    { name: 'signed by a stranger under the kid of the issuer', token: byStranger({}) },
    { name: 'a key of its own in jwk', token: byStranger({ jwk: strangerJwk }) },
    { name: 'a key of its own in jwk, without kid', token: byStranger({ kid: undefined, jwk: strangerJwk }) },
    {
      name: 'a P-256 key of its own in jwk',
      token: `${input}.${sign('sha256', Buffer.from(input), { key: p256.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`,
    },
    { name: 'keys at an address of its own in jku', token: byStranger({ jku: 'https://attacker.example/jwks.json' }) },
    { name: 'a certificate of its own at x5u', token: byStranger({ x5u: 'https://attacker.example/cert.pem' }) },
    { name: 'a certificate of its own in x5c', token: byStranger({ x5c: ['MIIB'] }) },
    { name: 'an unknown kid', token: signedToken(genuine, { kid: 'sgk_unknown' }) },
    { name: 'no kid', token: signedToken(genuine, { kid: undefined }) },
    { name: 'an empty kid', token: signedToken(genuine, { kid: '' }) },
    { name: 'a kid that is a path', token: signedToken(genuine, { kid: '../../dev/null' }) },
    { name: 'a kid that is a name of every object', token: signedToken(genuine, { kid: '__proto__' }) },
    { name: 'a list of kids', token: signedToken(genuine, { kid: [key.kid] }) },
    { name: 'the kid of another published key', token: signedToken({ claims, key: { ...key, kid: other.kid } }) },
  ]
}

function badClaims(genuine: GenuineParts): readonly BadToken[] {
  const { claims } = genuine
  const { iat, exp, iss, aud } = claims
  const altered = (name: string, value: object): BadToken => ({ name, token: signedToken(genuine, {}, value) })
  return [
    { name: 'an id_token in place of an access token', token: signedToken(genuine, { typ: 'JWT' }, { nonce: 'n', at_hash: 'x' }) },
    { name: 'no typ', token: signedToken(genuine, { typ: undefined }) },
    { name: 'a proof of possession in place of an access token', token: signedToken(genuine, { typ: 'dpop+jwt' }) },
    { name: 'a logout token in place of an access token', token: signedToken(genuine, { typ: 'logout+jwt' }) },
    altered('another issuer', { iss: 'https://attacker.example' }),
    altered('the issuer with a slash more', { iss: `${iss}/` }),
    altered('the issuer in a list', { iss: [iss] }),
    altered('no issuer', { iss: undefined }),
    altered('another audience', { aud: 'https://other.example' }),
    altered('an audience that begins like ours', { aud: `${aud}.attacker.example` }),
    altered('no audience', { aud: undefined }),
    altered('an empty list of audiences', { aud: [] }),
    altered('over since a minute', { iat: iat - 700, exp: iat - 60 }),
    altered('issued a week ago', { iat: iat - 604_800, exp: exp - 604_800 }),
    altered('no end', { exp: undefined }),
    altered('an end that is a text', { exp: String(exp) }),
    altered('an end that is no number', { exp: null }),
    altered('not valid before in an hour', { nbf: iat + 3_600 }),
    altered('a beginning that is a text', { nbf: 'tomorrow' }),
    altered('no subject', { sub: undefined }),
    altered('no session', { sid: undefined }),
    altered('a role that does not exist', { role: 'root' }),
    altered('no organization', { org: undefined }),
    altered('no generation', { gen: undefined }),
    altered('a binding without a key', { cnf: {} }),
  ]
}

function badShapes(genuine: GenuineParts): readonly BadToken[] {
  const token = signedToken(genuine)
  const [header = '', claims = '', signature = ''] = token.split('.')
  const flipped = (text: string): string => `${text.slice(0, 10)}${text[10] === 'A' ? 'B' : 'A'}${text.slice(11)}`
  return [
    { name: 'an empty text', token: '' },
    { name: 'two dots', token: '..' },
    { name: 'no signature', token: `${header}.${claims}.` },
    { name: 'only two parts', token: `${header}.${claims}` },
    { name: 'four parts', token: `${token}.${signature}` },
    { name: 'five parts, as an encrypted token has', token: `${token}.a.b` },
    { name: 'truncated by one sign', token: token.slice(0, -1) },
    { name: 'truncated in the claims', token: `${header}.${claims.slice(0, -9)}.${signature}` },
    { name: 'another header under the signature', token: `${encoded({ alg: 'EdDSA', typ: 'at+jwt', kid: genuine.key.kid, x: 1 })}.${claims}.${signature}` },
    { name: 'other claims under the signature', token: `${header}.${encoded({ ...genuine.claims, role: 'owner' })}.${signature}` },
    { name: 'a bit turned in the signature', token: `${header}.${claims}.${flipped(signature)}` },
    { name: 'a signature of nothing but zeros', token: `${header}.${claims}.${Buffer.alloc(64).toString('base64url')}` },
    { name: 'a signature twice as long', token: `${header}.${claims}.${signature}${signature}` },
    { name: 'padding', token: `${header}.${claims}.${signature}==` },
    { name: 'a line break', token: `${header}.${claims}\n.${signature}` },
    { name: 'claims that are a list', token: signedList(genuine) },
    { name: 'a critical extension that nobody knows', token: signedToken(genuine, { crit: ['exp'], exp: 1 }) },
    { name: 'an unencoded payload', token: signedToken(genuine, { b64: false, crit: ['b64'] }) },
    { name: 'a JSON serialization', token: JSON.stringify({ payload: claims, protected: header, signature }) },
    { name: 'oversized', token: signedToken(genuine, {}, { filler: 'x'.repeat(100_000) }) },
  ]
}

function signedList({ key }: GenuineParts): string {
  const input = `${encoded({ alg: 'EdDSA', typ: 'at+jwt', kid: key.kid })}.${encoded([1, 2])}`
  return `${input}.${sign(null, Buffer.from(input), privateKey(key)).toString('base64url')}`
}
