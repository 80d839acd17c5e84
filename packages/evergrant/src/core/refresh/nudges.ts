import type { ConnectionId } from '../ids.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { Flights } from './flights.ts'

/** Background renewal of one cached token is offered at most this often. */
const EVERY_MS = 1_000
/** When so many were nudged lately, the list begins anew: at worst a renewal is offered twice. */
const KEPT_MOST = 10_000

/** Renewals in the background that a read of a token offers, when the token in hand is due. */
export class Nudges {
  readonly #world: Pick<EngineWorld, 'clock' | 'log' | 'draining'>
  readonly #flights: Flights
  /** Monotonic. */
  readonly #at = new Map<ConnectionId, number>()

  constructor(world: Pick<EngineWorld, 'clock' | 'log' | 'draining'>, flights: Flights) {
    this.#world = world
    this.#flights = flights
  }

  /** Its failure stays invisible. */
  nudge(connection: ConnectionId): void {
    const now = this.#world.clock.mono()
    const last = this.#at.get(connection) ?? Number.NEGATIVE_INFINITY
    if (this.#world.draining() || now - last < EVERY_MS || this.#flights.has(connection)) return
    if (this.#at.size > KEPT_MOST) this.#at.clear()
    this.#at.set(connection, now)
    const flight = this.#flights.fly(connection, { kind: 'read', minTtlMs: 0, rejectedGeneration: null }, false)
    flight.catch((error: unknown) => this.#world.log.warn({ connection, error: String(error) }, 'a background renewal did not run'))
  }
}
