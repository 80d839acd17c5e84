import { describe, expect, test } from 'vitest'
import { CAUSES } from './causes.ts'
import { en } from './en.ts'
import { dayIn, LANGUAGES, preferredWords, wordsOf } from './languages.ts'
import { plain, say } from './say.ts'

const places = (text: string): readonly string[] => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''))].sort()

/** Every text by its path: `problems.connect_failed.text`. */
function textsOf(value: unknown, path = ''): ReadonlyMap<string, string> {
  if (typeof value === 'string') return new Map([[path, value]])
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return new Map(inner.flatMap(([name, one]) => [...textsOf(one, path === '' ? name : `${path}.${name}`)]))
}

describe.each(LANGUAGES.map((words) => [words.tag, words] as const))('%s', (tag, words) => {
  const texts = textsOf(words)

  test('says everything that English says, about the same places', () => {
    const english = textsOf(en)
    expect([...texts.keys()].sort()).toEqual([...english.keys()].sort())
    // `connect_failed` and its like may name a provider once more or less; nothing else may.
    for (const [path, text] of texts) expect({ path, places: places(text) }).toEqual({ path, places: places(english.get(path) ?? '') })
  })

  test('has no English in it', () => {
    if (tag === 'en') return
    const english = textsOf(en)
    const same = [...texts].filter(([path, text]) => text === english.get(path) && text.includes(' '))
    expect(same).toEqual([])
  })

  test('says nothing that only a developer understands', () => {
    expect(JSON.stringify([words, CAUSES[tag]])).not.toMatch(/invalid_grant|\b401\b|\btokens?\b|OAuth/i)
  })

  test('writes a day as its readers do', () => {
    const day = dayIn(tag, Date.UTC(2026, 10, 21, 23, 30))
    expect(day).toContain('21')
    expect(day).toContain('2026')
    expect(day).toBe(new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeZone: 'UTC' }).format(Date.UTC(2026, 10, 21)))
  })
})

test.each([
  [undefined, 'en'],
  ['de-CH, en;q=0.5', 'de'],
  ['nl, fr;q=0.4, ja;q=0.8', 'ja'],
  ['de;q=0, pt-BR', 'pt'],
  ['*', 'en'],
  ['x'.repeat(9_000), 'en'],
  ['es;q=abc', 'es'],
])('a browser that asks for %s gets %s', (header, tag) => {
  expect(preferredWords(header).tag).toBe(tag)
})

test('a language that we do not speak is none', () => {
  expect([wordsOf('nl'), wordsOf(''), wordsOf('__proto__')]).toEqual([undefined, undefined, undefined])
})

test('what fills a place is text, whatever is in it', () => {
  expect(say(en, '{P} for {A}', { P: '<b>', A: '{P} $&' }).markup).toBe('&lt;b&gt; for {P} $&amp;')
})

test('a name that is not known is said as a word, large where a sentence begins', () => {
  expect(plain(en, '{P} is there. {P} waits for {P}.', {})).toBe('The provider is there. The provider waits for the provider.')
})
