import type { LanguageTag } from './causes.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { PageWords } from './page-words.ts'
import { pt } from './pt.ts'

/** In the order in which the pages offer them: by what the languages call themselves. */
export const LANGUAGES: readonly PageWords[] = [de, en, es, fr, pt, ja]

export const DEFAULT_WORDS = en

/** The words of a language tag such as `de` or `de-CH`; undefined when we do not speak it. */
export function wordsOf(tag: string): PageWords | undefined {
  const language = tag.trim().toLowerCase().split('-')[0]
  return LANGUAGES.find((words) => words.tag === language)
}

/** The language that a browser likes best among ours (RFC 9110, section 12.5.4); English when it likes none. */
export function preferredWords(acceptLanguage: string | undefined): PageWords {
  const wishes = (acceptLanguage ?? '')
    .slice(0, 500)
    .split(',')
    .map((wish) => {
      const [tag = '', ...parameters] = wish.split(';')
      const quality = parameters.map((parameter) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(parameter)?.[1]).find((value) => value !== undefined)
      return { words: wordsOf(tag), quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ quality }) => quality > 0)
    .sort((one, other) => other.quality - one.quality)
  return wishes.find(({ words }) => words !== undefined)?.words ?? DEFAULT_WORDS
}

/** A day as the language writes it. In UTC: the reader's time zone is not known, and near midnight the day may be off by one. */
export function dayIn(tag: LanguageTag, at: number): string {
  return new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeZone: 'UTC' }).format(at)
}
