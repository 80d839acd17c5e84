import type { JsonObject, JsonValue } from '../json.ts'
import { parseHttpDate } from './dates.ts'
import type { ProviderRecord } from './record.ts'
import type { ChainStep } from './record-around.ts'
import type { AnswerPath } from './record-terms.ts'
import type { ProviderAnswer } from './wire.ts'

/** A token as it may stand in a header name or a cookie name (RFC 9110 section 5.6.2). */
const NAME = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const HEADER = new RegExp(`^header:(${NAME})$`)
/** The value, or one of its attributes: `max-age` in seconds, `expires` as a date (RFC 6265 section 5.2). */
const COOKIE = new RegExp(`^cookie:(${NAME})(?:;(max-age|expires))?$`)
const BESIDE = /^(?:header|cookie):/

/** True for a path that means a header or a cookie: `header:X-Subject-Token`, `cookie:SESSION`, `cookie:SESSION;max-age`. */
export function isBesideBody(path: AnswerPath): boolean {
  return BESIDE.test(path)
}

/** False for one that begins like such a path and is none. */
export function isReadable(path: AnswerPath): boolean {
  return !isBesideBody(path) || HEADER.test(path) || COOKIE.test(path)
}

/** What of a record leads into its answers. */
type Named = Pick<ProviderRecord, 'answer' | 'verdicts' | 'account' | 'chain'>

/** Every path of the record that leads into an answer of its token endpoint or of a step of its chain, with where it stands. */
export function answerPathsOf(record: Named): (readonly [string, AnswerPath])[] {
  const { answer } = record
  const found: [string, AnswerPath | null | undefined][] = [
    ...named('answer.paths', answer.paths),
    ...named('answer.refreshPaths', answer.refreshPaths),
    ...named('answer.facts', answer.facts),
    ['answer.success.path', answer.success?.path],
    ...Object.entries(answer.tokens ?? {}).flatMap(([name, token]): [string, AnswerPath | null][] => [
      ...named(`answer.tokens.${name}.paths`, token.paths),
      ...named(`answer.tokens.${name}.refreshPaths`, token.refreshPaths),
      [`answer.tokens.${name}.account`, token.account],
    ]),
    ...record.account.flatMap((source, index): [string, AnswerPath | null][] =>
      source.from === 'answer'
        ? [...source.path.split(' + ').map((part): [string, AnswerPath] => [`account.${index}.path`, part]), [`account.${index}.label`, source.label]]
        : [],
    ),
    ...record.verdicts.flatMap(({ where }, index) => Object.keys(where).map((path): [string, AnswerPath] => [`verdicts.${index}.where`, path])),
    ...record.chain.flatMap((step, index): [string, AnswerPath | null][] => [
      [`chain.${index}.accessToken`, step.accessToken],
      [`chain.${index}.expiresIn`, step.expiresIn],
      ...named(`chain.${index}.facts`, step.facts),
    ]),
  ]
  return found.flatMap(([place, path]) => (path === null || path === undefined ? [] : [[place, path] as const]))
}

function named(place: string, table: object | null): [string, AnswerPath | null][] {
  return Object.entries(table ?? {}).map(([name, path]: [string, AnswerPath | null]) => [`${place}.${name}`, path])
}

interface Wanted {
  readonly path: AnswerPath
  readonly header: string | null
  readonly cookie: string | null
  readonly attribute: string | null
}

/** Records live as long as the process, and almost none of them names anything beside the body. */
const known = new WeakMap<Named, readonly Wanted[]>()

function wantedBy(record: Named): readonly Wanted[] {
  const before = known.get(record)
  if (before !== undefined) return before
  const paths = new Set(answerPathsOf(record).map(([, path]) => path))
  const wanted = [...paths].flatMap(wantedAt)
  known.set(record, wanted)
  return wanted
}

function wantedAt(path: AnswerPath): Wanted[] {
  const header = HEADER.exec(path)?.[1]
  if (header !== undefined) return [{ path, header: header.toLowerCase(), cookie: null, attribute: null }]
  const cookie = COOKIE.exec(path)
  return cookie === null ? [] : [{ path, header: null, cookie: cookie[1] ?? '', attribute: cookie[2] ?? null }]
}

