import { DAY, type Instant, SECOND } from '../time.ts'
import { parseHttpDate, parseIsoInstant } from './dates.ts'
import type { HeaderNumber, QuotaFacts } from './record-around.ts'

/** What one answer says about one window of a quota. */
export interface QuotaReading {
  readonly quota: QuotaFacts
  /** Null when the provider tells only what is left. */
  readonly limit: number | null
  readonly remaining: number
  readonly resetsAt: Instant
}

interface QuotaAnswer {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** When it came, on our clock. */
  readonly at: Instant
}

/** Every quota of the record that the headers tell of. What they do not tell, or tell in a way we do not know, is left out. */
export function readQuotas(quotas: readonly QuotaFacts[], answer: QuotaAnswer): readonly QuotaReading[] {
  return quotas.flatMap((quota) => {
    const counted = readCount(quota, answer.headers)
    const resetsAt = counted === null ? null : readReset(quota, answer)
    return counted === null || resetsAt === null ? [] : [{ quota, ...counted, resetsAt }]
  })
}

/** Whether a request of this method uses the quota up. HEAD counts as GET. */
export function counts(quota: QuotaFacts, method: string): boolean {
  return quota.methods.length === 0 || quota.methods.includes(method) || (method === 'HEAD' && quota.methods.includes('GET'))
}

/** End of the window that contains `now`; without an alignment, of one that begins now. Null when its length is not known. */
export function windowEnd(quota: QuotaFacts, now: Instant): Instant | null {
  if (quota.windowSeconds === null) return null
  const length = quota.windowSeconds * SECOND
  return quota.aligned ? (Math.floor(now / length) + 1) * length : now + length
}

/** Whom a throttled answer speaks to: everybody of the client, unless the record knows only quotas of single grants. */
export function throttles(quotas: readonly QuotaFacts[]): QuotaFacts['per'] {
  return quotas.length > 0 && quotas.every((quota) => quota.per === 'grant') ? 'grant' : 'client'
}

function readCount(quota: QuotaFacts, headers: QuotaAnswer['headers']): { readonly limit: number | null; readonly remaining: number } | null {
  const limit = numberIn(quota.limit, headers)
  const used = numberIn(quota.used, headers)
  const left = numberIn(quota.remaining, headers)
  if (left !== null) return { limit: limit ?? (used === null ? null : used + left), remaining: left }
  return limit === null || used === null ? null : { limit, remaining: Math.max(0, limit - used) }
}

/** `200,2000`, `200, 2000`, and the first number of `100;w=60`. */
function numberIn(where: HeaderNumber | null, headers: QuotaAnswer['headers']): number | null {
  if (where === null) return null
  const part = headers[where.header.toLowerCase()]?.split(',')[where.at]
  const digits = /^\s*([0-9]{1,15})(?:\.[0-9]+)?(?![0-9])/.exec(part ?? '')
  return digits === null ? null : Number(digits[1])
}

/**
 * Instants are the provider's own; they count from its `Date`, so that a wrong clock on either side does no harm. A window
 * never ends later than its length, or a day, from now: a header that is read wrongly must not stop anybody for longer.
 */
function readReset(quota: QuotaFacts, { headers, at }: QuotaAnswer): Instant | null {
  const theirs = parseHttpDate(headers.date ?? '') ?? at
  const longest = quota.windowSeconds === null ? DAY : quota.windowSeconds * SECOND
  const text = quota.reset === null ? undefined : headers[quota.reset.header.toLowerCase()]?.trim()
  const said = quota.reset === null || text === undefined ? null : untilReset(quota.reset.format, text, theirs)
  const end = windowEnd(quota, theirs)
  const waitMs = said ?? (end === null ? null : end - theirs)
  return waitMs === null ? null : at + Math.min(Math.max(0, Math.ceil(waitMs)), longest)
}

/** Milliseconds from `now` until the reset. */
function untilReset(format: NonNullable<QuotaFacts['reset']>['format'], text: string, now: Instant): number | null {
  if (format === 'http_date' || format === 'iso8601') {
    const instant = format === 'http_date' ? parseHttpDate(text) : parseIsoInstant(text)
    return instant === null ? null : instant - now
  }
  if (!/^[0-9]{1,15}(?:\.[0-9]+)?$/.test(text)) return null
  const value = Number(text)
  switch (format) {
    case 'seconds':
      return value * SECOND
    case 'milliseconds':
      return value
    case 'epoch_seconds':
      return value * SECOND - now
    case 'epoch_milliseconds':
      return value - now
  }
}
