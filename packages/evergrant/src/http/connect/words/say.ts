import { type Html, html } from '../../html.ts'
import { CAUSES, type Cause, type CauseCode } from './causes.ts'
import type { PageWords } from './page-words.ts'

/** What fills the places of a text. */
type Places = Readonly<Record<string, string | Html | null | undefined>>

/** The text with its places filled in, escaped. What is not known is said as a word, large where it begins a sentence. */
export function say(words: PageWords, text: string, places: Places): Html {
  return html`${split(words, text, places)}`
}

/** The same as plain text, for titles. Of `places` only texts count. */
export function plain(words: PageWords, text: string, places: Readonly<Record<string, string | null | undefined>>): string {
  return split(words, text, places)
    .map((part) => (typeof part === 'string' ? part : part.markup))
    .join('')
}

function split(words: PageWords, text: string, places: Places): readonly (string | Html)[] {
  return text.split(/(\{\w+\})/).map((part, index, all) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) return part
    const before = all[index - 1] ?? ''
    const begins = (before === '' && index === 1) || /[.!?。！？] ?$/.test(before)
    return places[name] ?? standIn(words, name, begins)
  })
}

function standIn(words: PageWords, name: string, begins: boolean): string {
  const known: Readonly<Record<string, string>> = { P: words.provider, A: words.account, B: words.otherAccount }
  const word = known[name] ?? ''
  return begins ? word.charAt(0).toLocaleUpperCase(words.tag) + word.slice(1) : word
}

export function causeOf(words: PageWords, code: string): Cause | undefined {
  return isCause(code) ? CAUSES[words.tag][code] : undefined
}

/** The first body whose places are all known; provider and account always are, since words stand in for them. */
export function bodyOf({ body }: Cause, known: ReadonlySet<string>): string {
  const complete = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].every(([, name = '']) => name === 'P' || name === 'A' || known.has(name))
  return body.find(complete) ?? body.at(-1) ?? ''
}

function isCause(code: string): code is CauseCode {
  return Object.hasOwn(CAUSES.en, code)
}
