import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Clock, Timers } from '../core/time.ts'

/** Nobody asked for so long: whoever shares out requests has noticed. */
const QUIET_MS = 250
/** For those who share out requests and never ask whether a node is ready. */
const PATIENCE_MS = 5_000
const LOOK_MS = 25
const PROBES = '/health/'

/**
 * How a node goes without cutting anybody off. From `begin` on it says that it is not ready, and ends each connection with its next answer, so that
 * nobody writes into one that is being closed; it serves until it is not asked any more.
 */
export class Leaving {
  begun = false
  readonly #clock: Pick<Clock, 'mono'>
  readonly #timers: Timers
  #askedAt = Number.NEGATIVE_INFINITY
  readonly #responses = new Set<ServerResponse>()

  constructor(ports: { readonly clock: Pick<Clock, 'mono'>; readonly timers: Timers }) {
    this.#clock = ports.clock
    this.#timers = ports.timers
  }

  /** Before any other listener of the server: lanes beside the router are watched, too. */
  watch(server: Pick<Server, 'prependListener'>): void {
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      if (this.begun) response.shouldKeepAlive = false
      if (request.url?.startsWith(PROBES) === true) return
      this.#askedAt = this.#clock.mono()
      this.#responses.add(response)
      response.once('close', () => this.#responses.delete(response))
    })
  }

  /**
   * Resolves when nobody has asked for a quarter of a second and every answer has begun; after five seconds in any case. What is long, a stream of
   * events or a file of a provider, is the closing server's to end.
   */
  async begin(): Promise<void> {
    this.begun = true
    const end = this.#clock.mono() + PATIENCE_MS
    while (this.#clock.mono() < end && (this.#waited() || this.#clock.mono() - this.#askedAt < QUIET_MS)) await this.#timers.sleep(LOOK_MS)
  }

  #waited(): boolean {
    for (const { headersSent } of this.#responses) if (!headersSent) return true
    return false
  }
}
