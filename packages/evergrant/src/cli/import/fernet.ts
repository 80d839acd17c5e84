import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'

const VERSION = 0x80
const HEAD = 1 + 8 + 16
const TAG = 32
const BLOCK = 16
/** URL-safe base64 of 32 bytes; padding may be missing, as in many environment variables. */
const KEY = /^[A-Za-z0-9_-]{43}=?$/
const TOKEN = /^[A-Za-z0-9_-]+={0,2}$/

interface FernetKey {
  readonly signing: Buffer
  readonly encryption: Buffer
}

/**
 * Opens Fernet tokens (github.com/fernet/spec): version 0x80, time, IV, AES-128-CBC with PKCS#7 padding, HMAC-SHA256 over all of
 * it. Their age is not looked at: a stored token is old. Several keys are tried in turn, as MultiFernet does.
 */
export class Fernet {
  readonly #keys: readonly FernetKey[]

  /** `text`: one or more keys, separated by commas or white space. Undefined when it holds anything else. */
  static of(text: string): Fernet | undefined {
    const words = text.split(/[\s,]+/).filter((word) => word !== '')
    if (words.length === 0 || !words.every((word) => KEY.test(word))) return undefined
    return new Fernet(words.map((word) => Buffer.from(word, 'base64url')).map((key) => ({ signing: key.subarray(0, 16), encryption: key.subarray(16) })))
  }

  private constructor(keys: readonly FernetKey[]) {
    this.#keys = keys
  }

  /** The text inside, or undefined when it is no Fernet token, or of none of these keys. */
  open(token: string): string | undefined {
    if (!TOKEN.test(token)) return undefined
    const bytes = Buffer.from(token, 'base64url')
    const sealed = bytes.length - HEAD - TAG
    if (bytes[0] !== VERSION || sealed < BLOCK || sealed % BLOCK !== 0) return undefined
    for (const key of this.#keys) {
      const tag = createHmac('sha256', key.signing).update(bytes.subarray(0, -TAG)).digest()
      if (timingSafeEqual(tag, bytes.subarray(-TAG))) return opened(key, bytes)
    }
    return undefined
  }
}

function opened(key: FernetKey, bytes: Buffer): string | undefined {
  const decipher = createDecipheriv('aes-128-cbc', key.encryption, bytes.subarray(9, HEAD))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat([decipher.update(bytes.subarray(HEAD, -TAG)), decipher.final()]))
  } catch {
    return undefined
  }
}
