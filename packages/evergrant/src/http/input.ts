import { Type } from 'typebox'
import { Fault } from '../core/fault/fault.ts'
import type { JsonObject } from '../core/json.ts'
import type { Instant } from '../core/time.ts'

export const JsonObjectSchema = Type.Unsafe<JsonObject>({
  type: 'object',
  additionalProperties: true,
  description: 'Any JSON object of yours: at most 16,384 characters and 16 levels.',
})

/** A time of a body whose form the schema has checked; 30 February is refused here. @throws Fault `invalid_request` */
export function instantOf(text: string | null | undefined, field: string): Instant | null {
  if (text === null || text === undefined) return null
  const instant = Date.parse(text)
  if (Number.isNaN(instant) || !isRealDay(text))
    throw new Fault('invalid_request', { field, detail: `\`${field.slice(1)}\` is no real time. Example: 2026-01-31T12:00:00Z.` })
  return instant
}

/** `Date.parse` takes 30 February for 2 March. */
function isRealDay(text: string): boolean {
  const day = text.slice(0, 'yyyy-mm-dd'.length)
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}
