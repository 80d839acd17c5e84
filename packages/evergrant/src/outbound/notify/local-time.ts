import type { MinuteOfDay } from '../../core/alert/quiet-hours.ts'

const formats = new Map<string, Intl.DateTimeFormat>()
const MOST = 500

function formatFor(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  if (formats.size < MOST) formats.set(timeZone, made)
  return made
}

/** By the time zone data of this runtime. @throws RangeError for a zone that it does not know */
export const minuteOfDay: MinuteOfDay = (at, timeZone) => {
  const parts = formatFor(timeZone).formatToParts(at)
  const partOf = (type: 'hour' | 'minute') => Number(parts.find((part) => part.type === type)?.value ?? 0)
  return partOf('hour') * 60 + partOf('minute')
}
