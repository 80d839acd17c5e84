import type { OrganizationId } from '../ids.ts'
import type { Observation } from '../refresh/engine-ports.ts'
import { type Clock, HOUR, type Instant, SECOND } from '../time.ts'
import { LEAD_SECONDS, placeIn, REFRESH_MS } from './buckets.ts'
import type { HistoryRow, Observed } from './observed.ts'

/** Hours that a node may still write to; older ones are added up soon after. */
export const OPEN_HOURS_MS = 2 * HOUR

interface CounterPorts {
  readonly observed: Pick<Observed, 'writeHistory'>
  readonly clock: Pick<Clock, 'wall'>
  /** Names this start of this node: another start counts from nothing, in rows of its own. */
  readonly incarnation: string
}

interface Counted {
  readonly row: Omit<HistoryRow, 'counts'>
  readonly counts: Record<string, number>
  changed: boolean
}

/**
 * What this node counts by the hour. Written as whole numbers of this start, never as differences: a write that is repeated, or whose
 * outcome is not known, counts nothing twice; a crash loses at most what was not yet written.
 */
export class HistoryCounter {
  readonly #ports: CounterPorts
  readonly #counted = new Map<string, Counted>()

  constructor(ports: CounterPorts) {
    this.#ports = ports
  }

  /** `provider` is empty where the figure is of none. Costs two look-ups in maps. */
  count(organization: OrganizationId, provider: string, name: string, by = 1): void {
    const hour = hourOf(this.#ports.clock.wall())
    const key = `${organization} ${hour} ${provider}`
    const known = this.#counted.get(key)
    const counted = known ?? { row: { organization, hour, provider, node: `start ${this.#ports.incarnation}` }, counts: {}, changed: true }
    if (known === undefined) this.#counted.set(key, counted)
    counted.counts[name] = (counted.counts[name] ?? 0) + by
    counted.changed = true
  }

  /** What became of one refresh. */
  observe({ kind, provider, durationMs, organization, leadMs }: Observation): void {
    if (organization === undefined) return
    const outcome = kind === 'granted' ? 'ok' : kind === 'dead' || kind === 'unknown' ? kind : 'transient'
    this.count(organization, provider, `refreshes_${outcome}`)
    if (kind === 'throttled') this.count(organization, provider, 'throttled')
    this.count(organization, provider, `ms:${placeIn(REFRESH_MS, durationMs)}`)
    if (leadMs !== undefined) this.count(organization, provider, `lead:${placeIn(LEAD_SECONDS, leadMs / SECOND)}`)
  }

  /** Writes the hours that changed. What could not be written is written with the next call. */
  async flush(): Promise<void> {
    const notBefore = hourOf(this.#ports.clock.wall() - OPEN_HOURS_MS)
    for (const [key, { row }] of this.#counted) if (row.hour < notBefore) this.#counted.delete(key)
    const due = [...this.#counted.values()].filter(({ changed }) => changed)
    for (const counted of due) counted.changed = false
    try {
      await this.#ports.observed.writeHistory(
        due.map(({ row, counts }) => ({ ...row, counts: { ...counts } })),
        notBefore,
      )
    } catch (error) {
      for (const counted of due) counted.changed = true
      throw error
    }
  }
}

export function hourOf(at: Instant): Instant {
  return Math.floor(at / HOUR) * HOUR
}
