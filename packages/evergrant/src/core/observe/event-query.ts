import { Fault } from '../fault/fault.ts'
import { parseIsoInstant } from '../provider/dates.ts'
import type { Instant } from '../time.ts'

export const EVENT_FIELDS = ['connection', 'owner', 'code', 'provider', 'type', 'actor', 'subject', 'agent'] as const
export type EventField = (typeof EVENT_FIELDS)[number]

/** `type:connection.*` is `{ field: 'type', value: 'connection.', prefix: true, negated: false }`. */
export interface EventTerm {
  readonly field: EventField
  readonly value: string
  /** It begins so: `*` stood at the end. Alone, `*` is anything at all. */
  readonly prefix: boolean
  readonly negated: boolean
}

/** Terms of one field are alternatives; fields hold together; a negated term always holds. */
export interface EventQuery {
  readonly terms: readonly EventTerm[]
  /** `after:`, inclusive. */
  readonly from: Instant | null
  /** `before:`, exclusive. */
  readonly to: Instant | null
}

export const EVERY_EVENT: EventQuery = { terms: [], from: null, to: null }

const MAX_LENGTH = 1_000
const MAX_TERMS = 20
const FIELDS_SAID = [...EVENT_FIELDS, 'after', 'before'].map((field) => `${field}:`).join(' ')
/** A pasted id needs no field: what it is says where to look. */
const ID = /^(con|agt|[a-z]{2,4})_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

interface Word {
  readonly text: string
  /** Counted from 1. */
  readonly at: number
}

interface Bounds {
  from: Instant | null
  to: Instant | null
}

/**
 * `connection:con_... code:invalid_grant -agent:* after:2026-11-01`. A value with spaces stands in double quotes.
 * @throws Fault `invalid_request` that names the character where it stopped to make sense
 */
export function parseEventQuery(text: string, field = 'q'): EventQuery {
  if (text.length > MAX_LENGTH) throw new Fault('invalid_request', { field, detail: `The query has ${text.length} characters; ${MAX_LENGTH} are taken.` })
  const words = wordsOf(text, field)
  if (words.length > MAX_TERMS) throw new Fault('invalid_request', { field, detail: `The query has ${words.length} words; ${MAX_TERMS} are taken.` })
  const terms: EventTerm[] = []
  const bounds: Bounds = { from: null, to: null }
  for (const word of words) {
    const term = termOf(word, bounds, field)
    if (term !== null) terms.push(term)
  }
  return { terms, ...bounds }
}

function wordsOf(text: string, field: string): readonly Word[] {
  const words: Word[] = []
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) {
      at += 1
      continue
    }
    const start = at
    let quoted = false
    let quoteAt = 0
    while (at < text.length && (quoted || !/\s/.test(text[at] ?? ''))) {
      if (text[at] === '"') {
        quoted = !quoted
        quoteAt = at + 1
      }
      at += 1
    }
    if (quoted) throw wrong(field, quoteAt, 'the quotation mark is never closed')
    words.push({ text: text.slice(start, at), at: start + 1 })
  }
  return words
}

function termOf(word: Word, bounds: Bounds, field: string): EventTerm | null {
  const negated = word.text.startsWith('-')
  const text = negated ? word.text.slice(1) : word.text
  const at = word.at + (negated ? 1 : 0)
  const colon = text.indexOf(':')
  if (colon < 0) return pasted(text, negated, at, field)
  const name = text.slice(0, colon)
  const value = unquoted(text.slice(colon + 1))
  if (value === '') throw wrong(field, at + colon + 1, `\`${name}:\` has no value; write \`${name}:something\` without a space`)
  if (name === 'after' || name === 'before') {
    bound(bounds, name, negated, { value, at: at + colon + 1 }, field)
    return null
  }
  const known = EVENT_FIELDS.find((candidate) => candidate === name)
  if (known === undefined) throw wrong(field, at, `\`${name}\` is no field; there are ${FIELDS_SAID}`)
  const star = value.indexOf('*')
  if (star >= 0 && star < value.length - 1) throw wrong(field, at + colon + 1 + star, '`*` may stand only at the end of a value')
  return { field: known, value: star < 0 ? value : value.slice(0, -1), prefix: star >= 0, negated }
}

function pasted(text: string, negated: boolean, at: number, field: string): EventTerm {
  const prefix = ID.exec(text)?.[1]
  if (prefix === undefined) throw wrong(field, at, `\`${text.slice(0, 40)}\` says not where to look; write one of ${FIELDS_SAID} before it`)
  const where: EventField = prefix === 'con' ? 'connection' : prefix === 'agt' ? 'agent' : 'subject'
  return { field: where, value: text, prefix: false, negated }
}

function bound(
  bounds: Bounds,
  name: 'after' | 'before',
  negated: boolean,
  { value, at }: { readonly value: string; readonly at: number },
  field: string,
): void {
  const instant = parseIsoInstant(value)
  if (instant === null) throw wrong(field, at, `\`${value.slice(0, 40)}\` is no time; write \`${name}:2026-01-31\` or \`${name}:2026-01-31T12:00:00Z\``)
  if ((name === 'after') !== negated) bounds.from = bounds.from === null ? instant : Math.max(bounds.from, instant)
  else bounds.to = bounds.to === null ? instant : Math.min(bounds.to, instant)
}

function unquoted(text: string): string {
  return text.replaceAll('"', '')
}

function wrong(field: string, at: number, why: string): Fault {
  return new Fault('invalid_request', { field, detail: `At character ${at} of the query: ${why}.`, members: { position: at } })
}
