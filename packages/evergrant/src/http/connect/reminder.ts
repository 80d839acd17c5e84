import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ConnectView } from '../../core/connect/connect-view.ts'
import { DAY } from '../../core/time.ts'
import { calendarFile } from './calendar-entry.ts'
import { languageOf } from './language.ts'
import { dayIn } from './words/languages.ts'
import { plain } from './words/say.ts'

/** What is added to the address of a page. */
export const REMINDER = '/reminder.ics'

interface Reminder {
  readonly view: Pick<ConnectView, 'provider' | 'application'>
  /** What it leads to, whole, and until when that works (milliseconds since 1970). */
  readonly url: string
  readonly until: number
}

/** The same hour of tomorrow, as a file that calendars open. Asking for it again makes the same entry, not a second one. */
export function sendReminder(reply: FastifyReply, request: FastifyRequest, { view, url, until }: Reminder, now: number): FastifyReply {
  const words = languageOf(request)
  const places = { P: view.provider, App: view.application }
  const text = plain(words, words.reminderText, { ...places, date: dayIn(words.tag, until) })
  const at = now + DAY
  const file = calendarFile({ uid: url, madeAt: now, at, title: plain(words, words.reminderTitle, places), text, url })
  return reply
    .header('content-disposition', 'attachment; filename="reminder.ics"')
    .header('content-language', words.tag)
    .header('cache-control', 'no-store')
    .type('text/calendar; charset=utf-8')
    .send(file)
}
