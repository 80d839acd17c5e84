import { type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import type { StoredFault } from '../connection/connection.ts'
import { type ConnectionId, newId } from '../ids.ts'
import { type Entropy, HOUR, type Instant, MINUTE } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { DeathReport, DeathSettlement, UnsettledDeath } from './deaths.ts'
import type { ProtocolTimes } from './protocol-times.ts'

/** So many deaths in the window are always believed. */
const DEATHS_FLOOR = 5
/** ... and this share of the refreshes that this node saw answered in the window. */
const DEATHS_SHARE = 0.1
/** Agreeing probes that apply the held ends without an operator. */
const AGREEMENTS_NEEDED = 3
/** An operator who confirmed is believed this long: the rest of the same wave is not held again. */
export const CONFIRMED_FOR_MS = HOUR

/** True while the end that a provider told is held: the grant counts as suspect, whatever it said. */
export function endHeld(row: GrantRow): boolean {
  return row.connection.state === 'active' && row.connection.fault?.code === 'deaths_held'
}

interface ReportInput {
  readonly row: GrantRow
  readonly fault: StoredFault
  readonly refreshes: number
}

export function deathReport({ row, fault, refreshes }: ReportInput, times: ProtocolTimes, entropy: Entropy): DeathReport {
  const { organization, integration, id: connection } = row.connection
  const { generation } = row.credential
  const event = (type: NewEvent['type'], about: ConnectionId | null, data: NewEvent['data']): NewEvent => ({
    id: newId('evt', entropy),
    organization,
    type,
    at: fault.at,
    actor: SYSTEM_ACTOR,
    connection: about,
    subject: about === null ? integration : fault.evidence.intent,
    data,
  })
  const limit = Math.max(DEATHS_FLOOR, Math.floor(DEATHS_SHARE * refreshes))
  return {
    integration,
    windowMs: times.deathWindowMs,
    limit,
    refreshes,
    // After an unknown outcome this is the likely end, and a crash of ours makes many: no sign that the provider has trouble.
    counts: fault.code !== 'refresh_outcome_lost',
    agreements: { needed: AGREEMENTS_NEEDED, everyMs: times.agreeEveryMs },
    heldFault: heldFault(fault),
    heldEvent: event('connection.suspect', connection, { code: 'deaths_held', held_code: fault.code, generation }),
    openedEvent: event('integration.deaths_held', null, { more_than: limit, window_minutes: times.deathWindowMs / MINUTE, refreshes }),
    confirmedEvent: event('integration.deaths_confirmed', null, { by: 'probes', probes: AGREEMENTS_NEEDED }),
  }
}

/** The same evidence under another name: what people see while the end is held. */
function heldFault(fault: StoredFault): StoredFault {
  return { ...fault, code: 'deaths_held' }
}

/** What becomes of one unsettled death. Pure. */
export function settlementOf(death: UnsettledDeath, now: Instant, entropy: Entropy): DeathSettlement {
  const event = (type: NewEvent['type'], data: NewEvent['data']): NewEvent => ({
    id: newId('evt', entropy),
    organization: death.organization,
    type,
    at: now,
    actor: SYSTEM_ACTOR,
    connection: death.connection,
    subject: death.fault.evidence.intent,
    data,
  })
  const { code } = death.fault
  const { generation } = death
  const common = { death, at: now, confirmedForMs: CONFIRMED_FOR_MS }
  switch (death.action) {
    case 'take_back':
      return {
        ...common,
        fault: heldFault(death.fault),
        dueAt: null,
        event: event('connection.suspect', { code: 'deaths_held', held_code: code, generation, taken_back: true }),
      }
    case 'confirm':
      return { ...common, fault: death.fault, dueAt: null, event: event('connection.needs_reauth', { code, generation, was_held: true }) }
    case 'release':
      return { ...common, fault: null, dueAt: Math.min(now, death.hardAt ?? now), event: null }
  }
}
