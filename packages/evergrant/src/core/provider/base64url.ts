import { isJsonObject, type JsonObject } from '../json.ts'
import { parseJson } from './answer-body.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Decodes base64url without padding (RFC 7515 section 2) into bytes; null when it is none. */
export function decodeBase64Url(text: string): number[] | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const sign of text) {
    held = (held << 6) | ALPHABET.indexOf(sign)
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
    held &= (1 << bits) - 1
  }
  return bytes
}

/** Base64url without padding (RFC 7515 section 2) of a text as UTF-8. */
export function encodeBase64Url(text: string): string {
  return encodeBase64(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Base64 with padding (RFC 4648 section 4) of a text as UTF-8. */
export function encodeBase64(text: string): string {
  const bytes = [...encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\uFFFD')).matchAll(/%([0-9A-F]{2})|(.)/g)].map(([, hex, plain]) =>
    hex === undefined ? (plain ?? '').charCodeAt(0) : Number.parseInt(hex, 16),
  )
  let encoded = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second, third] = bytes.slice(at, at + 3)
    const bits = (first << 16) | ((second ?? 0) << 8) | (third ?? 0)
    const signs = [18, 12, 6, 0].map((shift) => STANDARD[(bits >> shift) & 63] ?? '')
    encoded += signs.map((sign, index) => (index > 1 && bytes[at + index - 1] === undefined ? '=' : sign)).join('')
  }
  return encoded
}

interface DecodedJwt {
  readonly header: JsonObject
  readonly claims: JsonObject
  readonly signed: boolean
}

/** Header and claims of a compact JWS, without looking at its signature. Null when it is none. `parse` reads its JSON: as that of providers, by default. */
export function decodeJwt(token: string, parse: typeof parseJson = parseJson): DecodedJwt | null {
  const parts = token.split('.')
  if (parts.length !== 3) return null
  const header = decodePart(parts[0] ?? '', parse)
  const claims = decodePart(parts[1] ?? '', parse)
  return header === null || claims === null ? null : { header, claims, signed: parts[2] !== '' }
}

function decodePart(part: string, parse: typeof parseJson): JsonObject | null {
  const bytes = decodeBase64Url(part)
  const text = bytes === null ? null : decodeUtf8(bytes)
  const json = text === null ? undefined : parse(text)
  return isJsonObject(json) ? json : null
}

/** Null when the bytes are no UTF-8. */
export function decodeUtf8(bytes: readonly number[]): string | null {
  try {
    return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  } catch {
    return null
  }
}
