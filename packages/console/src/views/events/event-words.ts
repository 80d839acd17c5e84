import type { Tone } from '../../design/state.tsx'
import type { EventRecord } from '../program-operations.ts'

const BAD = /(needs_reauth|failed|refused|blocked|reuse_detected|clone|compromise|locked|denied|mismatch|drift|breaker_tripped|proof_failed)/
const GOOD = /(recovered|reconnected|refreshed|unblocked|completed|succeeded|verified|resolved|approved|unlocked|activated)/

/** How an event is coloured. Its words say the same. */
export function toneOf({ type }: Pick<EventRecord, 'type'>): Tone {
  if (BAD.test(type)) return 'bad'
  if (GOOD.test(type)) return 'good'
  return 'quiet'
}

/** Instants are milliseconds in events (the year 2001 and later), and no count is as large. */
const INSTANTS_FROM = 1e12
const INSTANTS_UNTIL = 1e13

const valueWords = (value: unknown): string =>
  typeof value === 'number' && value >= INSTANTS_FROM && value < INSTANTS_UNTIL ? new Date(value).toISOString() : String(value)

/** What the data of an event says, in one line: `code=connection_revoked generation=4`. */
export function shortData({ data }: Pick<EventRecord, 'data'>): string {
  return Object.entries(data)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .slice(0, 4)
    .map(([name, value]) => `${name}=${valueWords(value)}`)
    .join(' ')
}

/** Where the id of something leads; null where no page shows it. */
export function placeOf(id: string | null): string | null {
  if (id === null) return null
  const kinds: Readonly<Record<string, string>> = {
    con: '/connections/',
    agt: '/agents/',
    ins: '/agents/installations/',
    int: '/providers/',
    whk: '/alerts/webhooks/',
  }
  const kind = kinds[id.slice(0, id.indexOf('_'))]
  return kind === undefined ? null : kind + id
}

/** `user usr_1`, `system`. */
export const actorWords = ({ kind, id }: EventRecord['actor']): string => (id === null ? kind : `${kind} ${id}`)

/** Values that the loaded events hold, by the field of the query language. */
export function seenIn(events: readonly EventRecord[]): Readonly<Record<string, readonly string[]>> {
  const seen: Record<string, Set<string>> = {
    type: new Set(),
    connection: new Set(),
    subject: new Set(),
    owner: new Set(),
    code: new Set(),
    provider: new Set(),
  }
  for (const event of events) {
    seen['type']?.add(event.type)
    if (event.connection_id !== null) seen['connection']?.add(event.connection_id)
    if (event.subject !== null) seen['subject']?.add(event.subject)
    for (const name of ['owner', 'code', 'provider']) if (typeof event.data[name] === 'string') seen[name]?.add(event.data[name])
  }
  return Object.fromEntries(Object.entries(seen).map(([name, values]) => [name, [...values].sort()]))
}
