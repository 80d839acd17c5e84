import { parseJson } from '../provider/answer-body.ts'
import { keptHeaders } from '../provider/beside-body.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { ProviderAnswer } from '../provider/wire.ts'

/** No body of a token endpoint begins with a zero byte; one that does is wrapped as well, so that the beginning always tells. */
const MAGIC = [0, 0x45, 0x56, 0x41, 0x31]
const LENGTH_BYTES = 4

/** An answer as it is sealed, opened again. */
interface KeptBytes {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/**
 * What is sealed of an answer: its raw body, and before it the headers and cookies that the record names.
 * Where it names none, the raw body alone, as it always was.
 * Layout: magic (5) | length (4, big endian) | headers as JSON in ASCII | body.
 */
export function answerBytes(record: ProviderRecord, { headers, body }: Pick<ProviderAnswer, 'headers' | 'body'>): Uint8Array {
  const { 'content-type': _, ...beside } = keptHeaders(record, { headers })
  if (Object.keys(beside).length === 0 && !begins(body)) return body
  const head = asciiOf(beside)
  const bytes = new Uint8Array(MAGIC.length + LENGTH_BYTES + head.length + body.length)
  bytes.set(MAGIC)
  new DataView(bytes.buffer).setUint32(MAGIC.length, head.length)
  bytes.set(head, MAGIC.length + LENGTH_BYTES)
  bytes.set(body, MAGIC.length + LENGTH_BYTES + head.length)
  return bytes
}

/** The other way round: an answer that was sealed before there were headers is all body. */
export function readAnswerBytes(bytes: Uint8Array): KeptBytes {
  if (!begins(bytes)) return { headers: {}, body: bytes }
  const start = MAGIC.length + LENGTH_BYTES
  const end = start + new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length)
  const json = parseJson(String.fromCharCode(...bytes.subarray(start, end)))
  return { headers: (json ?? {}) as KeptBytes['headers'], body: bytes.subarray(end) }
}

function begins(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, at) => bytes[at] === byte)
}

/** Header values are Latin-1 on the wire; in JSON everything beyond ASCII can be escaped. */
function asciiOf(headers: Readonly<Record<string, string>>): Uint8Array {
  const text = JSON.stringify(headers).replace(/[^\x20-\x7E]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0))
}
