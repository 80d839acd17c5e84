import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { HOUR, type Instant, SECOND } from '../time.ts'
import { accountFromAnswer } from './account.ts'
import { textAt, valueAt } from './answer-path.ts'
import { decodeJwt } from './base64url.ts'
import type { ProviderContext } from './context.ts'
import { parseDuration, parseHttpDate, parseIsoInstant } from './dates.ts'
import type { AnswerFacts, TokenPaths } from './record.ts'
import type { Granted, TokenStep } from './verdict.ts'

const CENTURY_SECONDS = 100 * 365 * 24 * 3_600
const FALLBACK_SECONDS = HOUR / SECOND
/** VSCHAR of RFC 6749 appendix A.12; anything else cannot stand in a header. */
const USABLE_TOKEN = /^[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?$/

const TOKEN_TYPE = /^[\x21-\x7E]+$/

/** Where the tokens of this step stand in the answer. */
function pathsOf(context: ProviderContext, step: TokenStep): TokenPaths {
  const { answer } = context.record
  const name = context.token ?? answer.defaultToken
  const own = name === null ? undefined : answer.tokens?.[name]
  const facts = own ?? answer
  return step === 'refresh' ? (facts.refreshPaths ?? facts.paths) : facts.paths
}

/** What the answer grants; null when it carries no usable access token. Lifetimes count from `sentAt`. */
export function readGrant(context: ProviderContext, step: TokenStep, json: JsonObject, sentAt: Instant): Granted | null {
  const paths = pathsOf(context, step)
  const accessToken = textValue(json, paths.accessToken)
  if (accessToken === null || !USABLE_TOKEN.test(accessToken)) return null
  const { answer, lifetimes } = context.record
  const idToken = textValue(json, paths.idToken)
  const access = endOfToken(accessExpiry(json, paths, answer, lifetimes.accessSeconds, sentAt), accessToken, lifetimes.accessSeconds, sentAt)
  const claims = { idToken: idToken === null ? null : (decodeJwt(idToken)?.claims ?? null), accessToken: decodeJwt(accessToken)?.claims ?? null }
  const account = accountFromAnswer(context, json, claims, null)
  return {
    accessToken,
    refreshToken: textValue(json, paths.refreshToken),
    tokenType: tokenTypeOf(textValue(json, paths.tokenType)),
    accessExpiresAt: access.at,
    refreshExpiresAt: refreshExpiry(json, paths, answer, sentAt),
    scopes: readScopes(valueAt(json, paths.scope), answer.scopeSeparator),
    account: account?.account ?? null,
    accountLabel: account?.label ?? null,
    idToken,
    facts: readFacts(json, answer),
    ...(paths.grantExpiresIn === null ? {} : { grantExpiresAt: instantAfter(json, paths.grantExpiresIn, answer, sentAt) }),
    ...(access.remark === null ? {} : { remarks: [access.remark] }),
  }
}

/** The token that a refresh prolongs, where its answer carries none. */
export interface HeldToken {
  readonly accessToken: string
  readonly tokenType: string
}

/** What a success without a token grants (COROS): the held one lives on, counted from `sentAt`. */
export function prolongedGrant(context: ProviderContext, json: JsonObject, held: HeldToken, sentAt: Instant): Granted {
  const { answer, lifetimes } = context.record
  const access = accessExpiry(json, pathsOf(context, 'refresh'), answer, lifetimes.accessSeconds, sentAt)
  return {
    ...held,
    refreshToken: null,
    accessExpiresAt: access.at,
    refreshExpiresAt: null,
    scopes: null,
    account: null,
    accountLabel: null,
    idToken: null,
    facts: readFacts(json, answer),
    ...(access.remark === null ? {} : { remarks: [access.remark] }),
  }
}

/** Scopes as a list; null when the answer does not name them. An object is one of permission and level (GitHub). */
export function readScopes(value: JsonValue | undefined, separator: AnswerFacts['scopeSeparator']): string[] | null {
  const parts = partsOf(value, separator)
  return parts === null ? null : [...new Set(parts.map((part) => part.trim()).filter((part) => part !== ''))]
}

function partsOf(value: JsonValue | undefined, separator: AnswerFacts['scopeSeparator']): string[] | null {
  if (Array.isArray(value)) return value.filter((part) => typeof part === 'string')
  if (isJsonObject(value)) return Object.entries(value).flatMap(([name, level]) => (typeof level === 'string' ? [`${name}:${level}`] : []))
  return typeof value === 'string' ? value.split(splitter(separator)) : null
}

function splitter(separator: AnswerFacts['scopeSeparator']): RegExp {
  if (separator === 'either') return /[\s,]+/
  return separator === ',' ? /,/ : /\s+/
}

interface Expiry {
  readonly at: Instant | null
  readonly remark: string | null
  /** The answer named an end, or said that there is none. */
  readonly said: boolean
}

function accessExpiry(json: JsonObject, paths: TokenPaths, answer: AnswerFacts, accessSeconds: number | null, sentAt: Instant): Expiry {
  const said = valueAt(json, paths.expiresIn)
  if (numberOf(said) === 0 && answer.zeroMeansNever) return { at: null, remark: null, said: true }
  const relative = secondsOf(said, answer.expiresInUnit)
  if (relative !== null && relative > 0 && relative <= CENTURY_SECONDS) return { at: sentAt + Math.round(relative * SECOND), remark: null, said: true }
  const absolute = absoluteInstant(valueAt(json, paths.expiresAt), answer.expiresAtFormat)
  if (absolute !== null && absolute > sentAt && absolute - sentAt <= CENTURY_SECONDS * SECOND) return { at: absolute, remark: null, said: true }
  const spoke = isSaid(said) || isSaid(valueAt(json, paths.expiresAt))
  const assumed = accessSeconds ?? (spoke ? FALLBACK_SECONDS : null)
  return { at: assumed === null ? null : sentAt + assumed * SECOND, remark: spoke ? 'expiry_unusable' : null, said: spoke }
}

function refreshExpiry(json: JsonObject, paths: TokenPaths, answer: AnswerFacts, sentAt: Instant): Instant | null {
  const relative = instantAfter(json, paths.refreshExpiresIn, answer, sentAt)
  if (relative !== null) return relative
  const absolute = absoluteInstant(valueAt(json, paths.refreshExpiresAt), answer.expiresAtFormat)
  return absolute !== null && absolute > sentAt && absolute - sentAt <= CENTURY_SECONDS * SECOND ? absolute : null
}

function instantAfter(json: JsonObject, path: string | null, answer: AnswerFacts, sentAt: Instant): Instant | null {
  const seconds = secondsOf(valueAt(json, path), answer.expiresInUnit)
  return seconds !== null && seconds > 0 && seconds <= CENTURY_SECONDS ? sentAt + Math.round(seconds * SECOND) : null
}

function absoluteInstant(value: JsonValue | undefined, format: AnswerFacts['expiresAtFormat']): Instant | null {
  const number = numberOf(value)
  // A written date is never a plain number and the other way round: whatever the record says, the shape decides.
  if (number === null) return typeof value === 'string' ? (parseIsoInstant(value) ?? parseHttpDate(value)) : null
  return Math.round(format === 'epoch_milliseconds' ? number : number * SECOND)
}

/** A duration that is written out is one whatever the unit: its shape decides. */
function secondsOf(value: JsonValue | undefined, unit: AnswerFacts['expiresInUnit']): number | null {
  const number = numberOf(value)
  if (number === null) return typeof value === 'string' ? parseDuration(value) : null
  if (unit === 'milliseconds') return number / 1_000
  return unit === 'minutes' ? number * 60 : number
}

/** Where neither answer nor record knows an end, a token that is a JWT says it itself (RFC 7519 section 4.1.4). */
function endOfToken(expiry: Expiry, accessToken: string, accessSeconds: number | null, sentAt: Instant): Expiry {
  if (expiry.said || accessSeconds !== null) return expiry
  const end = numberOf(decodeJwt(accessToken)?.claims['exp'])
  if (end === null || end * SECOND <= sentAt || end * SECOND - sentAt > CENTURY_SECONDS * SECOND) return expiry
  return { ...expiry, at: Math.floor(end * SECOND) }
}

function numberOf(value: JsonValue | undefined): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'string' && /^\s*[+-]?[0-9]+(?:\.[0-9]+)?\s*$/.test(value) ? Number(value) : null
}

function isSaid(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== ''
}

function textValue(json: JsonObject, path: string | null): string | null {
  const value = valueAt(json, path)
  return typeof value === 'string' && value !== '' ? value : null
}

/** What is no word (RFC 6749 appendix A.13) can stand neither in a header nor in every database. */
function tokenTypeOf(said: string | null): string {
  return said === null || said.toLowerCase() === 'bearer' || !TOKEN_TYPE.test(said) ? 'Bearer' : said
}

function readFacts(json: JsonObject, answer: AnswerFacts): Record<string, string> {
  const facts: Record<string, string> = {}
  for (const [name, path] of Object.entries(answer.facts)) {
    const value = textAt(json, path)
    if (value !== null) facts[name] = value
  }
  return facts
}
