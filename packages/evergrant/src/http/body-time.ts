import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Timers } from '../core/time.ts'

/** A body that is not here by then is somebody's trouble, or somebody's trick (slow bodies hold sockets). */
const BODY_MS = 120_000

/**
 * How long a request may take to arrive. Node's own limit knows no exception, and an upload through the proxy is one: while
 * it is handed on, silence ends it (60 s), not its length.
 */
export class BodyTime {
  readonly #timers: Pick<Timers, 'after'>
  readonly #late: (socket: IncomingMessage['socket']) => void
  readonly #cancels = new WeakMap<IncomingMessage, () => void>()

  constructor(timers: Pick<Timers, 'after'>, late: (socket: IncomingMessage['socket']) => void) {
    this.#timers = timers
    this.#late = late
  }

  limit(request: IncomingMessage): void {
    // A request that was handed in without a socket holds none, and nobody closes it.
    if (request.complete || !hasBody(request) || !(request.socket instanceof Socket)) return
    const cancel = this.#timers.after(BODY_MS, () => {
      if (!request.complete) this.#late(request.socket)
    })
    this.#cancels.set(request, cancel)
    request.once('end', cancel).once('close', cancel)
  }

  /** Until the answer is finished; what has not come by then is limited again. */
  lift(request: IncomingMessage, response: ServerResponse): void {
    this.#cancels.get(request)?.()
    response.once('finish', () => this.limit(request))
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? '0') > 0
}
