import type { Organizations } from '../access/organization.ts'
import { type IntegrationId, idFrom } from '../ids.ts'
import type { Log } from '../log.ts'
import type { ProviderDirectory } from '../provider/context.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { GrantContexts } from '../refresh/grant-contexts.ts'
import { type Clock, type Entropy, type Instant, MINUTE, SECOND } from '../time.ts'
import type { ConnectionChecks } from './check-connection.ts'
import type { Checks, DueCheck } from './checks.ts'
import type { Connections } from './connections.ts'
import { everyItem } from './every-item.ts'
import type { Integration } from './integration.ts'
import type { Integrations } from './integrations.ts'

interface RoutineCheckPorts {
  readonly checks: Checks
  readonly check: Pick<ConnectionChecks, 'verify'>
  readonly connections: Pick<Connections, 'get'>
  readonly integrations: Pick<Integrations, 'list'>
  readonly organizations: Pick<Organizations, 'list'>
  readonly providers: Pick<ProviderDirectory, 'get'>
  readonly contexts: Pick<GrantContexts, 'of'>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
}

const BATCH = 50
const AT_ONCE = 8
const VISIBILITY_MS = 5 * MINUTE
const PLAN_BATCH = 500
/** A connection this young may still be on its way into the database of another node. */
const SETTLED_MS = 5 * MINUTE
/** Checks of one integration do not run in step for ever. */
const SPREAD = 0.1

/** How often connections of an integration are checked by themselves: as the operator wants, and at least as often as the provider demands. Null: never. */
function checkEveryMs({ settings }: Pick<Integration, 'settings'>, record: Pick<ProviderRecord, 'check'> | undefined): number | null {
  if (record === undefined || record.check === null) return null
  const demanded = record.check.everySeconds === null ? null : record.check.everySeconds * SECOND
  // Settings that were stored before there was this one do not have it.
  const wanted = settings.checkEveryMs ?? null
  return wanted === null || demanded === null ? (wanted ?? demanded) : Math.min(wanted, demanded)
}

/** Checks that run by themselves. */
export class RoutineChecks {
  readonly #ports: RoutineCheckPorts
  /** Integrations whose API asked for patience. */
  readonly #quiet = new Map<IntegrationId, Instant>()

  constructor(ports: RoutineCheckPorts) {
    this.#ports = ports
  }

  /** Gives new connections their first check. Returns true when there is more to look at. */
  async plan(): Promise<boolean> {
    const { checks, clock, integrations, organizations, providers } = this.#ports
    const before = idFrom('con', clock.wall() - SETTLED_MS)
    let more = false
    for (const { id: organization } of await organizations.list()) {
      for await (const integration of everyItem((page) => integrations.list(organization, page))) {
        const everyMs = checkEveryMs(integration, providers.get(integration.provider))
        if (everyMs !== null && (await checks.plan({ integration: integration.id, organization, everyMs, before }, PLAN_BATCH))) more = true
      }
    }
    return more
  }

  /** Takes what is due and checks it. Returns how many were taken. */
  async run(): Promise<number> {
    const due = [...(await this.#ports.checks.take(BATCH, VISIBILITY_MS))]
    const count = due.length
    const worker = async () => {
      for (let next = due.shift(); next !== undefined; next = due.shift()) await this.#one(next)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return count
  }

  async #one(due: DueCheck): Promise<void> {
    try {
      await this.#checked(due)
    } catch (error) {
      this.#ports.log.warn({ connection: due.connection, error: error instanceof Error ? error.message : 'unknown' }, 'a check did not run; it comes up again')
    }
  }

  async #checked(due: DueCheck): Promise<void> {
    const { connection, organization, integration } = due
    const { checks, check, clock, connections, contexts } = this.#ports
    const context = await contexts.of(integration)
    const everyMs = checkEveryMs(context.integration, context.record)
    if (everyMs === null) {
      await checks.stop(integration)
      return checks.reschedule(due, null)
    }
    const row = await connections.get(organization, connection)
    if (row === undefined || row.connection.state === 'disconnected') return checks.reschedule(due, null)
    const now = clock.wall()
    const later = this.#later(now, everyMs)
    const quietUntil = this.#quiet.get(integration) ?? 0
    if (quietUntil > now) return checks.reschedule(due, quietUntil + Math.floor(this.#ports.entropy.uniform() * MINUTE))
    if (row.connection.state !== 'active' || context.integration.blocked !== null) return checks.reschedule(due, later)
    const report = await check.verify(row, due.takenUntil, ({ retryAt }) => Math.max(later, retryAt ?? 0))
    if (report === null) return checks.reschedule(due, later)
    if (report.result === 'throttled') this.#quiet.set(integration, report.retryAt ?? now + MINUTE)
  }

  #later(now: Instant, everyMs: number): Instant {
    return now + Math.round(everyMs * (1 - SPREAD * this.#ports.entropy.uniform()))
  }
}
