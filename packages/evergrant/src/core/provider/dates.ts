import { DAY, HOUR, type Instant, MINUTE, SECOND } from '../time.ts'

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/i
const IMF = /^(?:[A-Za-z]{3,9}, )?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}) (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC)$/

/** An ISO 8601 date or date-time; without an offset it is UTC. Null when it is none. */
export function parseIsoInstant(text: string): Instant | null {
  const parts = ISO.exec(text.trim())
  if (parts === null) return null
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone = 'Z'] = parts
  const date = instantOf(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second))
  if (date === null) return null
  return date + Math.floor(Number(`0.${fraction}`) * 1_000) - offsetOf(zone)
}

/** An HTTP date (RFC 9110 section 5.6.7, the preferred form). Null when it is none. */
export function parseHttpDate(text: string): Instant | null {
  const parts = IMF.exec(text.trim())
  if (parts === null) return null
  const [, day, month = '', year, hour, minute, second] = parts
  const index = MONTHS.indexOf(month.toLowerCase())
  return index < 0 ? null : instantOf(Number(year), index + 1, Number(day), Number(hour), Number(minute), Number(second))
}

/** The instant as ISO 8601 in its basic format, UTC: `20150830T123600Z`. */
export function basicDateTime(at: Instant): string {
  const { year, month, day } = civilFromDays(Math.floor(at / DAY))
  const rest = at - Math.floor(at / DAY) * DAY
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = [Math.floor(rest / HOUR), Math.floor((rest % HOUR) / MINUTE), Math.floor((rest % MINUTE) / SECOND)]
  return `${String(year).padStart(4, '0')}${two(month)}${two(day)}T${time.map(two).join('')}Z`
}

/** The instant for people, to the minute, UTC: `2015-08-30 12:36 UTC`. */
export function dateAndTime(at: Instant): string {
  const text = basicDateTime(at)
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)} ${text.slice(9, 11)}:${text.slice(11, 13)} UTC`
}

const CLOCK = /^(\d{1,6}):([0-5]\d)(?::([0-5]\d))?$/
const PERIOD = /^P(?=\d|T\d)(?:(\d{1,4})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10})(?:\.\d{1,9})?S)?)?$/

/** Seconds of a duration that is written out: `177:05:38` (hours first), or ISO 8601 without years and months (`PT1H30M`). Null when it is none. */
export function parseDuration(text: string): number | null {
  const clock = CLOCK.exec(text.trim())
  if (clock !== null) return (Number(clock[1]) * HOUR + Number(clock[2]) * MINUTE) / SECOND + Number(clock[3] ?? 0)
  const period = PERIOD.exec(text.trim())
  if (period === null) return null
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = period.slice(1).map((part) => Number(part ?? 0))
  return ((weeks * 7 + days) * DAY + hours * HOUR + minutes * MINUTE) / SECOND + seconds
}

function instantOf(year: number, month: number, day: number, hour: number, minute: number, second: number): Instant | null {
  const valid = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 24 && minute <= 59 && second <= 60
  return valid ? daysFromCivil(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second * SECOND : null
}

function offsetOf(zone: string): number {
  if (/^z$/i.test(zone)) return 0
  const sign = zone.startsWith('-') ? -1 : 1
  const digits = zone.slice(1).replace(':', '')
  return sign * (Number(digits.slice(0, 2)) * HOUR + Number(digits.slice(2)) * MINUTE)
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar: years are counted from March, so that the leap day is the last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** The other way round. */
function civilFromDays(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1 }
}
