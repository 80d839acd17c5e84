import { Fault, type Store } from '../../../evergrant/src/engine.ts'
import { DueBoard } from './due-board.ts'
import type { Oracle } from './invariants/oracle.ts'
import type { Life } from './life.ts'
import type { Weather } from './profile.ts'
import type { Random } from './random.ts'
import type { MachineClock } from './sim-clock.ts'
import { never } from './sim-wire.ts'
import { EPOCH, type World } from './world.ts'
import { wrapPort } from './wrap-port.ts'

/** While ends are held, their probes are looked for: this long after the last one was held. */
const HELD_LOOK_MS = 6 * 3_600_000

/** Where the simulated database is, for nodes that ask whether it is still the same. */
export const HOME = { id: 'the database', name: 'simulated' }

/** While an integration's due connections are parked, the next look comes this soon. */
const PARKING_LOOK_MS = 4_000

/** In minutes: some in a row, because a lease is freed at the second look, and more, because a look may fail. */
const OWN_LEASE_HINTS = [0, 1, 2, 3, 4, 5, 10, 11, 20, 21, 35, 36]

export type LifeStore = Pick<Store, 'credentials' | 'connections' | 'integrations' | 'nodes' | 'lineages'>

interface Call<Result> {
  readonly what: string
  readonly apply: () => Promise<Result>
  /** At the very instant at which it has applied. */
  readonly applied?: (result: Result) => unknown
}

/** The one database, a network away from every node: an operation applies at one instant and is acknowledged at another. */
export class SimDatabase {
  readonly store: Store
  readonly clock: MachineClock
  /** What may be due, so that idle polls are skipped. */
  readonly due: DueBoard
  readonly revocations: DueBoard
  readonly lostNodes: DueBoard
  /** Of each node: when it should look how old the database is. */
  readonly ages = new Map<string, DueBoard>()
  /** Of each node: when a lease in its own name may be one that it does not know. */
  readonly ownLeases = new Map<string, DueBoard>()
  down = false
  /** Raised by every failover. */
  timeline = 1
  /** It has been told that it went back in time, and nobody has confirmed that yet. */
  distrusted = false
  #heldUntil = 0
  readonly #looksAt = { parked: 0, held: 0 }
  slowness = 1
  readonly #world: World
  readonly #weather: Weather
  readonly #oracle: Oracle
  readonly #random: Random
  readonly #early: Random
  readonly #unknown: Random

  constructor(parts: { world: World; weather: Weather; oracle: Oracle; store: Store; clock: MachineClock }) {
    this.store = parts.store
    this.clock = parts.clock
    this.due = new DueBoard(parts.world)
    this.revocations = new DueBoard(parts.world)
    this.lostNodes = new DueBoard(parts.world)
    this.#world = parts.world
    this.#weather = parts.weather
    this.#oracle = parts.oracle
    this.#random = parts.world.streams.of('database')
    this.#early = parts.world.streams.of('fault k')
    this.#unknown = parts.world.streams.of('fault l')
  }

  /** While it is away, polls that fail come more slowly than real ones: they only cost events. */
  get patience(): number {
    return this.down ? 10 : 1
  }

