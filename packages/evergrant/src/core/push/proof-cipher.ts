import type { PushProof } from '../provider/record-around.ts'

export interface SignedMessage {
  /** Key of an HMAC, or an Ed25519 public key in hex. */
  readonly secret: string
  /** One after the other; texts as UTF-8. */
  readonly message: readonly (string | Uint8Array)[]
  readonly signature: string
  /** `base64` takes both alphabets, with or without padding (RFC 4648 sections 4 and 5). */
  readonly encoding: PushProof['encoding']
}

/** Port to the ciphers of push signatures. Constant time; whatever is malformed does not fit. */
export interface ProofCipher {
  fits(kind: 'hmac_sha1' | 'hmac_sha256' | 'ed25519', signed: SignedMessage): boolean
}
