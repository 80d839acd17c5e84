import { MINUTE } from '../../core/time.ts'

interface CalendarEntry {
  readonly uid: string
  /** Milliseconds since 1970: when it was made, and when it is due. */
  readonly madeAt: number
  readonly at: number
  readonly title: string
  readonly text: string
  readonly url: string
}

const LONGEST_LINE = 75
const LASTS = 15 * MINUTE

/** An iCalendar file (RFC 5545) of one entry that rings when it is due. It needs no address of anybody, and nothing of it is stored here. */
export function calendarFile({ uid, madeAt, at, title, text, url }: CalendarEntry): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Evergrant//Reminder//EN',
    'BEGIN:VEVENT',
    `UID:${escaped(uid)}`,
    `DTSTAMP:${instant(madeAt)}`,
    `DTSTART:${instant(at)}`,
    `DTEND:${instant(at + LASTS)}`,
    `SUMMARY:${escaped(title)}`,
    `DESCRIPTION:${escaped(`${text}\n${url}`)}`,
    `URL:${url}`,
    'TRANSP:TRANSPARENT',
    'BEGIN:VALARM',
    'ACTION:DISPLAY',
    `DESCRIPTION:${escaped(title)}`,
    'TRIGGER:PT0S',
    'END:VALARM',
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return lines.map((line) => `${folded(line)}\r\n`).join('')
}

function instant(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(/\r?\n/g, '\\n')
}

/** A line is at most 75 octets; no sign of several octets is cut in two. */
function folded(line: string): string {
  const lines: string[] = []
  let part = ''
  for (const sign of line) {
    if (Buffer.byteLength(part + sign) > LONGEST_LINE - (lines.length === 0 ? 0 : 1)) {
      lines.push(part)
      part = ''
    }
    part += sign
  }
  return [...lines, part].join('\r\n ')
}
