import { describe, expect, test } from 'vitest'
import { de } from './labels/de.ts'
import { en } from './labels/en.ts'
import { es } from './labels/es.ts'
import { fr } from './labels/fr.ts'
import { ja } from './labels/ja.ts'
import { pt } from './labels/pt.ts'
import type { Labels, Message, MessageCode } from './labels.ts'
import { count, fromNow, onDate, say } from './words.ts'

const languages = { de, en, es, fr, ja, pt }
const others = Object.entries(languages).filter(([name]) => name !== 'en')
const codes = Object.keys(en.messages) as MessageCode[]
const DAY = 86_400_000

const places = (text: string | undefined): string[] => [...(text ?? '').matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort()
/** What a message says about whom: places of its title, of each of its bodies, and of its steps. */
const shape = ({ title, body, primary, secondary }: Message): object => ({
  title: places(title),
  body: body.map(places),
  primary: primary === undefined ? null : places(primary),
  secondary: secondary === undefined ? null : places(secondary),
})

describe.each(others)('%s', (_name, labels) => {
  test('says the same as English, about the same places, with the same steps', () => {
    expect(Object.keys(labels.messages).sort()).toEqual([...codes].sort())
    for (const code of codes) expect({ code, ...shape(labels.messages[code]) }).toEqual({ code, ...shape(en.messages[code]) })
  })

  test('has a word for every state and every other text', () => {
    expect(Object.keys(labels).sort()).toEqual(Object.keys(en).sort())
    expect(Object.keys(labels.status).sort()).toEqual(Object.keys(en.status).sort())
    expect(Object.values(labels.status).every((word) => word.length > 0)).toBe(true)
  })

  test('is not English', () => {
    const same = codes.filter((code) => labels.messages[code].title === en.messages[code].title)
    expect(same).toEqual([])
  })
})

describe.each(Object.entries(languages))('all of %s', (_name, labels) => {
  test('has a form for every plural that its language makes of whole numbers', () => {
    const rules = new Intl.PluralRules(labels.locale)
    for (const n of [0, 1, 2, 3, 5, 11, 100]) {
      const form = count(labels, labels.more, n)
      expect(form).toContain(String(n))
      expect(rules.select(n) in labels.more || 'other' in labels.more).toBe(true)
    }
  })

  test('never shows a place that is not filled', () => {
    for (const code of codes) {
      const { title, body, primary, secondary } = labels.messages[code]
      for (const texts of [title, body, primary ?? '', secondary ?? '']) expect(say(labels, texts, {})).not.toMatch(/[{}]/)
    }
  })

  test('says nothing that a person does not understand', () => {
    expect(JSON.stringify(labels)).not.toMatch(/invalid_grant|\b401\b|\btokens?\b|OAuth/i)
  })
})

test('a text is taken as soon as all that it names is known', () => {
  const { body } = en.messages.connection_expired
  expect(say(en, body, { A: 'ana@example.com' })).toBe('Access for ana@example.com has expired. Syncing is paused; nothing was deleted.')
  expect(say(en, body, { A: 'ana@example.com', date: '1 May' })).toBe('Access for ana@example.com expired on 1 May. Syncing is paused; nothing was deleted.')
})

test('names that are not known are written as words, large at the beginning of a sentence', () => {
  expect(say(en, '{P} and {P}. {A}', { P: null })).toBe('The provider and the provider. Your account')
})

test('names are text, whatever is in them', () => {
  expect(say(en, en.messages.connection_paused.title, { P: '$& {A} <b>' })).toBe('$& {A} <b> is paused')
})

test.each([
  [0, 'now', 'jetzt'],
  [4_000, 'in 10 seconds', 'in 10 Sekunden'],
  [50_000, 'in 50 seconds', 'in 50 Sekunden'],
  [60_000, 'in 1 minute', 'in 1 Minute'],
  [2 * 3_600_000, 'in 2 hours', 'in 2 Stunden'],
  [DAY, 'tomorrow', 'morgen'],
  [5 * DAY, 'in 5 days', 'in 5 Tagen'],
  [-DAY, 'now', 'jetzt'],
])('%i ms from now is %s, and %s', (ms, english, german) => {
  const now = Date.UTC(2026, 10, 21)
  expect([fromNow(en, now + ms, now), fromNow(de, now + ms, now)]).toEqual([english, german])
})

test('dates are written as the language writes them', () => {
  const labels: readonly Labels[] = [en, de, ja]
  expect(labels.map((language) => onDate(language, Date.UTC(2026, 10, 21, 12)))).toEqual(['Nov 21, 2026', '21.11.2026', '2026/11/21'])
})
