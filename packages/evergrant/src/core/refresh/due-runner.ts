import { FAULTS } from '../fault/table.ts'
import type { Instant } from '../time.ts'
import type { DueConnection, GrantRow } from './credentials.ts'
import { dueAfter } from './due.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { Flights } from './flights.ts'
import type { GrantContext } from './grant-contexts.ts'
import { recordEnd } from './grant-end.ts'
import { suspicionOf } from './plan.ts'

/** Hides a taken connection from other nodes; a node that dies gives it back this way. */
const VISIBILITY_MS = 60_000

/** Runs what is due through the same flights as everybody else. Never more under way than the node's share. */
export class DueRunner {
  readonly #world: EngineWorld
  readonly #flights: Flights
  readonly #waiting: (() => void)[] = []
  #underWay = 0

  constructor(world: EngineWorld, flights: Flights) {
    this.#world = world
    this.#flights = flights
  }

  /** Waits until half the node's share is free, takes as many as there is room for and starts them. Returns how many: 0 means that nothing is due. */
  async run(): Promise<number> {
    await this.#halfFree()
    if (this.#world.draining() || this.#world.liveness.refusal() !== null) return 0
    const room = this.#world.options.backgroundFlights - this.#underWay
    this.#underWay += room
    let taken: readonly DueConnection[] = []
    try {
      taken = await this.#world.credentials.takeDue(room, VISIBILITY_MS)
    } finally {
      this.#underWay -= room - taken.length
    }
    for (const due of taken) void this.#one(due)
    return taken.length
  }

  /** Few large helpings cost the database less than many small ones. */
  #halfFree(): Promise<void> {
    if (this.#isHalfFree()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #isHalfFree(): boolean {
    return this.#underWay * 2 <= this.#world.options.backgroundFlights
  }

  #end(): void {
    this.#underWay -= 1
    if (this.#isHalfFree()) for (const resume of this.#waiting.splice(0)) resume()
  }

  async #one(due: DueConnection): Promise<void> {
    const { credentials, contexts, log, clock } = this.#world
    try {
      const row = await credentials.read(due.connection)
      if (row === undefined || row.connection.state !== 'active') return
      const context = await contexts.of(row.connection.integration)
      const later = notYet(row, context, Math.max(clock.wall(), due.dueAt))
      if (later !== undefined) return await credentials.reschedule(due.connection, later)
      const result = await this.#flights.fly(due.connection, { kind: 'due' }, false, row)
      if (result.kind === 'planned' && result.plan.kind === 'reconnect') await recordEnd(this.#world, result.row, result.plan.code, false)
      const retryAt =
        result.kind === 'planned' && result.plan.kind === 'wait'
          ? result.plan.code === 'deaths_held'
            ? null
            : result.plan.until
          : result.kind === 'failed' && result.fault === null
            ? notBefore(result.retryAt, FAULTS[result.code].class === 'local' ? clock.wall() + VISIBILITY_MS : 0)
            : undefined
      if (retryAt !== undefined) await credentials.reschedule(due.connection, jittered(this.#world, retryAt))
    } catch (error) {
      log.warn({ connection: due.connection, error: String(error) }, 'a due connection was not renewed; it comes up again')
    } finally {
      this.#end()
    }
  }
}

/** What is wrong with this server is wrong for all that is due: a look a minute finds out soon enough that it is mended. */
function notBefore(retryAt: Instant | null, floor: Instant): Instant | null {
  return retryAt === null ? null : Math.max(retryAt, floor)
}

/** Spreads those who were all turned away at once, so that they do not all come back at once. */
function jittered(world: EngineWorld, retryAt: Instant | null): Instant | null {
  return retryAt === null ? null : retryAt + Math.round(world.entropy.uniform() * world.times.breakerBaseMs)
}

/** Interest has faded, or a write moved the credential on: a later due time, or undefined when it is due indeed. */
function notYet(row: GrantRow, context: GrantContext, now: Instant): Instant | null | undefined {
  const { credential, health, connection } = row
  if (suspicionOf(row, now) !== null || health.failures > 0) return undefined
  if (credential.refreshToken === null) return undefined
  const { lastReadAt, consentedAt, createdAt } = connection
  const dueAt = dueAfter({
    credential,
    settings: context.integration.settings,
    lifetimes: context.record.lifetimes,
    reuse: context.reuse,
    lastReadAt: Math.max(lastReadAt ?? 0, consentedAt ?? 0, createdAt),
    now,
  })
  return dueAt === null || dueAt > now ? dueAt : undefined
}
