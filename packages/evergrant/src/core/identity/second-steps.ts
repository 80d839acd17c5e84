import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'

/** Codes of an authenticator app (RFC 6238): SHA-1, six digits, 30 seconds, which is what all apps understand. */
export interface OneTimePasswords {
  /** A new secret and the text of its QR code (`otpauth://`). */
  create(account: string, issuer: string): { readonly secret: string; readonly uri: string }
  /** The time step that this code belongs to, one before and one after now included; null when it is none of them. */
  stepOf(code: string, secret: string, at: Instant): number | null
}

/** What is kept of a passkey. */
export interface PasskeyCredential {
  /** base64url. */
  readonly credentialId: string
  /** COSE key. */
  readonly publicKey: Uint8Array
  readonly signCount: number
  readonly transports: readonly string[]
}

interface ProvedPasskey {
  readonly signCount: number
  /** The device checked who is there (PIN, finger, face): then it counts as two factors. */
  readonly userVerified: boolean
}

/** The two ceremonies of WebAuthn. A challenge is used once: it is bound to a ticket that is spent with it. */
export interface PasskeyCeremonies {
  registrationOptions(wanted: {
    /** Opaque and stable, without anything personal; at most 64 bytes. */
    readonly userHandle: Uint8Array
    readonly userName: string
    readonly displayName: string
    readonly challenge: string
    readonly exclude: readonly Pick<PasskeyCredential, 'credentialId' | 'transports'>[]
  }): Promise<JsonObject>
  /** Null: the answer does not belong to this challenge, this site or itself. */
  register(response: JsonObject, challenge: string): Promise<PasskeyCredential | null>
  /** An empty list lets the device offer what it has (discoverable credentials). */
  signInOptions(challenge: string, allowed: readonly Pick<PasskeyCredential, 'credentialId' | 'transports'>[]): Promise<JsonObject>
  prove(response: JsonObject, challenge: string, credential: PasskeyCredential): Promise<ProvedPasskey | null>
}
