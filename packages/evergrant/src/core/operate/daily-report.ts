import { SYSTEM_ACTOR } from '../audit/event.ts'
import type { Events } from '../audit/events.ts'
import { newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Observed } from '../observe/observed.ts'
import { type Clock, DAY, type Entropy, type Instant, MINUTE } from '../time.ts'

/** Counters of the last hour are written some minutes after it. */
const WAIT_MS = 20 * MINUTE
const WEEK_MS = 7 * DAY

interface ReportPorts {
  readonly observed: Pick<Observed, 'history' | 'tally' | 'endingBefore'>
  readonly events: Pick<Events, 'appendOnce'>
  readonly organizations: { list(): Promise<readonly { readonly id: OrganizationId }[]> }
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
}

/**
 * The day before in figures, for each organization, as an event: `report.daily`. Of many nodes one writes it, and a node that ends on the way is followed by
 * another. Webhooks carry it to whoever wants a report.
 */
export class DailyReports {
  readonly #ports: ReportPorts
  readonly #reported = new Map<OrganizationId, Instant>()

  constructor(ports: ReportPorts) {
    this.#ports = ports
  }

  /** Returns how many this node wrote. */
  async work(): Promise<number> {
    const { organizations, clock } = this.#ports
    const now = clock.wall()
    const today = now - (now % DAY)
    if (now - today < WAIT_MS) return 0
    let written = 0
    for (const { id } of await organizations.list()) {
      if (this.#reported.get(id) === today) continue
      if (await this.#report(id, today, now)) written += 1
      this.#reported.set(id, today)
    }
    return written
  }

  async #report(organization: OrganizationId, today: Instant, now: Instant): Promise<boolean> {
    const { events, entropy } = this.#ports
    const day = today - DAY
    const data = await this.#figures(organization, day, today, now)
    const event = {
      id: newId('evt', entropy),
      organization,
      type: 'report.daily' as const,
      at: now,
      actor: SYSTEM_ACTOR,
      connection: null,
      subject: null,
      data,
    }
    return events.appendOnce(`report ${organization} ${day}`, event)
  }

  async #figures(organization: OrganizationId, from: Instant, to: Instant, now: Instant): Promise<JsonObject> {
    const { observed } = this.#ports
    const [rows, tally, ending] = await Promise.all([
      observed.history(organization, from, to),
      observed.tally(organization, {}),
      observed.endingBefore(organization, now, [now + DAY, now + WEEK_MS]),
    ])
    const sum = (name: string) => rows.reduce((total, { counts }) => total + (counts[name] ?? 0), 0)
    const inStatus = (status: string) => tally.reduce((total, cell) => total + (cell.status === status ? cell.connections : 0), 0)
    return {
      from,
      refreshes_ok: sum('refreshes_ok'),
      refreshes_failed: sum('refreshes_transient') + sum('refreshes_unknown') + sum('refreshes_dead'),
      reads: sum('reads'),
      connections: { active: inStatus('active'), degraded: inStatus('degraded'), needs_reauth: inStatus('needs_reauth'), blocked: inStatus('blocked') },
      ending: { day: ending[0] ?? 0, week: ending[1] ?? 0 },
    }
  }
}
