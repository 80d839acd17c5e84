import type { ConnectionId, OrganizationId } from '../ids.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { AlertItem } from './alert.ts'
import type { AlertKind, AlertRule } from './rule.ts'
import { aboutConnection, NOTHING, type Reading, type Relief, type Signal } from './signals.ts'
import type { WatchPorts } from './watch-ports.ts'

type Ports = Pick<WatchPorts, 'alerts' | 'webhooks' | 'details' | 'clock'>
type Rules = ReadonlyMap<AlertKind, AlertRule>

const BATCH = 200
/** A ratio of fewer refreshes says nothing. */
const FEWEST_OUTCOMES = 20
const OUTCOMES_READ = 5_000

/** What no event tells, of one organization. */
export async function lookAt(ports: Ports, organization: OrganizationId, rules: Rules): Promise<Reading & { readonly more: boolean }> {
  const healed = await ports.alerts.healed(organization, BATCH)
  const failing = await failingConnections(ports, organization, rules.get('refresh_failing'))
  const rate = await successRate(ports, organization, rules.get('success_rate_low'))
  const webhooks = await failingWebhooks(ports, organization, rules.get('delivery_failing'))
  const parts = [{ signals: failing, reliefs: healed.map(reliefOf) }, rate, webhooks]
  return {
    signals: parts.flatMap(({ signals }) => signals),
    reliefs: parts.flatMap(({ reliefs }) => reliefs),
    more: healed.length === BATCH || failing.length === BATCH,
  }
}

const reliefOf = ({ organization, kind, subject }: AlertItem): Relief => ({ organization, kinds: [kind], subject })

async function failingConnections(ports: Ports, organization: OrganizationId, rule: AlertRule | undefined): Promise<readonly Signal[]> {
  if (rule === undefined || !rule.enabled) return []
  const before = ports.clock.wall() - (rule.minutes ?? 0) * MINUTE
  const found = await ports.alerts.failing(organization, before, BATCH)
  const signals: Signal[] = []
  for (const { connection, firstFailedAt } of found) {
    const signal = await failingSignal(ports, organization, connection, firstFailedAt)
    if (signal !== null) signals.push(signal)
  }
  return signals
}

/** One alert for each integration and fault: an outage is one alert, however many connections it touches. */
async function failingSignal(ports: Ports, organization: OrganizationId, connection: ConnectionId, at: Instant): Promise<Signal | null> {
  const details = await ports.details(organization, connection)
  if (details === undefined) return null
  const { integration, fault } = details.row.connection
  const code = fault?.code ?? null
  const about = { ...aboutConnection(details), code }
  return { organization, kind: 'refresh_failing', cause: `${integration} ${code ?? ''}`, subject: connection, connection, at, about }
}

/** Of the connections that were due: those that were renewed, against those that fail now. */
async function successRate(ports: Ports, organization: OrganizationId, rule: AlertRule | undefined): Promise<Reading> {
  // Also of a rule that is off, which opens nothing: what it opened before is over some day.
  if (rule === undefined) return { signals: [], reliefs: [] }
  const now = ports.clock.wall()
  const { refreshed, failing } = await ports.alerts.outcomes(organization, now - (rule.minutes ?? 0) * MINUTE, OUTCOMES_READ)
  const all = refreshed + failing
  const rate = all === 0 ? 100 : Math.floor((100 * refreshed) / all)
  const subject = organization
  if (all < FEWEST_OUTCOMES || rate >= (rule.threshold ?? 0)) return { signals: [], reliefs: [{ organization, kinds: ['success_rate_low'], subject }] }
  const about = { ...NOTHING, value: rate }
  return { signals: [{ organization, kind: 'success_rate_low', cause: 'all', subject, connection: null, at: now, about }], reliefs: [] }
}

/** An endpoint that took something again is well. */
async function failingWebhooks(ports: Ports, organization: OrganizationId, rule: AlertRule | undefined): Promise<Reading> {
  if (rule === undefined) return { signals: [], reliefs: [] }
  const now = ports.clock.wall()
  const failing = await ports.webhooks.failing(organization, now - (rule.minutes ?? 0) * MINUTE)
  const signals = failing.map(
    ({ id, name, failingSince }): Signal => ({
      ...{ organization, kind: 'delivery_failing', cause: id, subject: id, connection: null },
      at: failingSince ?? now,
      about: { ...NOTHING, name },
    }),
  )
  const well = (await ports.webhooks.list(organization)).filter(({ failures, enabled }) => failures === 0 || !enabled)
  return { signals, reliefs: well.map(({ id }) => ({ organization, kinds: ['delivery_failing'], subject: id })) }
}
