import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { isWideInteger } from '../provider/answer-body.ts'

type ValueType = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** What a documented answer looks like: types, members and elements, and no value. */
export interface Shape {
  readonly types: ReadonlySet<ValueType>
  readonly members: ReadonlyMap<string, Shape>
  readonly elements: Shape | null
}

/**
 * How a live answer differs from it. Paths and names are the documented ones and types are words of ours, so that nothing of the
 * live answer is in it, whatever its keys are.
 */
export interface ShapeDifference {
  readonly missing: readonly string[]
  readonly changed: readonly { readonly path: string; readonly expected: readonly ValueType[]; readonly found: readonly ValueType[] }[]
  /** Names of {@link WATCHED_NAMES} that came where none is documented. */
  readonly added: readonly string[]
}

/** Members whose arrival would change how a grant is looked after. Compared without case and separators. */
const WATCHED_NAMES = [
  'access_token',
  'refresh_token',
  'expires_in',
  'expires_at',
  'refresh_expires_in',
  'refresh_expires_at',
  'refresh_token_expires_in',
  'refresh_token_expires_at',
] as const
const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
const WATCHED = new Map(WATCHED_NAMES.map((name) => [plain(name), name]))
const LONGEST_NAME = 60
/** Enough elements of a list to know it by. */
const ELEMENTS = 20
const DEEPEST = 12
const MOST = 20

export function shapeOf(sample: JsonValue): Shape {
  const types = new Set([typeOf(sample)])
  if (Array.isArray(sample)) return { types, members: new Map(), elements: sample.length === 0 ? null : sample.map(shapeOf).reduce(merged) }
  const members = isJsonObject(sample) ? new Map(Object.entries(sample).map(([name, value]) => [name, shapeOf(value)])) : new Map<string, Shape>()
  return { types, members, elements: null }
}

function merged(left: Shape, right: Shape): Shape {
  const members = new Map(left.members)
  for (const [name, shape] of right.members) {
    const known = members.get(name)
    members.set(name, known === undefined ? shape : merged(known, shape))
  }
  const elements = left.elements === null || right.elements === null ? (left.elements ?? right.elements) : merged(left.elements, right.elements)
  return { types: new Set([...left.types, ...right.types]), members, elements }
}

/** Null when a live answer looks as documented: further members are no difference, nor is the absence of what the sample has as null, a null, an empty list or a member that a list's elements have only sometimes. */
export function compareShape(expected: Shape, live: JsonObject): ShapeDifference | null {
  const found: { missing: string[]; changed: ShapeDifference['changed'][number][]; added: Set<string> } = { missing: [], changed: [], added: new Set() }
  look(expected, [live], '', 0)
  const { missing, changed, added } = found
  if (missing.length === 0 && changed.length === 0 && added.size === 0) return null
  return { missing: missing.slice(0, MOST), changed: changed.slice(0, MOST), added: [...added].slice(0, MOST) }

  function look(shape: Shape, values: readonly JsonValue[], path: string, depth: number): void {
    const types = [...new Set(values.map((value) => typeWithin(shape, value)))].filter((type) => type !== 'null')
    const documented = [...shape.types].filter((type) => type !== 'null')
    if (documented.length > 0 && types.some((type) => !shape.types.has(type))) {
      found.changed.push({ path, expected: documented.sort(), found: types.sort() })
      return
    }
    if (depth >= DEEPEST) return
    lookAtMembers(shape, values.filter(isJsonObject), path, depth)
    const elements = values.flatMap((value) => (Array.isArray(value) ? value.slice(0, ELEMENTS) : []))
    if (shape.elements !== null && elements.length > 0) look(shape.elements, elements, below(path, '*'), depth + 1)
  }

  function lookAtMembers(shape: Shape, objects: readonly JsonObject[], path: string, depth: number): void {
    if (objects.length === 0 || shape.members.size === 0) return
    for (const [name, member] of shape.members) {
      const values = objects.filter((object) => Object.hasOwn(object, name)).map((object) => object[name] ?? null)
      if (values.length === 0) {
        if (!isOptional(member)) found.missing.push(below(path, name))
      } else look(member, values, below(path, name), depth + 1)
    }
    for (const object of objects) {
      for (const name of Object.keys(object)) {
        const watched = shape.members.has(name) || name.length > LONGEST_NAME ? undefined : WATCHED.get(plain(name))
        if (watched !== undefined) found.added.add(below(path, watched))
      }
    }
  }
}

/** A null in a sample stands for what may be absent. */
const isOptional = ({ types }: Shape): boolean => types.size === 1 && types.has('null')

const below = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** A number too wide for a double is read as its digits. */
function typeWithin({ types }: Shape, value: JsonValue): ValueType {
  return typeof value === 'string' && types.has('number') && isWideInteger(value) ? 'number' : typeOf(value)
}

function typeOf(value: JsonValue): ValueType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    default:
      return 'object'
  }
}