/**
 * The answer's body as paths see it: beside its own members stand the headers and cookies that the record names, each under its
 * path. No member of the body can pretend to be one. Null when there is neither.
 */
export function withBeside(record: Named, answer: Pick<ProviderAnswer, 'headers'>, body: JsonObject | null): JsonObject | null {
  const wanted = wantedBy(record)
  if (wanted.length === 0) return body
  const cookies = cookiesOf(answer.headers)
  const told: Record<string, JsonValue> = { ...body }
  let any = false
  for (const { path, header, cookie, attribute } of wanted) {
    const value = header === null ? cookieValue(cookies.get(cookie ?? ''), attribute) : (answer.headers[header]?.trim() ?? '')
    if (value === '') delete told[path]
    else {
      told[path] = value
      any = true
    }
  }
  return body === null && !any ? null : told
}

/** As {@link withBeside}, for the answer to a step of the chain, whose body may be anything. */
export function stepWithBeside(step: ChainStep, record: Named, answer: Pick<ProviderAnswer, 'headers'>, body: JsonValue | undefined): JsonValue | undefined {
  const paths = [step.accessToken, step.expiresIn ?? '', ...Object.values(step.facts)]
  if (!paths.some(isBesideBody)) return body
  return withBeside(record, answer, typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as JsonObject) : null) ?? body
}

/** What a judge needs to read a stored answer again: its content type, and exactly the headers and cookies that the record names. */
export function keptHeaders(record: Named, { headers }: Pick<ProviderAnswer, 'headers'>): Record<string, string> {
  const names = wantedBy(record)
  const kept: Record<string, string> = {}
  for (const name of ['content-type', ...names.flatMap(({ header }) => (header === null ? [] : [header]))]) {
    const value = headers[name]
    if (value !== undefined) kept[name] = value
  }
  const wanted = new Set(names.flatMap(({ cookie }) => (cookie === null ? [] : [cookie])))
  const lines = wanted.size === 0 ? [] : linesOf(headers).filter((line) => wanted.has(nameOf(line)))
  if (lines.length > 0) kept['set-cookie'] = lines.join('\n')
  return kept
}

/** The values beside the body: as secret as those in it. */
export function valuesBeside(record: Named, answer: Pick<ProviderAnswer, 'headers'>): string[] {
  if (wantedBy(record).length === 0) return []
  const kept = keptHeaders(record, answer)
  const cookies = [...cookiesOf(kept).values()].map(({ value }) => unquoted(value))
  return [...Object.entries(kept).flatMap(([name, value]) => (name === 'content-type' || name === 'set-cookie' ? [] : [value])), ...cookies]
}

interface Cookie {
  readonly value: string
  readonly attributes: Readonly<Record<string, string>>
}

/** One a line: a date in a cookie has a comma, and so nothing else could part them. */
function linesOf(headers: Readonly<Record<string, string>>): string[] {
  return (headers['set-cookie'] ?? '').split('\n').filter((line) => line.includes('='))
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf('=')).trim()
}

/** By name; of several the last counts. */
function cookiesOf(headers: Readonly<Record<string, string>>): Map<string, Cookie> {
  const cookies = new Map<string, Cookie>()
  for (const line of linesOf(headers)) {
    const [pair = '', ...rest] = line.split(';')
    const attributes = rest.map((part): [string, string] => {
      const [name = '', ...value] = part.split('=')
      return [name.trim().toLowerCase(), value.join('=').trim()]
    })
    cookies.set(nameOf(pair), { value: pair.slice(pair.indexOf('=') + 1).trim(), attributes: Object.fromEntries(attributes) })
  }
  return cookies
}

/** A cookie that is taken back has no value. */
function cookieValue(cookie: Cookie | undefined, attribute: string | null): string {
  if (cookie === undefined || Number(cookie.attributes['max-age'] ?? 1) <= 0) return ''
  if (parseHttpDate(cookie.attributes.expires ?? '') === 0) return ''
  return attribute === null ? unquoted(cookie.value) : (cookie.attributes[attribute] ?? '')
}

function unquoted(value: string): string {
  return /^"[^"]*"$/.test(value) ? value.slice(1, -1) : value
}
