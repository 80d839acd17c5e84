import { SECOND } from '../time.ts'
import { endHeld, settlementOf } from './death-watch.ts'
import type { HeldProbe, UnsettledDeath } from './deaths.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { Flights } from './flights.ts'
import { probeSecret } from './refused-secret.ts'
import { releaseDeaths } from './release-deaths.ts'

const EVERY_MS = 5 * SECOND
const SETTLE_BATCH = 200
const SETTLE_AT_ONCE = 16

/** Carries out what the death watch decided, and gives held grants their turns. Any node may; the database says who. */
export class DeathRunner {
  readonly #world: EngineWorld
  readonly #flights: Flights
  #ranAt = Number.NEGATIVE_INFINITY
  #running = false

  constructor(world: EngineWorld, flights: Flights) {
    this.#world = world
    this.#flights = flights
  }

  /** Often called, seldom run. */
  async run(): Promise<void> {
    const { clock, log } = this.#world
    if (this.#running || clock.mono() - this.#ranAt < EVERY_MS) return
    this.#running = true
    this.#ranAt = clock.mono()
    try {
      await this.#settleAll()
      for (const turn of await this.#world.credentials.takeHeldProbes(this.#world.times.heldProbeMs)) await this.#probe(turn)
    } catch (error) {
      log.warn({ error: String(error) }, 'held ends were not looked after; they will be')
    } finally {
      this.#running = false
    }
  }

  async #settleAll(): Promise<void> {
    for (let some = SETTLE_BATCH; some === SETTLE_BATCH && !this.#world.draining(); ) {
      const unsettled = await this.#world.credentials.unsettledDeaths(SETTLE_BATCH)
      for (let at = 0; at < unsettled.length; at += SETTLE_AT_ONCE) {
        await Promise.all(unsettled.slice(at, at + SETTLE_AT_ONCE).map((death) => this.#settle(death)))
      }
      some = unsettled.length
    }
  }

  #settle(death: UnsettledDeath): Promise<void> {
    // What goes back to work does so in order and paced, like any backlog.
    if (death.action === 'release') this.#world.backlogs.released(death.integration, this.#world.clock.mono())
    return this.#world.credentials.settleDeath(settlementOf(death, this.#world.clock.wall(), this.#world.entropy))
  }

  async #probe({ connection, integration, organization }: HeldProbe): Promise<void> {
    if (connection === null) return releaseDeaths(this.#world, { integration, organization }, 'none_left')
    const result = await this.#flights.fly(connection, { kind: 'held_probe' }, false)
    if (result.kind !== 'planned' || result.plan.kind !== 'fresh' || !endHeld(result.row)) return
    // Nothing renews it: a static secret is asked about in another way.
    const refusal = await probeSecret(this.#world, result.row, result.context)
    if (refusal?.kind === 'works') await releaseDeaths(this.#world, result.row.connection, 'probe_succeeded')
  }
}
