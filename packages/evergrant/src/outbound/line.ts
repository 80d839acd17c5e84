import type { Socket } from 'node:net'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { NotSent, type ProviderAnswer, type ProviderRequest, type WireOutcome } from '../core/provider/wire.ts'
import type { Timers } from '../core/time.ts'
import { createAnswerReader, type ReadAnswer, type ReadState } from './http1-answer.ts'
import { encodeRequest } from './http1-request.ts'

export interface LineOptions {
  readonly timers: Timers
  /** Longest body kept, in bytes. */
  readonly maxBody: number
  /** Takes the socket back when it may carry another request; null: one request, then the socket is closed. */
  readonly giveBack: ((socket: Socket) => void) | null
}

/** After the deadline: turns of the poll phase, then this long, before the socket is given up. */
const LATE_TURNS = 4
const LATE_LOOK_MS = 50
/** An answer that has begun at the deadline gets this long to end: it carries a token that exists nowhere else. */
const BEGUN_MS = 5_000

/**
 * Sends one request over a connected socket and reads its answer. Writes before it returns; never rejects.
 *
 * No `AbortSignal`: when the process was stalled, a timer fires before the poll phase has read what the kernel already
 * holds, and aborting there throws an answer away. So the socket is read once more before it is given up.
 */
export function exchange(socket: Socket, request: ProviderRequest, url: URL, deadlineMs: number, options: LineOptions): Promise<WireOutcome> {
  return new Promise((resolve) => {
    const reader = createAnswerReader(options.maxBody)
    let begun = false
    let done = false
    let cancelTimer = (): void => {}

    const finish = (outcome: WireOutcome, reusable: boolean): void => {
      if (done) return
      done = true
      cancelTimer()
      socket.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError)
      if (reusable && options.giveBack !== null) options.giveBack(socket)
      else discard(socket)
      resolve(outcome)
    }
    const fail = (cause: string): void => finish({ kind: 'no_answer', cause }, false)
    const take = (state: ReadState): void => {
      if (state.kind === 'broken') fail(state.cause)
      else if (state.kind === 'whole') finish(answered(state.answer, options.maxBody), state.reusable)
    }
    const onData = (chunk: Buffer): void => {
      begun = true
      take(reader.push(chunk))
    }
    const onEnd = (): void => take(reader.end())
    const onClose = (): void => fail(begun ? 'truncated' : 'closed_without_answer')
    const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? 'socket_error')

    const bytes = encodeOrNull(request, url, options.giveBack !== null)
    if (bytes === null || !isUsable(socket)) {
      discard(socket)
      resolve({ kind: 'not_sent', cause: bytes === null ? 'invalid_request' : 'closed_before_send' })
      return
    }
    socket.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError)
    socket.write(bytes)
    cancelTimer = options.timers.after(deadlineMs, () => {
      lookOnceMore(options.timers, () => {
        if (done) return
        if (begun) cancelTimer = options.timers.after(BEGUN_MS, () => fail('truncated'))
        else fail('timeout')
      })
    })
  })
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

function encodeOrNull(request: ProviderRequest, url: URL, keepAlive: boolean): Buffer | null {
  try {
    return encodeRequest(request, url, keepAlive)
  } catch (error) {
    if (error instanceof NotSent) return null
    throw error
  }
}

export function isUsable(socket: Socket): boolean {
  return !socket.destroyed && socket.writable && !socket.readableEnded
}

/** A late error of a socket that nobody listens to would end the process. */
export function discard(socket: Socket): void {
  socket.on('error', () => {})
  socket.destroy()
}

function answered(answer: ReadAnswer, maxBody: number): WireOutcome {
  const body = decoded(answer, maxBody)
  if (body === null) return { kind: 'no_answer', cause: 'malformed' }
  const result: ProviderAnswer = { status: answer.status, headers: answer.headers, body: new Uint8Array(body), text: body.toString('utf8') }
  return { kind: 'answered', answer: result }
}

/** We ask for `identity`; some servers compress all the same. Null when it does not decompress within the limit. */
function decoded({ headers, body }: ReadAnswer, maxBody: number): Buffer | null {
  const coding = headers['content-encoding']?.toLowerCase() ?? 'identity'
  const limit = { maxOutputLength: maxBody }
  try {
    if (coding === 'identity' || coding === '' || body.length === 0) return body
    if (coding === 'gzip' || coding === 'x-gzip') return gunzipSync(body, limit)
    if (coding === 'br') return brotliDecompressSync(body, limit)
    return coding === 'deflate' ? inflateSync(body, limit) : null
  } catch {
    return null
  }
}