  /** What one life of a node sees of it. */
  for(life: Life): LifeStore {
    const { credentials, connections, integrations, nodes, lineages } = this.store
    const oracle = this.#oracle
    const call = <Result>(what: string, apply: () => Promise<Result>, applied?: (result: Result) => unknown) =>
      this.#call(life, applied === undefined ? { what, apply } : { what, apply, applied })
    const at = this.#world
    return {
      credentials: wrapPort(credentials, call, {
        takeParked: (integration, limit, visibilityMs) =>
          call(
            'take parked',
            () => credentials.takeParked(integration, limit, visibilityMs),
            ({ taken }) => {
              if (taken.length > 0) this.#dueAt(this.clock.wall() + visibilityMs)
            },
          ),
        claim: (request) =>
          call(
            'claim',
            () => credentials.claim(request),
            (outcome) => {
              if (outcome.kind === 'claimed') this.#dueAt(outcome.at + request.leaseMs)
              return oracle.claimed(life, request, outcome)
            },
          ),
        release: (id, intent, dueAt) =>
          call(
            'release',
            () => credentials.release(id, intent, dueAt),
            () => {
              this.#dueAt(dueAt)
              return oracle.changed(id, 'release')
            },
          ),
        commitGrant: (commit) =>
          call(
            'grant',
            () => credentials.commitGrant(commit),
            (outcome) => {
              if (outcome.kind === 'busy') return
              this.#dueAt(commit.dueAt)
              if (outcome.kind === 'disconnected') this.revocations.hint(at.now)
              return oracle.granted(life, commit, outcome)
            },
          ),
        commitFailure: (commit) =>
          call(
            'failure',
            () => credentials.commitFailure(commit),
            (outcome) => {
              this.#dueAt(commit.dueAt)
              if (outcome.kind === 'held') this.#heldUntil = at.now + HELD_LOOK_MS
              if (commit.effect === 'dead') this.due.hint(at.now)
              return oracle.failed(life, commit, outcome)
            },
          ),
        takeDue: (limit, visibilityMs, parking = []) =>
          call(
            'take due',
            () => credentials.takeDue(limit, visibilityMs, parking),
            (taken) => {
              if (parking.length > 0) this.#lookAgain('parked', PARKING_LOOK_MS)
              if (parking.length > 0) this.#heldUntil = at.now + HELD_LOOK_MS
              if (taken.length < limit) this.due.nothingBefore(at.now)
              if (taken.length > 0) this.#dueAt(this.clock.wall() + visibilityMs)
              if (at.now < this.#heldUntil) this.#lookAgain('held', 61_000)
            },
          ),
        reclaim: (node) =>
          call(
            'reclaim',
            () => credentials.reclaim(node),
            () => {
              this.due.hint(at.now)
              return oracle.reclaimed(node)
            },
          ),
        reclaimForgotten: (id, node, epoch) =>
          call(
            'free forgotten',
            () => credentials.reclaimForgotten(id, node, epoch),
            () => {
              this.due.hint(at.now)
              return oracle.changed(id, 'freed, forgotten')
            },
          ),
        markReads: (marks) =>
          call(
            'mark reads',
            () => credentials.markReads(marks),
            () => {
              for (const mark of marks) this.#dueAt(mark.dueAt)
            },
          ),
        reschedule: (taken, dueAt) =>
          call(
            'reschedule',
            () => credentials.reschedule(taken, dueAt),
            () => this.#dueAt(dueAt),
          ),
        settleDeath: (settlement) =>
          call(
            'settle death',
            () => credentials.settleDeath(settlement),
            () => {
              this.#dueAt(settlement.dueAt)
              return oracle.changed(settlement.death.connection, `death settled ${settlement.death.action}`)
            },
          ),
      }),
      connections: wrapPort(connections, call, {
        replaceGrant: (replacement) =>
          call(
            'replace',
            () => connections.replaceGrant(replacement),
            (outcome) => {
              this.#dueAt(replacement.dueAt)
              return oracle.replaced(replacement, outcome)
            },
          ),
        setPaused: (organization, id, paused, dueAt, event) =>
          call(
            'pause',
            () => connections.setPaused(organization, id, paused, dueAt, event),
            (outcome) => {
              if (!paused) this.#dueAt(dueAt)
              return oracle.changed(id, `paused ${paused} ${outcome}`)
            },
          ),
        patch: (organization, id, patch, version, event) =>
          call(
            'patch',
            () => connections.patch(organization, id, patch, version, event),
            () => oracle.patched(id),
          ),
        disconnect: (request) =>
          call(
            'disconnect',
            () => connections.disconnect(request),
            (outcome) => {
              this.revocations.hint(at.now)
              return oracle.disconnected(request, outcome)
            },
          ),
        takeDueRevocations: (limit, visibilityMs) =>
          call(
            'take revocations',
            () => connections.takeDueRevocations(limit, visibilityMs),
            (taken) => {
              if (taken.length < limit) this.revocations.nothingBefore(at.now)
              if (taken.length > 0) this.revocations.hint(this.#trueTime(this.clock.wall() + visibilityMs))
            },
          ),
        retryRevocation: (id, dueAt) =>
          call(
            'retry revocation',
            () => connections.retryRevocation(id, dueAt),
            () => this.revocations.hint(this.#trueTime(dueAt)),
          ),
      }),
      integrations: wrapPort(integrations, call, {}),
      lineages: wrapPort(lineages, call, {
        tick: (node, expected) => call('tick', async () => ({ ...(await lineages.tick(node, expected)), timeline: this.timeline })),
        distrust: (trusted, reason, event) =>
          call(
            'distrust',
            () => lineages.distrust(trusted, reason, event),
            () => {
              this.distrusted = true
              this.askForItsAge(0)
            },
          ),
      }),
      nodes: wrapPort(nodes, call, {
        list: () =>
          call(
            'nodes',
            () => nodes.list(),
            () => this.lostNodes.nothingBefore(at.now),
          ),
        takeOver: (connection, holder, epoch) =>
          call(
            'take over',
            () => nodes.takeOver(connection, holder, epoch),
            () => {
              this.due.hint(at.now)
              return oracle.changed(connection, 'taken over')
            },
          ),
      }),
    }
  }

  /** One operation of a node's own: its heartbeat. */
  operation<Result>(life: Life, what: string, apply: () => Promise<Result>): Promise<Result> {
    return this.#call(life, { what, apply })
  }

  #call<Result>(life: Life, { what, apply, applied }: Call<Result>): Promise<Result> {
    if (!life.alive) return never()
    const world = this.#world
    const there = this.#leg()
    const back = this.#leg()
    const early = this.#strikes('k')
    const unknown = this.#strikes('l')
    return new Promise((resolve, reject) => {
      const refuse = (ms: number) => life.later(ms, () => reject(unavailable(what)))
      if (early) return void refuse(there)
      world.after(there, () => {
        if (this.down || life.node.databaseCut) return void refuse(this.#random.chance(0.8) ? 1 : 3_000)
        world.applying += 1
        void apply()
          .then(async (result) => {
            await applied?.(result)
            return () => resolve(result)
          })
          .catch((error: unknown) => () => reject(error))
          .then((settle) => {
            world.applying -= 1
            if (world.tracing) world.say(`${life.identity.id}/${life.number} ${what} applied`)
            this.#oracle.buggify(life, `${what} applied`)
            const lost = unknown || this.down || life.node.databaseCut
            life.later(lost ? back + 5 : back, lost ? () => reject(unavailable(what)) : settle)
          })
      })
    })
  }

  #leg(): number {
    return Math.round(this.#random.between(0, 4) * this.slowness)
  }

  #strikes(fault: 'k' | 'l'): boolean {
    const random = fault === 'k' ? this.#early : this.#unknown
    if (!this.#weather.has(fault) || !random.chance(this.#weather.profile.chance[fault])) return false
    this.#world.count(`fault ${fault}`)
    return true
  }

  /** Every node looks how old the database is, once a second for so many more seconds: the looks between show nothing. */
  askForItsAge(seconds: number): void {
    for (const board of this.ages.values()) for (let second = 0; second <= seconds; second += 1) board.hint(this.#world.now + second * 1_000)
  }

  /** Every node that looks after its own leases does so for a while. */
  askForOwnLeases(): void {
    for (const board of this.ownLeases.values()) for (const minute of OWN_LEASE_HINTS) board.hint(this.#world.now + minute * 60_000)
  }

  /** One look of a kind is planned at a time: a look that planned another one each time would end as a look every second. */
  #lookAgain(kind: 'parked' | 'held', afterMs: number): void {
    const { now } = this.#world
    if (this.#looksAt[kind] > now) return
    this.#looksAt[kind] = now + afterMs
    this.due.hint(now + afterMs)
  }

  #dueAt(dueAt: number | null): void {
    if (dueAt !== null) this.due.hint(this.#trueTime(dueAt))
  }

  /** When the database's clock will show `instant`. */
  #trueTime(instant: number): number {
    return Math.max(this.#world.now, instant - EPOCH - this.clock.offset)
  }
}

function unavailable(what: string): Fault {
  return new Fault('store_unavailable', { detail: `the database did not answer: ${what}` })
}
