import { decodeBase64Url } from '../provider/base64url.ts'
import { decodeForm } from '../provider/form.ts'
import type { PushProof } from '../provider/record-around.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { IncomingPush } from './incoming-push.ts'
import type { ProofCipher } from './proof-cipher.ts'

const TOLERANCE_MS = 5 * MINUTE
/** A number this large counts milliseconds: as seconds it would be the year 5138. */
const MILLISECONDS_FROM = 1e11

/** `signed`: what the signature covers, where that is not the body. `why`: for the operator, without any secret. */
export type Proof = { readonly proven: true; readonly signed: string | null } | { readonly proven: false; readonly why: string }

/** Whether a push comes from who knows the secret, and is not older than five minutes where it tells its time. */
export function provePush(facts: PushProof, push: IncomingPush, secrets: readonly string[], now: Instant, cipher: ProofCipher): Proof {
  if (facts.kind === 'none') return { proven: true, signed: null }
  if (facts.kind === 'signed_field') return proveField(facts, push, secrets, cipher)
  const header = push.headers[facts.header.toLowerCase()]
  if (header === undefined) return { proven: false, why: `the header ${facts.header} is missing` }
  const { signatures, timestamp: inside } = readFormat(facts.format, header)
  if (signatures.length === 0) return { proven: false, why: `the header ${facts.header} does not look like ${facts.format}` }
  const timestamp = inside ?? (facts.timestampHeader === null ? null : (push.headers[facts.timestampHeader.toLowerCase()] ?? ''))
  if (timestamp !== null && !isFresh(timestamp, now))
    return { proven: false, why: 'its timestamp is missing or more than five minutes off: compare the clocks' }
  const message = messageOf(facts.text, push, timestamp ?? '')
  const { kind, encoding } = facts
  const fits = secrets.some((secret) => signatures.some((signature) => cipher.fits(kind, { secret, message, signature, encoding })))
  return fits ? { proven: true, signed: null } : { proven: false, why: `the signature in ${facts.header} does not fit this body and the stored secret` }
}

/** `signature.payload`, both base64url; the HMAC-SHA-256 covers the payload as it is written. */
function proveField(facts: PushProof, push: IncomingPush, secrets: readonly string[], cipher: ProofCipher): Proof {
  const field = decodeForm(push.text.trim())?.[facts.header]
  const [signature, payload, ...rest] = typeof field === 'string' ? field.split('.') : []
  if (signature === undefined || payload === undefined || rest.length > 0)
    return { proven: false, why: `the field ${facts.header} is missing or has no signature` }
  const fits = secrets.some((secret) => cipher.fits('hmac_sha256', { secret, message: [payload], signature, encoding: 'base64' }))
  const signed = utf8(decodeBase64Url(payload))
  return fits && signed !== null
    ? { proven: true, signed }
    : { proven: false, why: `the signature in the field ${facts.header} does not fit the stored secret` }
}

/** `t={timestamp},v1={signature}` read from `t=1,v0=a,v1=b,v1=c`: signatures may repeat, and parts that are not named are skipped. */
function readFormat(format: string, header: string): { readonly signatures: readonly string[]; readonly timestamp: string | null } {
  const wanted = format.split(',').map((part) => part.trim())
  const given = wanted.length === 1 ? [header.trim()] : header.split(',').map((part) => part.trim())
  const signatures: string[] = []
  let timestamp: string | null = format.includes('{timestamp}') ? '' : null
  for (const part of wanted) {
    const name = part.includes('{signature}') ? '{signature}' : '{timestamp}'
    const [before = '', after = ''] = part.split(name)
    for (const text of given) {
      if (!text.startsWith(before) || !text.endsWith(after) || text.length <= before.length + after.length) continue
      const value = text.slice(before.length, text.length - after.length)
      if (name === '{signature}') signatures.push(value)
      else timestamp ||= value
    }
  }
  return { signatures, timestamp }
}

function isFresh(timestamp: string, now: Instant): boolean {
  if (!/^[0-9]{1,16}$/.test(timestamp)) return false
  const told = Number(timestamp)
  return Math.abs(now - (told >= MILLISECONDS_FROM ? told : told * 1_000)) <= TOLERANCE_MS
}

function messageOf(template: string, push: IncomingPush, timestamp: string): (string | Uint8Array)[] {
  return template.split(/(\{(?:body|timestamp|method|url)\})/).map((part) => {
    switch (part) {
      case '{body}':
        return push.body
      case '{timestamp}':
        return timestamp
      case '{method}':
        return push.method
      case '{url}':
        return push.url
      default:
        return part
    }
  })
}

function utf8(bytes: readonly number[] | null): string | null {
  if (bytes === null) return null
  try {
    return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  } catch {
    return null
  }
}
