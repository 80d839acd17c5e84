import type { Entropy } from '../time.ts'

/**
 * The text of an API key: `egk_` + 43 base62 characters (256 random bits) + 6 base62 characters of CRC-32 over all before
 * them. Secret scanners match it, and a mistyped or made-up key is refused without hashing or a look-up.
 */
const PREFIX = 'egk_'
const SECRET_LENGTH = 43
const CHECK_LENGTH = 6
const KEY_LENGTH = PREFIX.length + SECRET_LENGTH + CHECK_LENGTH
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const HINT_LENGTH = 12

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value >>> 0
})

/** CRC-32 (ISO-HDLC) of the ASCII text. */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (let index = 0; index < text.length; index++) {
    crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ text.charCodeAt(index)) & 0xff] ?? 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

function base62(value: bigint, length: number): string {
  let rest = value
  let text = ''
  for (let index = 0; index < length; index++) {
    text = (ALPHABET[Number(rest % 62n)] ?? '') + text
    rest /= 62n
  }
  return text
}

function checkOf(body: string): string {
  return base62(BigInt(crc32(body)), CHECK_LENGTH)
}

/** A new key, shown once. */
export function newKeyText(entropy: Entropy): string {
  let number = 0n
  for (const byte of entropy.bytes(32)) number = number * 256n + BigInt(byte)
  const body = PREFIX + base62(number, SECRET_LENGTH)
  return body + checkOf(body)
}

/** True when the checksum holds. Costs about a microsecond, whatever the caller sends. */
export function isKeyText(text: string): boolean {
  if (text.length !== KEY_LENGTH || !text.startsWith(PREFIX)) return false
  const body = text.slice(0, KEY_LENGTH - CHECK_LENGTH)
  let crc = crc32(body)
  for (let index = KEY_LENGTH - 1; index >= body.length; index--) {
    if (text[index] !== ALPHABET[crc % 62]) return false
    crc = Math.floor(crc / 62)
  }
  return crc === 0
}

/** The first characters of a key, for people to recognise it. */
export function hintOf(text: string): string {
  return text.slice(0, HINT_LENGTH)
}
