import { FAULTS } from '../fault/table.ts'
import type { IntegrationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { DueConnection, GrantRow, Parking } from './credentials.ts'
import { dueAfter } from './due.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { Flights } from './flights.ts'
import type { GrantContext } from './grant-contexts.ts'
import { recordEnd } from './grant-end.ts'
import { isCrowded } from './line-length.ts'
import { suspicionOf } from './plan.ts'

/** Hides a taken connection from other nodes; a node that dies gives it back this way. */
const VISIBILITY_MS = 60_000
const DISCOVER_EVERY_MS = 30_000
/** A line that is long for this long is long. A process that stood still sees its own pause once. */
const CROWDED_MS = 1_000

/** How long the next look at the queue is put off at most. */
const AT_MOST_MS = 1_000

/** Answers how many places are free for one integration, and how many make it worth asking the database. */
interface Places {
  readonly free: () => number
  readonly worth: number
}

/** Runs what is due through the same flights as everybody else. Never more under way than the node's share. */
export class DueRunner {
  readonly #world: EngineWorld
  readonly #flights: Flights
  /** Who waits for something to end. */
  readonly #ends = new Set<() => void>()
  /** How many are under way. */
  readonly #shares = new Map<IntegrationId, number>()
  readonly #crowdedSince = new Map<IntegrationId, number>()
  readonly #blocked = new Set<IntegrationId>()
  #discoveredAt = Number.NEGATIVE_INFINITY
  #underWay = 0

  constructor(world: EngineWorld, flights: Flights) {
    this.#world = world
    this.#flights = flights
  }

  /** Waits until half the node's share is free, or a moment; takes as many as there is room for and starts them. Returns how many: 0 means that nothing is due. */
  async run(): Promise<number> {
    await this.#until(() => this.#isHalfFree())
    if (this.#world.draining() || this.#world.liveness.refusal() !== null) return 0
    await this.#discover()
    await this.#bulkhead()
    const parking = await this.#parking()
    const due = await this.#take((room) => this.#world.credentials.takeDue(room, VISIBILITY_MS, parking))
    const { released, crowded } = await this.#release()
    if (due + released > 0 || crowded.length === 0) return due + released
    await this.#until(() => crowded.some(({ free, worth }) => free() >= worth))
    return 1
  }

  #parking(): Promise<readonly Parking[]> {
    const { backlogs, contexts } = this.#world
    const place = (integration: IntegrationId) =>
      contexts.of(integration).then(
        ({ reuse }) => ({ integration, windowMs: reuse.class === 'P1' ? reuse.windowMs : 0 }),
        () => ({ integration, windowMs: 0 }),
      )
    return Promise.all([...backlogs.integrations].map(place))
  }

  async #take(take: (room: number) => Promise<readonly DueConnection[]>): Promise<number> {
    const room = this.#world.options.backgroundFlights - this.#underWay
    if (room <= 0) return 0
    this.#underWay += room
    let started: readonly DueConnection[] = []
    let count = 0
    try {
      const taken = await take(room)
      started = taken.filter((due) => !due.parked)
      count = taken.length
    } finally {
      this.#underWay -= room - started.length
    }
    for (const due of started) void this.#one(due)
    return count
  }

  /** Parked connections may start, each integration's in its order, at its pace, and only where they need not queue for long. */
  async #release(): Promise<{ readonly released: number; readonly crowded: readonly Places[] }> {
    const { backlogs, clock, credentials } = this.#world
    let released = 0
    const crowded: Places[] = []
    for (const id of backlogs.integrations) {
      await this.#reopenIfMended(id)
      const allowed = backlogs.allowance(id, clock.mono())
      if (allowed <= 0) continue
      const places = this.#places(id, await this.#concurrency(id), allowed === Number.POSITIVE_INFINITY)
      const free = places.free()
      if (free < allowed) crowded.push(places)
      if (free <= 0) continue
      released += await this.#take(async (room) => {
        const wanted = Math.min(room, allowed, free)
        const { taken, found } = await credentials.takeParked(id, wanted, VISIBILITY_MS)
        if (found < wanted) backlogs.emptied(id, clock.mono())
        return taken
      })
    }
    return { released, crowded }
  }

  /** Half of the node's share is for others. Where nothing holds the line back, a few stand ready for the places that become free. */
  #places(id: IntegrationId, limit: number, unpaced: boolean): Places {
    const { admission, exchanges, options, times } = this.#world
    const half = Math.max(1, Math.floor(options.backgroundFlights / 2))
    const soon = Math.floor((limit * times.placePatienceMs) / 2 / Math.max(1, exchanges.typicalMs(id, limit)))
    const line = unpaced ? limit + Math.min(Math.ceil(limit / 2), soon) : limit
    const free = () => Math.min(line - admission.load(id), half - (this.#shares.get(id) ?? 0))
    return { free, worth: Math.ceil(Math.min(limit, half) / 2) }
  }

  #concurrency(integration: IntegrationId): Promise<number> {
    return this.#world.contexts.of(integration).then(
      (context) => context.integration.settings.concurrency,
      () => 1,
    )
  }

  /** New client credentials lift `blocked`, and then nobody waits for the next probe. */
  async #reopenIfMended(integration: IntegrationId): Promise<void> {
    const { backlogs, breakers, clock, contexts } = this.#world
    if (!this.#blocked.has(integration) && !backlogs.isClosed(integration, clock.mono())) return
    const blocked = await contexts.of(integration).then(
      (context) => context.integration.blocked !== null,
      () => false,
    )
    if (blocked) this.#blocked.add(integration)
    else if (this.#blocked.delete(integration) && breakers.pausedUntil(integration, clock.mono()) === null) backlogs.reopened(integration)
  }

  /** Parked by another node, or before a restart: whoever finds them looks after them. */
  async #discover(): Promise<void> {
    const now = this.#world.clock.mono()
    if (now - this.#discoveredAt < DISCOVER_EVERY_MS) return
    this.#discoveredAt = now
    for (const integration of await this.#world.credentials.parkedIntegrations()) this.#world.backlogs.waiting(integration, now)
  }

  /** An integration that holds half of the node's share and is slow leaves the rest to others: what is due of it waits in its own line. */
  async #bulkhead(): Promise<void> {
    const { backlogs, clock, options } = this.#world
    for (const [integration, size] of [...this.#shares]) {
      const crowded = size * 2 >= options.backgroundFlights && isCrowded(this.#world, integration, await this.#concurrency(integration))
      if (!crowded) {
        this.#crowdedSince.delete(integration)
        continue
      }
      const since = this.#crowdedSince.get(integration) ?? clock.mono()
      this.#crowdedSince.set(integration, since)
      if (clock.mono() - since >= CROWDED_MS) backlogs.waiting(integration, clock.mono())
    }
  }

  /** Few large helpings cost the database less than many small ones; but a slow provider must not make the others wait. */
  #until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve()
    return new Promise((resolve) => {
      const look = () => ready() && done()
      const done = () => {
        cancel()
        this.#ends.delete(look)
        resolve()
      }
      const cancel = this.#world.timers.after(AT_MOST_MS, done)
      this.#ends.add(look)
    })
  }

  #isHalfFree(): boolean {
    return this.#underWay * 2 <= this.#world.options.backgroundFlights
  }

  #begin({ integration }: DueConnection): void {
    this.#shares.set(integration, (this.#shares.get(integration) ?? 0) + 1)
  }

  #end({ integration }: DueConnection): void {
    this.#underWay -= 1
    const left = (this.#shares.get(integration) ?? 0) - 1
    if (left > 0) this.#shares.set(integration, left)
    else {
      this.#shares.delete(integration)
      this.#crowdedSince.delete(integration)
    }
    for (const look of this.#ends) look()
  }

  async #one(due: DueConnection): Promise<void> {
    const { credentials, contexts, log, clock } = this.#world
    this.#begin(due)
    try {
      const row = due.row ?? (await credentials.read(due.connection))
      if (row === undefined || row.connection.state !== 'active') return
      const context = await contexts.of(row.connection.integration)
      const later = notYet(row, context, Math.max(clock.wall(), due.dueAt))
      if (later !== undefined) return await credentials.reschedule(due, later)
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
      if (retryAt !== undefined) await credentials.reschedule(due, jittered(this.#world, retryAt))
    } catch (error) {
      log.warn({ connection: due.connection, error: String(error) }, 'a due connection was not renewed; it comes up again')
    } finally {
      this.#end(due)
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
  if (credential.refreshToken === null) return credential.accessExpiresAt !== null && credential.accessExpiresAt <= now ? undefined : credential.accessExpiresAt
  // Its lifetime is over by what we know: the provider is asked, and says what it is.
  if (health.endsAt !== null && now >= health.endsAt) return undefined
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
