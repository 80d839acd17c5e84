import fc from 'fast-check'

/** A JSON schema, as far as the document of this API uses the language. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly maxProperties?: number
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
}

/** Ids of rows that are there, by what they begin with: `con_`. */
type KnownIds = Readonly<Record<string, string>>

const LONGEST_LIST = 3
const LONGEST_TEXT = 40
const ANYTHING = fc.jsonValue({ maxDepth: 2 })

/** To build one takes far longer than to draw from it, and the same few come up in every schema. */
const built = new Map<string, fc.Arbitrary<string>>()

function builtOnce(name: string, build: () => fc.Arbitrary<string>): fc.Arbitrary<string> {
  const arbitrary = built.get(name) ?? build()
  built.set(name, arbitrary)
  return arbitrary
}

/** What the schema allows. An id is half of the time one of `ids`, so that requests go further than "not found". */
export function valuesOf(schema: JsonSchema, ids: KnownIds = {}): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valuesOf(one, ids)))
  const [type] = [schema.type].flat()
  switch (type) {
    case 'string':
      return textsOf(schema, ids)
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1_000, max: schema.maximum ?? 2 ** 31 })
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return listsOf(schema, ids)
    case 'object':
      return objectsOf(schema, ids)
    default:
      return ANYTHING
  }
}

function textsOf({ pattern, minLength = 0, maxLength = LONGEST_TEXT }: JsonSchema, ids: KnownIds): fc.Arbitrary<string> {
  const known = ids[/^\^([a-z]+_)\[/.exec(pattern ?? '')?.[1] ?? '']
  const lengths = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, LONGEST_TEXT)) }
  if (pattern === undefined) return builtOnce(`${lengths.minLength} to ${lengths.maxLength}`, () => fc.string({ unit: 'grapheme', ...lengths }))
  // The pattern alone, cut to length: where the cut breaks it, the request is one of the refused ones.
  const made = builtOnce(pattern, () => fc.stringMatching(new RegExp(pattern))).map((text) => text.slice(0, maxLength))
  return known === undefined ? made : fc.oneof(fc.constant(known), made)
}

function listsOf({ items = {}, minItems = 0, maxItems = LONGEST_LIST, uniqueItems }: JsonSchema, ids: KnownIds): fc.Arbitrary<unknown[]> {
  const lengths = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, LONGEST_LIST)) }
  const values = valuesOf(items, ids)
  return uniqueItems === true ? fc.uniqueArray(values, { ...lengths, selector: (value) => JSON.stringify(value) }) : fc.array(values, lengths)
}

function objectsOf(schema: JsonSchema, ids: KnownIds): fc.Arbitrary<Record<string, unknown>> {
  const { properties = {}, required = [], additionalProperties, maxProperties = 4 } = schema
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, valuesOf(field, ids)]))
  const named = fc.record(fields, { requiredKeys: [...required], noNullPrototype: true })
  if (typeof additionalProperties !== 'object') return named
  const more = fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), valuesOf(additionalProperties, ids), {
    maxKeys: Math.min(maxProperties, 4),
    noNullPrototype: true,
  })
  return fc.tuple(more, named).map(([extra, own]) => ({ ...extra, ...own }))
}

/** What nobody sends who means well. Written as JSON, each is one value. */
const HOSTILE_VALUES: readonly unknown[] = [
  null,
  '',
  ' ',
  -1,
  0,
  1e308,
  2 ** 53,
  true,
  [],
  {},
  [[[[[[]]]]]],
  { length: 1_000_000 },
  { toString: 'x', valueOf: 1 },
  '\u0000',
  'a\r\nset-cookie: planted=1',
  '\ud800',
  '\u202ereversed',
  'x'.repeat(9_000),
  "' OR '1'='1' -- ",
  '"; DROP TABLE connections; --',
  '%00%0d%0a',
  '../../../../etc/passwd',
  '<script>alert(1)</script>',
  '{{7*7}}',
  'http://[::1',
  'constructor',
  '__proto__',
  '0001-02-30T25:61:61Z',
  '9999-12-31T23:59:59.999999999+23:59',
]

export const hostile: fc.Arbitrary<unknown> = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...HOSTILE_VALUES) }, fc.jsonValue({ maxDepth: 3 }))
