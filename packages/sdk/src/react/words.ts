import type { Places } from './incident.ts'
import type { Labels, Plural } from './labels.ts'

/** Relative times change at most this often, so that a screen reader and an eye can follow. */
export const COUNT_MS = 10_000
const MINUTE_S = 60
const HOUR_S = 3_600
const DAY_S = 86_400

/** The first of `texts` whose places are all known, filled in; empty when there is none. */
export function say(labels: Labels, texts: string | readonly string[], places: Places): string {
  const words: Places = { P: labels.provider, A: labels.account, App: labels.app }
  for (const text of typeof texts === 'string' ? [texts] : texts) {
    let complete = true
    const filled = text.replace(/\{(\w+)\}/g, (_place, name: string, at: number) => {
      const value = places[name] ?? null
      if (value !== null) return String(value)
      const word = words[name]
      if (word === undefined) complete = false
      // Stand-ins are written as they are in the middle of a sentence.
      return at === 0 || text.slice(at - 2, at) === '. ' ? capital(String(word), labels.locale) : String(word)
    })
    if (complete) return filled
  }
  return ''
}

/** `{n}` in the plural form that the language has for it. */
export function count(labels: Labels, forms: Plural, n: number): string {
  const form = forms[new Intl.PluralRules(labels.locale).select(n)] ?? forms.other
  return form.replace('{n}', new Intl.NumberFormat(labels.locale).format(n))
}

/** 'in 20 seconds', 'tomorrow', 'now': from `now` to `at`, both in milliseconds since 1970. */
export function fromNow(labels: Labels, at: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((at - now) / COUNT_MS) * (COUNT_MS / 1000))
  const [size, unit] = unitOf(seconds)
  return new Intl.RelativeTimeFormat(labels.locale, { numeric: 'auto' }).format(Math.round(seconds / size), unit)
}

export const onDate = (labels: Labels, at: number): string => new Intl.DateTimeFormat(labels.locale, { dateStyle: 'medium' }).format(at)

function unitOf(seconds: number): [size: number, unit: Intl.RelativeTimeFormatUnit] {
  if (seconds < MINUTE_S) return [1, 'second']
  if (seconds < HOUR_S) return [MINUTE_S, 'minute']
  return seconds < DAY_S ? [HOUR_S, 'hour'] : [DAY_S, 'day']
}

function capital(word: string, locale: string): string {
  return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1)
}
