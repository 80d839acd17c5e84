import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Clock, Timers } from '../core/time.ts'
import { Probers } from './probers.ts'

/** Nobody asked for so long after whoever shares out requests was told: what it had sent before has come. */
const QUIET_MS = 250
/** For those who share out requests and never ask whether a node is ready. */
const PATIENCE_MS = 5_000
const LOOK_MS = 25
const PROBES = '/health/'
const READINESS = '/health/ready'

/**
 * How a node goes without cutting anybody off. From `begin` on it says that it is not ready, and ends each connection with its next answer, so that
 * nobody writes into one that is being closed; it serves until it is not asked any more, and until those who ask regularly whether it is ready have heard that it is not.
 */
export class Leaving {
  begun = false
  readonly #clock: Pick<Clock, 'mono'>
  readonly #timers: Timers
  #askedAt = Number.NEGATIVE_INFINITY
  #begunAt = Number.POSITIVE_INFINITY
  readonly #probers = new Probers()
  readonly #responses = new Set<ServerResponse>()

  constructor(ports: { readonly clock: Pick<Clock, 'mono'>; readonly timers: Timers }) {
    this.#clock = ports.clock
    this.#timers = ports.timers
  }

  /** Before any other listener of the server: lanes beside the router are watched, too. */
  watch(server: Pick<Server, 'prependListener'>): void {
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      if (this.begun) response.shouldKeepAlive = false
      if (request.url?.startsWith(PROBES) === true) return this.#probed(request)
      this.#askedAt = this.#clock.mono()
      this.#responses.add(response)
      response.once('close', () => this.#responses.delete(response))
    })
  }

  /**
   * Resolves when every regular prober was told, nobody has asked for a quarter of a second and every answer has begun; after five seconds in any case.
   * What is long, a stream of events or a file of a provider, is the closing server's to end.
   */
  async begin(): Promise<void> {
    this.begun = true
    this.#begunAt = this.#clock.mono()
    const end = this.#begunAt + PATIENCE_MS
    while (this.#clock.mono() < end && this.#isNeeded(this.#clock.mono())) await this.#timers.sleep(LOOK_MS)
  }

  /** A quiet moment alone says nothing: on a calm day requests are further apart than that. */
  #isNeeded(now: number): boolean {
    return this.#waited() || this.#probers.unaware(this.#begunAt, now) || now - this.#askedAt < QUIET_MS
  }

  #probed({ url, socket }: IncomingMessage): void {
    if (url?.startsWith(READINESS) !== true) return
    const now = this.#clock.mono()
    const before = this.#probers.asked(socket.remoteAddress ?? '', now)
    // Told just now: what it sent here before may be on its way.
    if (before !== null && before < this.#begunAt && now >= this.#begunAt) this.#askedAt = now
  }

  #waited(): boolean {
    for (const { headersSent } of this.#responses) if (!headersSent) return true
    return false
  }
}
