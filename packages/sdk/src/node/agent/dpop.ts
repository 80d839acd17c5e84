import { digestOf, encodeBase64Url } from '../../proof/base64url.ts'
import type { MachineKey } from './key-provider.ts'

interface ProofClaims {
  readonly method: string
  readonly url: string
  readonly nonce: string | null
  /** The credential in the body of the request, at enrolment, refresh, recovery and revocation. */
  readonly credential?: string
  /** Beside a proof: everywhere else. */
  readonly accessToken?: string
}

/** The value of one `DPoP` header: RFC 9449 section 4.2, with `rth` for the credential in the body. Never the same twice. */
export async function proofBy(key: MachineKey, { method, url, nonce, credential, accessToken }: ProofClaims, now: number): Promise<string> {
  const claims = {
    jti: encodeBase64Url(crypto.getRandomValues(new Uint8Array(16))),
    htm: method,
    htu: url.replace(/[?#].*$/s, ''),
    iat: Math.floor(now / 1_000),
    ...(nonce === null ? {} : { nonce }),
    ...(credential === undefined ? {} : { rth: await digestOf(credential) }),
    ...(accessToken === undefined ? {} : { ath: await digestOf(accessToken) }),
  }
  const input = `${encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })}.${encoded(claims)}`
  return `${input}.${encodeBase64Url(await key.provider.sign(new TextEncoder().encode(input)))}`
}

/** 16 random bytes, base64url: the client's name of one attempt. */
export function newAttemptId(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(16)))
}

function encoded(value: object): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)))
}
