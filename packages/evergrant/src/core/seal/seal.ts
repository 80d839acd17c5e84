/** Where a sealed value lives. All five are authenticated, so a ciphertext moved elsewhere does not open. */
export interface SealContext {
  readonly organization: string
  readonly table: string
  /** Row identity; for credentials `<connection id>#<generation>`, so that a token cannot be moved between generations. */
  readonly row: string
  readonly column: string
}

/** Why a sealed value did not open: the key is not in the keyring, or the bytes do not belong here. */
type SealFailure = 'seal_key_missing' | 'seal_broken'

export class SealError extends Error {
  override readonly name = 'SealError'
  readonly code: SealFailure
  readonly keyId: string
  constructor(code: SealFailure, keyId: string) {
    super(code === 'seal_key_missing' ? `master key ${keyId} is not in the keyring` : 'a sealed value does not belong to its row')
    this.code = code
    this.keyId = keyId
  }
}

/** Sealing port: AES-256-GCM, each value under a key and a nonce that no other value has together. Synchronous, some microseconds. */
export interface Seal {
  seal(plaintext: string | Uint8Array, context: SealContext): Uint8Array
  /** @throws SealError */
  open(sealed: Uint8Array, context: SealContext): Uint8Array
  /** As {@link open}, decoded as UTF-8. @throws SealError */
  openText(sealed: Uint8Array, context: SealContext): string
  /** Keyed HMAC of a secret, base64url: equality without decryption (never a bare hash, S82). */
  fingerprint(secret: string): string
  /** HMAC under a key of its own for `purpose` (lower-case words), base64url: cookies, browser binding, session MACs. */
  mac(purpose: string, data: string): string
  /** SHA-256 of public or already high-entropy material, base64url. */
  digest(value: string | Uint8Array): string
}
