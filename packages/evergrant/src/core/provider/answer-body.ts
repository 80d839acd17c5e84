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

/** Parses JSON; undefined when it is none. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}
