import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { decodeForm } from './form.ts'
import type { ProviderAnswer } from './wire.ts'

/** The body as an object: JSON, or form-encoded where the record or the content type says so. Null when it is neither. Total. */
export function readAnswerBody(answer: Pick<ProviderAnswer, 'headers' | 'text'>, formEncoded: boolean): JsonObject | null {
  const text = answer.text.replace(/^\uFEFF/, '').trim()
  const json = parseJson(text)
  if (json !== undefined) return isJsonObject(json) ? json : null
  const type = answer.headers['content-type'] ?? ''
  return formEncoded || type.startsWith('application/x-www-form-urlencoded') ? decodeForm(text) : null
}

/** Parses JSON; undefined when it is none. A whole number that a double would round comes as its digits, see {@link isWideInteger}. */
export function parseJson(text: string): JsonValue | undefined {
  return parsed(text, /[0-9]{16}/.test(text) ? keepDigits : undefined)
}

/** Parses JSON; undefined when it is none. A number is a number, however wide: for what has to be a text and may be nothing that looks like one. */
export function parsePlainJson(text: string): JsonValue | undefined {
  return parsed(text)
}

function parsed(text: string, reviver?: typeof keepDigits): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text, reviver)
    return value
  } catch {
    return undefined
  }
}

/** Ids are written as numbers, too: rounded, an account would be another one, or one with its neighbours. */
export function isWideInteger(text: string): boolean {
  return /^-?[0-9]+$/.test(text) && !Number.isSafeInteger(Number(text))
}

/** Claims of RFC 7519 section 4.1 that are compared with a clock: how far away is no matter beyond 2^53. */
const TIMES: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat'])

function keepDigits(name: string, value: JsonValue, { source }: { readonly source?: string } = {}): JsonValue {
  return typeof value === 'number' && source !== undefined && isWideInteger(source) && !TIMES.has(name) ? source : value
}
