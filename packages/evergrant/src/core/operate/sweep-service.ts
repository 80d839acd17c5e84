import { type Actor, type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { newId, type OrganizationId, type SweepId } from '../ids.ts'
import type { RefreshEngine } from '../refresh/refresh-engine.ts'
import { type Clock, type Entropy, type Instant, MINUTE, SECOND } from '../time.ts'
import type { Operations, Sweep } from './operations.ts'

/** A provider that is away keeps its connections waiting; the sweep says so instead of waiting with them. */
const SWEEP_LONGEST_MS = 30 * MINUTE
/** Counting costs what happened since the start: a long sweep is counted less often. */
const COUNTS_A_SWEEP = 60
const COUNT_EVERY_MS = SECOND
const OPEN_AT_ONCE = 50
const SHOWN = 50

interface SweepPorts {
  readonly operations: Operations
  readonly engine: Pick<RefreshEngine, 'runDue'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
}

interface StartedSweep {
  readonly sweep: Sweep
  /** Refreshes that this node began at once. */
  readonly started: number
}

/**
 * Sweeps: everything that is due is looked at now, and somebody watches what becomes of it. The work itself is the queue's, on every node; a sweep only
 * counts, so the end of the node where it began ends nothing.
 */
export class SweepService {
  readonly #ports: SweepPorts
  readonly #countedAt = new Map<SweepId, Instant>()

  constructor(ports: SweepPorts) {
    this.#ports = ports
  }

  async start(organization: OrganizationId, actor: Actor): Promise<StartedSweep> {
    const { operations, engine, clock, entropy } = this.#ports
    const id = newId('swp', entropy)
    const at = clock.wall()
    const sweep = await operations.startSweep(
      { id, organization, startedBy: actor, startedAt: at },
      this.#event(organization, 'sweep.started', id, at, actor, {}),
    )
    return { sweep, started: await engine.runDue() }
  }

  list(organization: OrganizationId): Promise<readonly Sweep[]> {
    return this.#ports.operations.sweeps(organization, SHOWN)
  }

  /** As it stands now. @throws Fault `not_found` */
  async look(organization: OrganizationId, id: SweepId): Promise<Sweep> {
    const { operations } = this.#ports
    const found = await operations.sweep(organization, id)
    if (found === undefined) throw new Fault('not_found', { detail: `There is no sweep ${id}. List them with GET /api/v1/sweeps.` })
    if (found.finishedAt !== null) return found
    await this.#advance(found)
    return (await operations.sweep(organization, id)) ?? found
  }

  /** What every node does now and then. True when there may be more. */
  async work(): Promise<boolean> {
    const open = await this.#ports.operations.openSweeps(OPEN_AT_ONCE)
    for (const sweep of open) await this.#advance(sweep)
    // Another node may have ended it.
    for (const id of this.#countedAt.keys()) if (!open.some((sweep) => sweep.id === id)) this.#countedAt.delete(id)
    return open.length === OPEN_AT_ONCE
  }

  async #advance(sweep: Sweep): Promise<void> {
    const { operations, clock } = this.#ports
    const at = clock.wall()
    if (!this.#mayCount(sweep, at)) return
    const progress = await operations.measureSweep(sweep)
    const late = at - sweep.startedAt >= SWEEP_LONGEST_MS
    // Between the queue and the lease a connection is seen in neither: only a second look in a row is believed.
    const over = progress.remaining === 0 && sweep.progress.remaining === 0
    if (!over && !late) return
    const { remaining, refreshed, failed, needsOwner } = progress
    const report = { due: sweep.due, remaining, refreshed, failed, needs_owner: needsOwner, seconds: Math.round((at - sweep.startedAt) / 1_000) }
    this.#countedAt.delete(sweep.id)
    await operations.finishSweep(sweep, at, this.#event(sweep.organization, 'sweep.finished', sweep.id, at, SYSTEM_ACTOR, report))
  }

  /** However many watch it here. */
  #mayCount({ id, startedAt }: Sweep, at: Instant): boolean {
    const last = this.#countedAt.get(id)
    if (last !== undefined && at - last < Math.max(COUNT_EVERY_MS, (at - startedAt) / COUNTS_A_SWEEP)) return false
    this.#countedAt.set(id, at)
    return true
  }

  #event(...[organization, type, subject, at, actor, data]: EventFacts): NewEvent {
    return { id: newId('evt', this.#ports.entropy), organization, type, at, actor, connection: null, subject, data }
  }
}

type EventFacts = [OrganizationId, 'sweep.started' | 'sweep.finished', SweepId, number, Actor, NewEvent['data']]
