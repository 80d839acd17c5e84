import type { JsonValue } from '../../core/json.ts'
import { patternOf } from '../../core/provider/answer-path.ts'

/** Objects and lists while they grow. */
type Growing = { [key: string]: Growing } | Growing[] | string | number | boolean | null

/** A copy of `root` in which each path leads to its value; what is missing on the way is made, `*` is the first element. */
export function jsonWith(root: JsonValue, wanted: readonly (readonly [path: string, value: JsonValue])[]): JsonValue {
  let grown = structuredClone(root) as Growing
  for (const [path, value] of wanted) grown = put(grown, path === '' ? [] : path.split('.'), structuredClone(value) as Growing)
  return grown as JsonValue
}

function put(at: Growing, [segment, ...rest]: readonly string[], value: Growing): Growing {
  if (segment === undefined) return value
  const index = segment === '*' ? 0 : /^[0-9]+$/.test(segment) ? Number(segment) : null
  if (index !== null) {
    const list = Array.isArray(at) ? [...at] : []
    while (list.length < index) list.push({})
    list[index] = put(list[index] ?? {}, rest, value)
    return list
  }
  // A path may lead through a list without saying so: then every element is meant, and the first will do.
  if (Array.isArray(at)) return [put(at[0] ?? {}, [segment, ...rest], value), ...at.slice(1)]
  const members = typeof at === 'object' && at !== null ? at : {}
  return { ...members, [segment]: put(members[segment] ?? {}, rest, value) }
}

/** A value that fits a condition of a record. @throws Error for a pattern that this cannot read: write its example into the test */
export function fitting(expected: string | number | boolean): string | number | boolean {
  if (expected === '*') return 'any'
  const pattern = patternOf(expected)
  if (pattern === null) return expected
  const text = textFor(pattern.source)
  if (!pattern.test(text)) throw new Error(`no example is known for ${pattern}: "${text}" does not fit`)
  return text
}

/** The simplest text of a simple pattern: the first alternative, nothing optional, one of each class. */
function textFor(source: string): string {
  let text = source.replace(/^\^|\$$/g, '')
  for (let group = /\((?:\?:)?([^()]*)\)(\?|\*)?/.exec(text); group !== null; group = /\((?:\?:)?([^()]*)\)(\?|\*)?/.exec(text)) {
    const first = (group[1] ?? '').split('|')[0] ?? ''
    text = text.slice(0, group.index) + (group[2] === undefined ? first : '') + text.slice(group.index + group[0].length)
  }
  return (text.split('|')[0] ?? '')
    .replace(/\^|\$/g, '')
    .replace(/\\d/g, '1')
    .replace(/\\[bsw]/g, '')
    .replace(/\[(.)[^\]]*\]/g, '$1')
    .replace(/\.[*+]/g, '')
    .replace(/[^\\]\?/g, '')
    .replace(/\\(.)/g, '$1')
    .replace(/[+*]$/, '')
}
