import type { Instant } from '../time.ts'
import { DAY, SECOND } from '../time.ts'
import { parseHttpDate } from './dates.ts'

/**
 * `Retry-After` in milliseconds (RFC 9110 section 10.2.3): seconds or a date. A date counts from the answer's own `Date`,
 * so that a wrong clock on either side does no harm; without one, from `now`. At most a day; null when absent or unreadable.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: Instant): number | null {
  const text = headers['retry-after']?.trim()
  if (text === undefined || text === '') return null
  if (/^[0-9]+(?:\.[0-9]+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * SECOND), DAY)
  const date = parseHttpDate(text)
  if (date === null) return null
  const from = parseHttpDate(headers.date ?? '') ?? now
  return Math.min(Math.max(0, date - from), DAY)
}
