import { crc32 } from 'node:zlib'

/** One entry of a journal file: an answer, or the mark that the database has it. */
export interface Frame {
  readonly kind: 'answer' | 'settled'
  readonly intent: string
  /** Empty for a mark. */
  readonly organization: string
  /** The sealed answer; empty for a mark. */
  readonly sealed: Buffer
}

export interface Scan {
  readonly frames: readonly Frame[]
  /** End of the last whole frame. */
  readonly end: number
  /** Places before `end` where bytes are not a frame: the disk altered what had been written. */
  readonly damaged: number
  /** Bytes after `end` that are not zero: an append that the process did not live to finish. */
  readonly torn: boolean
}

/** Layout: magic (4) | kind (1) | length of payload (4) | CRC-32 of kind and payload (4) | payload. */
const MAGIC = Buffer.from('EVJ1', 'latin1')
const HEAD = 13
const ANSWER = 1
const SETTLED = 2

export function encodeFrame({ kind, intent, organization, sealed }: Frame): Buffer {
  const payload = Buffer.concat([prefixed(intent), prefixed(organization), sealed])
  const head = Buffer.alloc(HEAD)
  MAGIC.copy(head)
  head[4] = kind === 'answer' ? ANSWER : SETTLED
  head.writeUInt32BE(payload.length, 5)
  head.writeUInt32BE(checksum(head[4], payload), 9)
  return Buffer.concat([head, payload])
}

/** Reads what can be read: a damaged frame costs itself alone, the search goes on at the next magic. */
export function scanFrames(bytes: Buffer): Scan {
  const frames: Frame[] = []
  let damaged = 0
  let end = 0
  for (let at = bytes.indexOf(MAGIC); at >= 0; at = bytes.indexOf(MAGIC, at)) {
    const read = frameAt(bytes, at)
    if (read === undefined) {
      at += 1
      continue
    }
    if (at > end) damaged += 1
    frames.push(read.frame)
    end = read.next
    at = read.next
  }
  return { frames, end, damaged, torn: bytes.subarray(end).some((byte) => byte !== 0) }
}

function frameAt(bytes: Buffer, at: number): { frame: Frame; next: number } | undefined {
  if (at + HEAD > bytes.length) return undefined
  const kind = bytes[at + 4] ?? 0
  const next = at + HEAD + bytes.readUInt32BE(at + 5)
  if ((kind !== ANSWER && kind !== SETTLED) || next > bytes.length) return undefined
  const payload = bytes.subarray(at + HEAD, next)
  if (checksum(kind, payload) !== bytes.readUInt32BE(at + 9)) return undefined
  const intent = readPrefixed(payload, 0)
  const organization = intent === undefined ? undefined : readPrefixed(payload, intent.next)
  if (intent === undefined || organization === undefined) return undefined
  const frame: Frame = {
    kind: kind === ANSWER ? 'answer' : 'settled',
    intent: intent.text,
    organization: organization.text,
    sealed: payload.subarray(organization.next),
  }
  return { frame, next }
}

function checksum(kind: number, payload: Uint8Array): number {
  return crc32(payload, kind)
}

function prefixed(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function readPrefixed(bytes: Buffer, at: number): { text: string; next: number } | undefined {
  if (at + 2 > bytes.length) return undefined
  const next = at + 2 + bytes.readUInt16BE(at)
  return next > bytes.length ? undefined : { text: bytes.toString('utf8', at + 2, next), next }
}
