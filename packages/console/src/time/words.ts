import { system } from '../system.ts'

export type Instant = string | number | Date

const UNITS = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const satisfies readonly (readonly [Intl.RelativeTimeFormatUnit, number])[]
// Numbers alone: what ends in forty-seven hours ends on no day that "tomorrow" means, and days are nearer than weeks.
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' })

export const millisecondsOf = (instant: Instant): number => new Date(instant).getTime()

/** `in 5 min`, `2 days ago`, `now`. */
export function relativeWords(instant: Instant, now = system.now()): string {
  const seconds = (millisecondsOf(instant) - now) / 1_000
  if (Number.isNaN(seconds)) return 'unknown'
  if (Math.abs(seconds) < 5) return 'now'
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
  return relative.format(Math.trunc(seconds / size), unit)
}

/** `2026-11-21 19:14:02`, in the zone that is asked for. The same width everywhere, so that columns align. */
export function absoluteWords(instant: Instant, zone: 'local' | 'utc', seconds = true): string {
  const time = new Date(instant)
  if (Number.isNaN(time.getTime())) return 'unknown'
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-GB', {
      ...(zone === 'utc' ? { timeZone: 'UTC' } : {}),
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  )
  const { year, month, day, hour, minute, second } = parts
  return `${year}-${month}-${day} ${hour}:${minute}${seconds ? `:${second}` : ''}`
}

/** `Europe/Berlin` or `UTC`. */
export const zoneName = (zone: 'local' | 'utc'): string => (zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone)

/** `1 h 5 min`, `3 days`, `40 s`: at most two units. */
export function durationWords(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`
  let rest = Math.round(milliseconds / 1_000)
  const parts: string[] = []
  for (const [size, text] of [
    [86_400, ' d'],
    [3_600, ' h'],
    [60, ' min'],
    [1, ' s'],
  ] as const) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count}${text}`)
    if (parts.length === 2) break
  }
  return parts.join(' ')
}

const numbers = new Intl.NumberFormat('en')
/** `1,482`. */
export const numberWords = (value: number): string => numbers.format(value)
/** `1 connection`, `2 connections`. */
export const countWords = (count: number, one: string, many = `${one}s`): string => `${numberWords(count)} ${count === 1 ? one : many}`
