import type { JsonObject, JsonValue } from '../../core/json.ts'
import { objectOf } from './column-map.ts'

/** What a field of an import may look like in other people's files, as the API wants it; undefined when it makes no sense. */
export function fieldValue(field: string, value: JsonValue): JsonValue | undefined {
  switch (field) {
    case 'expires_at':
    case 'refresh_expires_at':
    case 'consented_at':
      return timeOf(value)
    case 'scopes':
      return listOf(value, /[\s,]+/)
    case 'tags':
      return listOf(value, /,/)
    case 'metadata':
      return objectOf(value) ?? undefined
    case 'variables':
    case 'facts':
      return namesOf(value)
    case 'access_token':
    case 'refresh_token':
      return typeof value === 'string' ? value : undefined
    default:
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
  }
}

/** Beyond this, a count is in milliseconds and not in seconds: as seconds it would be the year 5138. */
const MILLISECONDS_FROM = 1e11
const EPOCH = /^\d{9,14}(\.\d+)?$/
/** As databases write it: a space for the T, hours alone as the zone. */
const DATE = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i

/** Seconds or milliseconds since 1970, or a date; one without a zone is in UTC. */
function timeOf(value: JsonValue): string | undefined {
  if (typeof value === 'number' || (typeof value === 'string' && EPOCH.test(value))) {
    const count = Number(value)
    const instant = new Date(Math.round(count < MILLISECONDS_FROM ? count * 1_000 : count))
    return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString()
  }
  const parts = typeof value === 'string' ? DATE.exec(value.trim()) : null
  if (parts === null) return undefined
  const [, day, time, zone = 'Z'] = parts
  return `${day}T${cutFraction(time ?? '')}${zoneOf(zone)}`
}

function cutFraction(time: string): string {
  return time.replace(/(\.\d{9})\d+$/, '$1')
}

function zoneOf(zone: string): string {
  if (/^(z|utc)$/i.test(zone)) return 'Z'
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2)}`
}

function listOf(value: JsonValue, separator: RegExp): JsonValue | undefined {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string') return undefined
  if (value.trimStart().startsWith('[')) {
    try {
      const read: JsonValue = JSON.parse(value)
      return Array.isArray(read) ? read : undefined
    } catch {
      return undefined
    }
  }
  // PostgreSQL writes an array as {a,b}.
  const text = /^\{.*\}$/.test(value) ? value.slice(1, -1).replaceAll('"', '') : value
  return [
    ...new Set(
      text
        .split(separator)
        .map((word) => word.trim())
        .filter((word) => word !== ''),
    ),
  ]
}

function namesOf(value: JsonValue): JsonObject | undefined {
  const object = objectOf(value)
  if (object === null) return undefined
  return Object.fromEntries(Object.entries(object).filter(([, inner]) => inner !== null && inner !== ''))
}
