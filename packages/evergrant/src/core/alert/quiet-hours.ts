import { DAY, HOUR, type Instant, MINUTE } from '../time.ts'

/** A time of every day, `HH:MM`, in which only what is critical is told. `from` after `to` goes over midnight. */
export interface QuietHours {
  readonly from: string
  readonly to: string
  /** IANA name: `Europe/Berlin`. */
  readonly timeZone: string
}

/** Minutes since midnight at `at` in a time zone. @throws when the zone is unknown */
export type MinuteOfDay = (at: Instant, timeZone: string) => number

const DAY_MINUTES = DAY / MINUTE
/** Digests come at eight in the morning. */
const DIGEST_MINUTE = (8 * HOUR) / MINUTE
/** A change of the clocks moves a time of day by this much at most. */
const CLOCK_CHANGE_MINUTES = 180

export function minuteOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return hours * 60 + minutes
}

/** The first instant at or after `now` that is not quiet. */
export function afterQuiet(now: Instant, quiet: QuietHours | null, minuteOfDay: MinuteOfDay): Instant {
  if (quiet === null) return now
  const [from, to] = [minuteOf(quiet.from), minuteOf(quiet.to)]
  const current = minuteOfDay(now, quiet.timeZone)
  const inside = from <= to ? current >= from && current < to : current >= from || current < to
  return inside ? nextAtMinute(now, to, quiet.timeZone, minuteOfDay) : now
}

/** When the next digest goes out. */
export function nextDigest(now: Instant, timeZone: string, minuteOfDay: MinuteOfDay): Instant {
  return nextAtMinute(now, DIGEST_MINUTE, timeZone, minuteOfDay)
}

/** When the digest of today, or yesterday's where today's is still to come, went out. */
export function lastDigest(now: Instant, timeZone: string, minuteOfDay: MinuteOfDay): Instant {
  const near = nextDigest(now - DAY, timeZone, minuteOfDay)
  // A day on which the clocks change is longer or shorter.
  return near <= now ? near : nextDigest(now - DAY - 2 * HOUR, timeZone, minuteOfDay)
}

/** The next instant after `now`, on a whole minute, whose time of day is `minute`; where the clocks jump over it, the time of the jump and no later. */
function nextAtMinute(now: Instant, minute: number, timeZone: string, minuteOfDay: MinuteOfDay): Instant {
  const whole = now - (now % MINUTE)
  const ahead = (minute - minuteOfDay(whole, timeZone) + DAY_MINUTES) % DAY_MINUTES
  const guess = whole + (ahead === 0 ? DAY_MINUTES : ahead) * MINUTE
  // Between now and then the clocks may have changed once.
  let off = minute - minuteOfDay(guess, timeZone)
  if (off > DAY_MINUTES / 2) off -= DAY_MINUTES
  if (off < -DAY_MINUTES / 2) off += DAY_MINUTES
  const corrected = Math.abs(off) <= CLOCK_CHANGE_MINUTES ? guess + off * MINUTE : guess
  return corrected > now ? corrected : guess
}
