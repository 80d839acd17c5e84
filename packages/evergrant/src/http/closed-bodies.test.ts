// Mass assignment (S101, W915): no route takes a field that it does not name, at any depth, so nobody sets what the server decides.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SignedInPerson, signIn } from '../testing/people.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly patternProperties?: Readonly<Record<string, Schema>>
}

interface Operation {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly body: Schema
}

/** What only the server decides, in the words of every table that has it. */
const OURS = ['id', 'organization_id', 'status', 'generation', 'role'] as const
/** Maps whose names are the caller's own, or of a record or a browser: kept as they are, or read name by name. */
const MAPS = new Set([
  ...['/metadata', '/*/metadata'],
  ...['/variables', '/*/variables', '/facts', '/*/facts', '/credentials', '/authorize_parameters', '/settings/authorize_parameters'],
  ...['/passkey', '/subscription'],
])

let node: WholeNode
let owner: SignedInPerson
let operations: readonly Operation[]
beforeAll(async () => {
  node = await openWholeNode()
  owner = await signIn(node, { role: 'owner', organization: node.parts.organization })
  const { paths } = (await node.ask('GET', '/api/v1/openapi.json', null)).json
  operations = Object.entries(paths as Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).flatMap(([method, { requestBody }]) => {
        const body = requestBody?.content['application/json']?.schema
        return body === undefined ? [] : [{ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, body }]
      }),
  )
})
afterAll(() => node.close())

/** Where an object of a schema takes fields that it does not name, as JSON pointers. */
function openPlaces(schema: Schema, at = ''): readonly string[] {
  const inside = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => openPlaces(one, `${at}/${name}`)),
    ...(schema.items === undefined ? [] : openPlaces(schema.items, `${at}/*`)),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap((one) => openPlaces(one, at)),
  ]
  const isObject = schema.type === 'object' || schema.properties !== undefined || schema.patternProperties !== undefined
  return isObject && schema.additionalProperties !== false ? [at === '' ? '/' : at, ...inside] : inside
}

test('every object of every body names all its fields, but for a few maps that are the caller’s own (S101)', () => {
  expect(operations.length).toBeGreaterThan(60)
  expect(
    operations.flatMap(({ name, body }) =>
      openPlaces(body)
        .filter((place) => !MAPS.has(place))
        .map((place) => `${name} at ${place}`),
    ),
  ).toEqual([])
})

test('a body that would take anything is found, also inside a list or a choice', () => {
  expect(openPlaces({ type: 'object', properties: {} })).toEqual(['/'])
  const inner: Schema = { type: 'object', properties: { deep: { type: 'object' } }, additionalProperties: false }
  expect(openPlaces({ type: 'object', additionalProperties: false, properties: { list: { items: { anyOf: [inner] } } } })).toEqual(['/list/*/deep'])
})

test('what only the server decides is refused by name wherever a body is taken, and nothing is changed (S101)', async () => {
  const events = async () => (await node.ask('GET', '/api/v1/events?limit=1', owner.token)).json.items[0]?.id
  const before = await events()
  const taken: string[] = []
  for (const { name, method, path, body } of operations.filter(({ body }) => body.type === 'object')) {
    const url = path.replaceAll(/\{[a-z]+\}/g, 'never-was')
    for (const field of OURS.filter((one) => body.properties?.[one] === undefined)) {
      const { status, json } = await node.ask(method, url, owner.token, { [field]: 'mine' })
      if (status < 400) taken.push(`${name} takes ${field}`)
      else if (status === 400 && typeof json?.field !== 'string') taken.push(`${name} refuses ${field} without naming a field`)
    }
  }
  expect(taken).toEqual([])
  expect(await events()).toBe(before)
})
