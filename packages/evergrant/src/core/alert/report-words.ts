import type { AuditEvent } from '../audit/event.ts'
import type { JsonValue } from '../json.ts'
import { DAY, HOUR, type Instant } from '../time.ts'
import type { MessageReport } from './message.ts'

/** A report that is older is not of yesterday: a server that was down sends none. */
const OLDEST_MS = DAY + 12 * HOUR

/** The event `report.daily` in a few sentences; null when there is none of the day before. */
export function reportWords(event: Pick<AuditEvent, 'at' | 'data'> | undefined, now: Instant, url: string): MessageReport | null {
  if (event === undefined || now - event.at > OLDEST_MS) return null
  const { data } = event
  const [connections, ending] = [inner(data.connections), inner(data.ending)]
  const failed = count(data.refreshes_failed)
  const sentences = [
    `${number(count(data.refreshes_ok))} refreshes went well${failed === 0 ? ' and none failed' : `, ${number(failed)} did not`}.`,
    `Tokens were read ${number(count(data.reads))} times.`,
    `${number(count(connections.active))} connections are active, ${number(count(connections.degraded))} wait for a provider, ${number(count(connections.needs_reauth))} need their owner, ${number(count(connections.blocked))} are blocked.`,
    `${number(count(ending.day))} end within a day, ${number(count(ending.week))} within a week.`,
  ]
  return { title: 'The day before', text: sentences.join(' '), url }
}

function inner(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, JsonValue>>) : {}
}

const count = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : 0)

/** `1,204`. */
const number = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ',')
