import type { ConnectionId, InstallationId, OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import { type Clock, DAY, type Instant, MINUTE, SECOND, type Timers } from '../time.ts'
import type { DayCount, UseCount, Uses } from './uses.ts'

const FLUSH_MS = 10 * SECOND
/** Rows that are held in memory; beyond it counts are dropped, and that is said once. */
const HELD_MAX = 100_000
/** Of one transaction. */
const BATCH = 1_000

interface UsePorts {
  readonly store: Pick<Uses, 'add'>
  readonly clock: Pick<Clock, 'wall'>
  readonly timers: Timers
  readonly log: Pick<Log, 'warn'>
}

/** Who uses a connection. */
export interface UseActor {
  readonly organization: OrganizationId
  readonly kind: UseCount['actor']['kind']
  readonly id: string
}

type DayNumbers = Omit<DayCount, 'installation' | 'agent' | 'day'>
const NOTHING: DayNumbers = { requests: 0, bound: 0, rotations: 0, rotationsOnTime: 0, proofFailures: 0, refusedUses: 0 }

interface Counted {
  readonly actor: UseActor
  readonly connection: ConnectionId
  readonly access: UseCount['access']
  count: number
}

/** Counts uses of connections by minute and writes them in batches. No read of a token waits for it, and none fails because of it. */
export class UseCounter {
  readonly #ports: UsePorts
  #minute: Instant = 0
  /** Of the minute that runs. By connection and then by actor: one look-up each, and no text is put together. */
  readonly #running = { token: new Map<ConnectionId, Map<string, Counted>>(), proxy: new Map<ConnectionId, Map<string, Counted>>() }
  #held = 0
  #due: UseCount[] = []
  #days = new Map<string, { readonly installation: InstallationId; readonly agent: DayCount['agent']; readonly day: Instant; readonly numbers: DayNumbers }>()
  #planned = false
  #dropped = false

  constructor(ports: UsePorts) {
    this.#ports = ports
  }

  /** Costs two look-ups in maps. */
  count(actor: UseActor, connection: ConnectionId, access: UseCount['access']): void {
    const byActor = this.#running[access].get(connection)
    const known = byActor?.get(actor.id)
    if (known !== undefined && this.#ports.clock.wall() - this.#minute < MINUTE && known.actor.kind === actor.kind) {
      known.count++
      return
    }
    this.#countFirst(actor, connection, access)
  }

  /** Requests, rotations and refusals of an installation today. */
  countDay(installation: InstallationId, agent: DayCount['agent'], numbers: Partial<DayNumbers>): void {
    const now = this.#ports.clock.wall()
    const day = now - (now % DAY)
    const key = `${installation} ${day}`
    const known = this.#days.get(key)
    if (known === undefined && this.#full()) return
    const sum: { -readonly [Name in keyof DayNumbers]: number } = { ...(known?.numbers ?? NOTHING) }
    for (const name of Object.keys(NOTHING) as (keyof DayNumbers)[]) sum[name] += numbers[name] ?? 0
    this.#days.set(key, { installation, agent, day, numbers: sum })
    this.#plan()
  }

  /** Writes what was counted. Called by itself every ten seconds, and once at shutdown. Never rejects. */
  async flush(): Promise<void> {
    this.#planned = false
    this.#close()
    const [uses, days] = [this.#due, [...this.#days.values()].map(({ numbers, ...rest }) => ({ ...rest, ...numbers }))]
    this.#due = []
    this.#days = new Map()
    this.#held = 0
    this.#dropped = false
    for (let from = 0; from < Math.max(uses.length, days.length); from += BATCH) {
      try {
        await this.#ports.store.add(uses.slice(from, from + BATCH), days.slice(from, from + BATCH))
      } catch (error) {
        this.#ports.log.warn({ rows: uses.length + days.length - from, error: String(error) }, 'uses of connections could not be written, and are not counted')
        return
      }
    }
  }

  #countFirst(actor: UseActor, connection: ConnectionId, access: UseCount['access']): void {
    const now = this.#ports.clock.wall()
    const minute = now - (now % MINUTE)
    if (minute !== this.#minute) this.#close()
    this.#minute = minute
    const byConnection = this.#running[access]
    const byActor = byConnection.get(connection) ?? new Map<string, Counted>()
    const known = byActor.get(actor.id)
    if (known !== undefined) {
      known.count++
      return
    }
    if (this.#full()) return
    byConnection.set(connection, byActor)
    byActor.set(actor.id, { actor, connection, access, count: 1 })
    this.#plan()
  }

  /** True when nothing more fits. */
  #full(): boolean {
    if (this.#held < HELD_MAX) {
      this.#held++
      return false
    }
    if (!this.#dropped)
      this.#ports.log.warn({ rows: HELD_MAX }, 'more uses of connections than are held in memory; the rest of these ten seconds is not counted')
    this.#dropped = true
    return true
  }

  #close(): void {
    for (const byConnection of Object.values(this.#running)) {
      for (const byActor of byConnection.values())
        for (const { actor, connection, access, count } of byActor.values())
          this.#due.push({ organization: actor.organization, connection, actor: { kind: actor.kind, id: actor.id }, access, minute: this.#minute, count })
      byConnection.clear()
    }
  }

  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    this.#ports.timers.after(FLUSH_MS, () => void this.flush())
  }
}
