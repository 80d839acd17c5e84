import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import type { ProviderRequest, WireOutcome } from '../core/provider/wire.ts'
import type { Timers } from '../core/time.ts'
import { fieldsOf } from './request-fields.ts'

// An import of values would make Node load its own fetch as well: a thirtieth of a start, for what a server never uses.
const { request: httpRequest } = process.getBuiltinModule('node:http')

interface LineOptions {
  readonly timers: Timers
  /** Longest body kept, in bytes. */
  readonly maxBody: number
  /** Leaves the socket open for another request where the answer allows it; otherwise it is closed after this one. */
  readonly keep: boolean
}

/** After the deadline: turns of the poll phase, then this long, before the socket is given up. */
const LATE_TURNS = 4
const LATE_LOOK_MS = 50
/** An answer that has begun at the deadline gets this long to end: it carries a token that exists nowhere else. */
const BEGUN_MS = 5_000
const MAX_HEAD = 32 * 1024

/**
 * Sends one request over a connected socket and reads its answer. Writes in the same turn of the event loop; never rejects.
 *
 * No `AbortSignal`: when the process was stalled, a timer fires before the poll phase has read what the kernel already
 * holds, and aborting there throws an answer away. So the socket is read once more before it is given up.
 */
export function exchange(socket: Socket, request: ProviderRequest, url: URL, deadlineMs: number, options: LineOptions): Promise<WireOutcome> {
  const sent = isUsable(socket) ? requestOver(socket, request, url, options.keep) : 'closed_before_send'
  if (typeof sent === 'string') {
    discard(socket)
    return Promise.resolve({ kind: 'not_sent', cause: sent })
  }
  return outcomeOf(sent, deadlineMs, options).finally(() => {
    // An answer that came before the request was out leaves a connection that nobody can use.
    if (!options.keep || !sent.writableFinished) discard(socket)
  })
}

/** Node checks names and values before the first byte leaves, and writes on the next tick: no phase of the event loop lies between. */
function requestOver(socket: Socket, request: ProviderRequest, url: URL, keep: boolean): ClientRequest | 'invalid_request' {
  try {
    const { hostname, port, pathname, search } = url
    const fields = fieldsOf(request, url, keep)
    // A list is written at once, and before Node has decided to close; an object is read when the request is, and may say otherwise.
    const headers = keep ? fields : Object.entries(fields).flat()
    const over = { createConnection: () => socket }
    const where = { host: hostname, port, method: request.method, path: `${pathname}${search}` }
    const outgoing = httpRequest({ ...where, headers, ...over, maxHeaderSize: MAX_HEAD, insecureHTTPParser: false })
    // The bytes of the body in the encoding of the head: Node then joins the two into one write.
    if (request.body === null) outgoing.end()
    else outgoing.end(Buffer.from(request.body, 'utf8').toString('latin1'), 'latin1')
    return outgoing
  } catch {
    return 'invalid_request'
  }
}

function outcomeOf(outgoing: ClientRequest, deadlineMs: number, { timers, maxBody }: LineOptions): Promise<WireOutcome> {
  return new Promise((resolve) => {
    let incoming: IncomingMessage | undefined
    let begun = false
    let done = false
    const finish = (outcome: WireOutcome): void => {
      if (done) return
      done = true
      cancelTimer()
      if (outcome.kind !== 'answered' || incoming?.complete !== true) outgoing.destroy()
      resolve(outcome)
    }
    const fail = (cause: string): void => finish({ kind: 'no_answer', cause })
    const onError = (error: NodeJS.ErrnoException): void => {
      // Bytes after a whole answer end the connection, not the answer.
      if (incoming?.complete !== true) fail(causeOf(error, begun))
    }
    let cancelTimer = timers.after(deadlineMs, () => {
      lookOnceMore(timers, () => {
        if (done) return
        if (begun) cancelTimer = timers.after(BEGUN_MS, () => fail('truncated'))
        else fail('timeout')
      })
    })
    outgoing.on('error', onError)
    outgoing.once('socket', (socket) => {
      socket.once('data', () => {
        begun = true
      })
    })
    outgoing.once('response', (answer) => {
      incoming = answer
      answer.on('error', onError)
      readBody(answer, maxBody, finish)
    })
  })
}

/** An error answer (4xx, 5xx) longer than `maxBody` is cut: it says enough. A success is not: without its end it is no answer. */
function readBody(answer: IncomingMessage, maxBody: number, finish: (outcome: WireOutcome) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  answer.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size <= maxBody) return
    if ((answer.statusCode ?? 0) < 400) finish({ kind: 'no_answer', cause: 'answer_too_large' })
    else finish(answered(answer, Buffer.concat(chunks).subarray(0, maxBody), maxBody))
  })
  answer.once('end', () => finish(answered(answer, Buffer.concat(chunks, size), maxBody)))
}

/** Errors of the parser have codes of their own; errors of the system carry `errno`; the rest says that the provider closed its side. */
function causeOf(error: NodeJS.ErrnoException, begun: boolean): string {
  if (error.code?.startsWith('HPE_')) return 'malformed'
  if (error.errno !== undefined) return error.code ?? 'socket_error'
  return begun ? 'truncated' : 'closed_without_answer'
}

/** Lets the event loop read the socket before `then` decides: a few turns, a short wait, and the turn after it. */
function lookOnceMore(timers: Timers, then: () => void): void {
  let turns = LATE_TURNS
  const turn = (): void => {
    turns -= 1
    if (turns > 0) setImmediate(turn)
    else timers.after(LATE_LOOK_MS, () => setImmediate(() => setImmediate(then)))
  }
  setImmediate(turn)
}

/** Bytes that came before the request are no answer to it. */
export function isUsable(socket: Socket): boolean {
  return !socket.destroyed && socket.writable && !socket.readableEnded && socket.readableLength === 0
}

/** A late error of a socket that nobody listens to would end the process. */
export function discard(socket: Socket): void {
  socket.on('error', () => {})
  socket.destroy()
}

function answered(answer: IncomingMessage, raw: Buffer, maxBody: number): WireOutcome {
  const headers: Record<string, string> = {}
  // Only `set-cookie` comes as a list, and its dates have commas.
  for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join('\n')
  const body = decoded(headers, raw, maxBody)
  const status = answer.statusCode ?? 0
  if (body === null || status < 200) return { kind: 'no_answer', cause: 'malformed' }
  return { kind: 'answered', answer: { status, headers, body: new Uint8Array(body), text: body.toString('utf8') } }
}

/** We ask for `identity`; some servers compress all the same. Null when it does not decompress within the limit. */
function decoded(headers: Readonly<Record<string, string>>, body: Buffer, maxBody: number): Buffer | null {
  const coding = headers['content-encoding']?.toLowerCase() ?? 'identity'
  const limit = { maxOutputLength: maxBody }
  try {
    if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked') return null
    if (coding === 'identity' || coding === '' || body.length === 0) return body
    if (coding === 'gzip' || coding === 'x-gzip') return gunzipSync(body, limit)
    if (coding === 'br') return brotliDecompressSync(body, limit)
    return coding === 'deflate' ? inflateSync(body, limit) : null
  } catch {
    return null
  }
}
