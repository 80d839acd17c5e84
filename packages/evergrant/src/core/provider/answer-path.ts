import { isJsonObject, type JsonValue } from '../json.ts'
import { isBesideBody } from './beside-body.ts'
import type { AnswerPath } from './record.ts'

type Conditions = Readonly<Record<AnswerPath, string | number | boolean>>

/** Every value a path leads to; several only where the path has a `*`. Never reads a prototype. */
export function valuesAt(root: JsonValue | undefined, path: AnswerPath): JsonValue[] {
  let found: JsonValue[] = root === undefined ? [] : [root]
  for (const segment of segmentsOf(path)) found = found.flatMap((value) => step(value, segment))
  return found
}

/** The first value a path leads to. */
export function valueAt(root: JsonValue | undefined, path: AnswerPath | null): JsonValue | undefined {
  if (path === null || root === undefined) return undefined
  const [only, ...more] = segmentsOf(path)
  if (only === undefined || more.length > 0 || !isJsonObject(root)) return valuesAt(root, path)[0]
  return Object.hasOwn(root, only) ? root[only] : undefined
}

/** Paths come from records, so there are few, and every answer is read by them. */
const known = new Map<AnswerPath, readonly string[]>()

function segmentsOf(path: AnswerPath): readonly string[] {
  const segments = known.get(path)
  if (segments !== undefined) return segments
  const split = isBesideBody(path) ? [path] : path.split('.')
  known.set(path, split)
  return split
}

/** A non-empty text or a number as text; anything else is null. */
export function textAt(root: JsonValue | undefined, path: AnswerPath | null): string | null {
  return asText(valueAt(root, path))
}

/** An account path: `a + b` joins with a colon, `*` takes the smallest. Null when any part is missing. */
export function accountAt(root: JsonValue | undefined, path: AnswerPath): string | null {
  const parts = path.split(' + ').map((part) => smallest(valuesAt(root, part).map(asText)))
  return parts.some((part) => part === null) ? null : parts.join(':')
}

/** True when every condition holds. An array fits when one of its elements does. */
export function conditionsHold(root: JsonValue | undefined, where: Conditions): boolean {
  return Object.entries(where).every(([path, expected]) => {
    return valuesAt(root, path).some((value) => fits(value, expected) || (Array.isArray(value) && value.some((element: JsonValue) => fits(element, expected))))
  })
}

/** A condition that is written as a regular expression; null when it is a plain value. */
export function patternOf(expected: string | number | boolean): RegExp | null {
  const parts = typeof expected === 'string' ? /^\/(.+)\/(i?)$/s.exec(expected) : null
  return parts === null ? null : new RegExp(parts[1] ?? '', parts[2])
}

function fits(value: JsonValue, expected: string | number | boolean): boolean {
  if (expected === '*') return value !== null && value !== undefined
  const pattern = patternOf(expected)
  if (pattern !== null) return (typeof value === 'string' || typeof value === 'number') && pattern.test(String(value))
  return value === expected || (typeof value !== 'object' && String(value) === String(expected))
}

function step(value: JsonValue, segment: string): JsonValue[] {
  if (Array.isArray(value)) {
    if (segment === '*') return [...value]
    const element: JsonValue | undefined = /^[0-9]{1,6}$/.test(segment) ? value[Number(segment)] : undefined
    return element === undefined ? [] : [element]
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, segment)) return []
  const member = value[segment]
  return member === undefined ? [] : [member]
}

const LONE_SURROGATE = /\p{Surrogate}/gu

/** JSON can say NUL and halves of characters, and PostgreSQL keeps neither: an answer with one could never be stored. */
function asText(value: JsonValue | undefined): string | null {
  if (typeof value === 'string' && value !== '') return value.replaceAll('\0', '\uFFFD').replace(LONE_SURROGATE, '\uFFFD')
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null
}

function smallest(values: readonly (string | null)[]): string | null {
  const texts = values.filter((value) => value !== null)
  return texts.length === 0 ? null : texts.reduce((least, value) => (byLengthThenText(value, least) < 0 ? value : least))
}

function byLengthThenText(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
