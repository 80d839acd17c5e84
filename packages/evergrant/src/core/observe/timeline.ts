import type { UseCount } from '../agent/uses.ts'
import type { AuditEvent } from '../audit/event.ts'
import { HOUR, type Instant } from '../time.ts'

/** What happened to a connection, or who used it for an hour. */
export type TimelineItem =
  | { readonly kind: 'event'; readonly at: Instant; readonly event: AuditEvent }
  | { readonly kind: 'use'; readonly at: Instant; readonly actor: UseCount['actor']; readonly access: UseCount['access']; readonly count: number }

/**
 * Newest first. `newer` is where the page before ended, and `older` the end of this one: uses of the hours between are shown, each once over
 * all pages.
 */
export function timelineOf(events: readonly AuditEvent[], uses: readonly UseCount[], newer: Instant | null, older: Instant | null): readonly TimelineItem[] {
  const hours = new Map<string, Extract<TimelineItem, { kind: 'use' }>>()
  for (const { actor, access, minute, count } of uses) {
    const at = Math.floor(minute / HOUR) * HOUR
    if ((newer !== null && at >= newer) || (older !== null && at < older)) continue
    const key = `${at} ${actor.kind} ${actor.id} ${access}`
    hours.set(key, { kind: 'use', at, actor, access, count: count + (hours.get(key)?.count ?? 0) })
  }
  const items: TimelineItem[] = [...events.map((event) => ({ kind: 'event' as const, at: event.at, event })), ...hours.values()]
  return items.sort((left, right) => right.at - left.at)
}
