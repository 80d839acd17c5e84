/** Reads one HTTP/1.1 answer (RFC 9112) from the bytes of a socket. Knows no socket, so that any split of the bytes can be tested. */
export interface AnswerReader {
  /** Takes the next bytes of the connection. */
  push(chunk: Uint8Array): ReadState
  /** The provider closed its side in an orderly way. */
  end(): ReadState
}

export type ReadState =
  | { readonly kind: 'more' }
  /** `reusable`: the connection may carry another request (RFC 9112 section 9.3). */
  | { readonly kind: 'whole'; readonly answer: ReadAnswer; readonly reusable: boolean }
  /** `malformed`, `truncated` or `answer_too_large`. */
  | { readonly kind: 'broken'; readonly cause: string }

export interface ReadAnswer {
  readonly status: number
  /** Lower-case names; repeated fields joined with a comma. */
  readonly headers: Record<string, string>
  readonly body: Buffer
}

const HEAD_LIMIT = 32 * 1024
const CHUNK_LINE_LIMIT = 1_024
const MORE: ReadState = { kind: 'more' }

interface Head {
  readonly status: number
  readonly headers: Record<string, string>
  readonly persistent: boolean
}

type Framing = { readonly kind: 'length'; readonly length: number } | { readonly kind: 'chunked' } | { readonly kind: 'close' }

/** An error answer (4xx, 5xx) longer than `maxBody` is cut: it says enough. A success is not: without its end it is no answer. */
export function createAnswerReader(maxBody: number): AnswerReader {
  let pending: Buffer = Buffer.alloc(0)
  let head: Head | undefined
  let framing: Framing | undefined
  let result: ReadState = MORE

  const finish = (body: Buffer, rest: Buffer): ReadState => {
    if (head === undefined) return broken('malformed')
    const reusable = head.persistent && rest.length === 0 && framing?.kind !== 'close'
    return { kind: 'whole', answer: { status: head.status, headers: head.headers, body }, reusable }
  }

  const tooLarge = (read: Buffer): ReadState => {
    if (head === undefined || head.status < 400) return broken('answer_too_large')
    return { kind: 'whole', answer: { status: head.status, headers: head.headers, body: read.subarray(0, maxBody) }, reusable: false }
  }

  const readBody = (): ReadState => {
    if (framing?.kind === 'length') {
      if (framing.length > maxBody) return pending.length < maxBody ? MORE : tooLarge(pending)
      return pending.length < framing.length ? MORE : finish(pending.subarray(0, framing.length), pending.subarray(framing.length))
    }
    if (framing?.kind === 'chunked') {
      const read = readChunks(pending, maxBody)
      if (read === undefined) return pending.length > maxBody * 8 + HEAD_LIMIT ? broken('malformed') : MORE
      if (read === 'malformed') return broken('malformed')
      return read.whole ? finish(read.body, read.rest) : tooLarge(read.body)
    }
    return pending.length > maxBody ? tooLarge(pending) : MORE
  }

  const step = (): ReadState => {
    while (head === undefined) {
      const end = pending.indexOf('\r\n\r\n')
      if (end < 0) return pending.length > HEAD_LIMIT ? broken('malformed') : MORE
      const parsed = end > HEAD_LIMIT ? undefined : parseHead(pending.toString('latin1', 0, end))
      if (parsed === undefined || parsed.status === 101) return broken('malformed')
      pending = pending.subarray(end + 4)
      if (parsed.status < 200) continue
      head = parsed
      framing = framingOf(parsed)
      if (framing === undefined) return broken('malformed')
    }
    return readBody()
  }

  return {
    push: (chunk) => {
      if (result.kind !== 'more') return result
      pending = pending.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([pending, chunk])
      result = step()
      return result
    },
    end: () => {
      if (result.kind !== 'more') return result
      result =
        head !== undefined && framing?.kind === 'close'
          ? finish(pending, Buffer.alloc(0))
          : broken(head === undefined && pending.length === 0 ? 'closed_without_answer' : 'truncated')
      return result
    },
  }
}

function broken(cause: string): ReadState {
  return { kind: 'broken', cause }
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?$/
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function parseHead(text: string): Head | undefined {
  const lines = text.split('\r\n')
  const status = STATUS_LINE.exec(lines[0] ?? '')
  if (status === null) return undefined
  const headers: Record<string, string> = {}
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon))
    if (!FIELD_NAME.test(name)) return undefined
    const key = name.toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
  }
  return { status: Number(status[2]), headers, persistent: isPersistent(status[1] === '1', headers.connection) }
}

function isPersistent(http11: boolean, connection: string | undefined): boolean {
  const options = (connection ?? '').toLowerCase().split(/\s*,\s*/)
  return http11 ? !options.includes('close') : options.includes('keep-alive')
}

/** RFC 9112 section 6.3. Undefined: the framing contradicts itself, so the end of the answer cannot be known. */
function framingOf(head: Head): Framing | undefined {
  const transfer = head.headers['transfer-encoding']
  const length = head.headers['content-length']
  if (head.status === 204 || head.status === 304) return { kind: 'length', length: 0 }
  if (transfer !== undefined) {
    if (length !== undefined) return undefined
    return transfer.toLowerCase() === 'chunked' ? { kind: 'chunked' } : undefined
  }
  if (length === undefined) return { kind: 'close' }
  const lengths = new Set(length.split(/\s*,\s*/))
  const [only] = lengths
  if (lengths.size !== 1 || only === undefined || !/^\d{1,15}$/.test(only)) return undefined
  return { kind: 'length', length: Number(only) }
}

interface ReadChunks {
  readonly whole: boolean
  readonly body: Buffer
  readonly rest: Buffer
}

/** Undefined: not all chunks are here yet. */
function readChunks(bytes: Buffer, maxBody: number): ReadChunks | 'malformed' | undefined {
  const parts: Buffer[] = []
  let size = 0
  let at = 0
  for (;;) {
    const line = lineAt(bytes, at)
    if (line === undefined || line === 'malformed') return line
    const length = /^([0-9a-f]{1,8})\s*(?:;.*)?$/i.exec(line.text)?.[1]
    if (length === undefined) return 'malformed'
    const count = Number.parseInt(length, 16)
    if (count === 0) return readTrailers(bytes, line.next, parts)
    const available = bytes.subarray(line.next, line.next + count)
    parts.push(available)
    size += available.length
    if (size > maxBody) return { whole: false, body: Buffer.concat(parts), rest: bytes }
    if (bytes.length < line.next + count + 2) return undefined
    if (bytes[line.next + count] !== 0x0d || bytes[line.next + count + 1] !== 0x0a) return 'malformed'
    at = line.next + count + 2
  }
}

function readTrailers(bytes: Buffer, start: number, parts: Buffer[]): ReadChunks | 'malformed' | undefined {
  let at = start
  for (;;) {
    const line = lineAt(bytes, at)
    if (line === undefined || line === 'malformed') return line
    at = line.next
    if (line.text === '') return { whole: true, body: parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts), rest: bytes.subarray(at) }
  }
}

function lineAt(bytes: Buffer, start: number): { text: string; next: number } | 'malformed' | undefined {
  const end = bytes.indexOf('\r\n', start)
  if (end < 0) return bytes.length - start > CHUNK_LINE_LIMIT ? 'malformed' : undefined
  return end - start > CHUNK_LINE_LIMIT ? 'malformed' : { text: bytes.toString('latin1', start, end), next: end + 2 }
}
