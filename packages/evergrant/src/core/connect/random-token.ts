import type { Entropy } from '../time.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** RFC 4648 section 5, without padding. */
export function base64Url(bytes: Uint8Array): string {
  let text = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
    for (let place = 0; place < Math.min(4, bytes.length - index + 1); place++) text += ALPHABET[(group >> (18 - 6 * place)) & 63] ?? ''
  }
  return text
}

/** 256 random bits as 43 characters: link tokens, `state`, PKCE verifiers (RFC 7636 section 4.1), browser ids. */
export function randomToken(entropy: Entropy): string {
  return base64Url(entropy.bytes(32))
}

const TOKEN = /^[A-Za-z0-9_-]{43}$/

/** The shape of {@link randomToken}; anything else needs no look-up. */
export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** Compares without telling by its duration where the texts differ. */
export function sameSecret(left: string, right: string): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index)
  return difference === 0
}
