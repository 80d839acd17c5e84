import { Secret, TOTP } from 'otpauth'
import type { OneTimePasswords } from '../core/identity/second-steps.ts'
import { type Entropy, SECOND } from '../core/time.ts'

/** As long as the output of SHA-1 (RFC 4226 section 4, R6). */
const SECRET_BYTES = 20
const PERIOD_SECONDS = 30
const CODE = /^\d{6}$/

/** Codes of authenticator apps: RFC 6238 with the parameters that every app has. */
export function createOneTimePasswords(entropy: Pick<Entropy, 'bytes'>): OneTimePasswords {
  return {
    create: (account, issuer) => {
      const secret = new Secret({ buffer: Uint8Array.from(entropy.bytes(SECRET_BYTES)).buffer })
      return { secret: secret.base32, uri: new TOTP({ issuer: label(issuer), label: label(account), secret, period: PERIOD_SECONDS }).toString() }
    },
    stepOf: (code, secret, at) => {
      const plain = code.replace(/\s/g, '')
      if (!CODE.test(plain)) return null
      const delta = TOTP.validate({ token: plain, secret: Secret.fromBase32(secret), period: PERIOD_SECONDS, timestamp: at, window: 1 })
      return delta === null ? null : Math.floor(at / (PERIOD_SECONDS * SECOND)) + delta
    },
  }
}

/** A colon separates issuer and account in the text of the QR code. */
function label(text: string): string {
  return text.replaceAll(':', ' ').slice(0, 100)
}
