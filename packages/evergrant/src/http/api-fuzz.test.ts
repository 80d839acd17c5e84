// Every operation of the OpenAPI document, asked with what its schemas allow and with what nobody sends who means well (S103).
import { Ajv, type ValidateFunction } from 'ajv'
import fc from 'fast-check'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PlantedOrganization, plantOrganization } from '../testing/planted-organization.ts'
import { hostile, type JsonSchema, valuesOf } from '../testing/schema-values.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'
import { type App, closed, PROBLEMS } from './schema.ts'

/** Requests of each operation, and where the sequence begins: more when somebody asks for more. */
const RUNS = Number(process.env['API_FUZZ_RUNS'] ?? 7)
/** Before them so many of each operation that nothing is wrong with: behind a refusal nothing is looked into. */
const ORDINARY = 3
const SEED = Number(process.env['API_FUZZ_SEED'] ?? 20_261_121)
/** An answer takes milliseconds. */
const HANGS_MS = 10_000

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: JsonSchema
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>>
  readonly security?: readonly Readonly<Record<string, unknown>>[]
}

interface Asked {
  readonly path: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/** Answers that have no end, or that are whatever a provider says. */
const ENDLESS = new Set(['GET /api/v1/console/stream', 'GET /api/v1/sweeps/{id}/stream'])
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const
/** What reads comes before what changes, and what takes away comes last: the rows that are asked about stay as long as they can. */
const LAST: Readonly<Record<string, number>> = { get: 0, post: 1, put: 1, patch: 1, delete: 2 }

let node: WholeNode
let own: PlantedOrganization
let shadow: PlantedOrganization
let operations: readonly { readonly name: string; readonly method: string; readonly path: string; readonly operation: Operation }[]

/** Wrong on purpose: what is found in them shows that it would be found elsewhere. */
const CANARIES: Readonly<Record<string, (owner: string) => unknown>> = {
  crash: (owner) => {
    if (owner.includes("'")) throw new TypeError('unterminated')
    return { ok: true }
  },
  shape: (owner) => ({ ok: owner.length === 1 ? 'perhaps' : true }),
  leak: (owner) => ({ ok: true, ...(owner.length > 3 ? { of: 'shadowed-owner' } : {}) }),
}

function canaries(app: App): void {
  for (const [name, answer] of Object.entries(CANARIES)) {
    const schema = { tags: ['canary'], querystring: closed({ owner: Type.String() }), response: { 200: Type.Object({ ok: Type.Boolean() }), ...PROBLEMS } }
    app.get(`/api/v1/canary/${name}`, { config: { access: 'public' }, schema, serializerCompiler: () => JSON.stringify }, (request) =>
      answer((request.query as { readonly owner: string }).owner),
    )
  }
}

beforeAll(async () => {
  node = await openWholeNode({ routes: [canaries] })
  own = await plantOrganization(node, node.parts.organization, 'fuzzed')
  const other = (await node.parts.services.users.createOrganization(own.owner.id, { name: 'Shadow', slug: 'shadow' })).organization.id
  shadow = await plantOrganization(node, other, 'shadowed')
  const { json } = await node.ask('GET', '/api/v1/openapi.json', null)
  const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = json.paths
  operations = Object.entries(paths)
    .flatMap(([path, item]) => METHODS.flatMap((method) => (item[method] === undefined ? [] : [{ method, path, operation: item[method] }])))
    .map((one) => ({ ...one, name: `${one.method.toUpperCase()} ${one.path}` }))
    .filter(({ name }) => !ENDLESS.has(name))
    .sort((left, right) => (LAST[left.method] ?? 0) - (LAST[right.method] ?? 0))
})
afterAll(() => node.close())

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
const compiled = new Map<object, ValidateFunction>()

/** What is wrong with an answer by its own schema; null when nothing is. */
function wrongWith({ responses }: Operation, status: number, json: unknown, text: string): string | null {
  const answer = responses[status] ?? responses[`${Math.floor(status / 100)}XX`]
  if (answer === undefined) return `${status} is not in the document`
  const schema = Object.values(answer.content ?? {})[0]?.schema
  if (schema === undefined) return text === '' ? null : `${status} has a body that the document does not have`
  const check = compiled.get(schema) ?? ajv.compile(schema)
  compiled.set(schema, check)
  // Exports are lines of CSV or JSON: text, as their schema says.
  return check(schema.type === 'string' ? text : json) ? null : ajv.errorsText(check.errors)
}

/** One part in ten of the fields, or the whole body, is replaced by something hostile. */
function spoilt(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 5, arbitrary: values },
    { weight: 1, arbitrary: hostile },
    { weight: 4, arbitrary: fc.tuple(values, fc.nat(), hostile).map(([value, at, bad]) => withOneSpoilt(value, at, bad)) },
  )
}

function withOneSpoilt(value: unknown, at: number, bad: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad
  const names = Object.keys(value)
  const name = names[at % Math.max(names.length, 1)] ?? 'surprise'
  return { ...value, [name]: bad }
}

/** `ordinary`: what is needed and nothing else, as the document says, and about what is the caller's own. */
function requestsOf({ parameters = [], requestBody }: Operation, manner: 'ordinary' | 'hostile'): fc.Arbitrary<Asked> {
  const isHostile = manner === 'hostile'
  const perhapsSpoilt = isHostile ? spoilt : (values: fc.Arbitrary<unknown>) => values
  const of = (place: Parameter['in']) => {
    const there = parameters.filter((parameter) => parameter.in === place && (isHostile || place === 'path' || parameter.required === true))
    const fields = Object.fromEntries(there.map(({ name, schema }) => [name, place === 'path' && isHostile ? anId(schema) : valuesOf(schema, own.ids)]))
    const requiredKeys = there.filter(({ required }) => required === true || place === 'path').map(({ name }) => name)
    return fc.record(fields, { requiredKeys, noNullPrototype: true })
  }
  const schema = requestBody?.content['application/json']?.schema
  const body = schema === undefined ? fc.constant(undefined) : perhapsSpoilt(valuesOf(schema, own.ids))
  return fc.record({ path: of('path'), query: perhapsSpoilt(of('query')) as fc.Arbitrary<Record<string, unknown>>, body })
}

/** Ours, of the other organization, one that never was, and what is none. */
function anId(schema: JsonSchema): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 4, arbitrary: valuesOf(schema, own.ids) },
    { weight: 1, arbitrary: valuesOf(schema, shadow.ids) },
    { weight: 1, arbitrary: hostile },
  )
}

const worded = (value: unknown): string => encodeURIComponent((typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed())

function urlOf(path: string, { path: places, query }: Asked): string {
  const filled = path.replace(/\{([^}]+)\}/g, (_all, name: string) => worded(places[name] ?? 'anything') || '-')
  const pairs = typeof query === 'object' && query !== null ? Object.entries(query).map(([name, value]) => `${worded(name)}=${worded(value)}`) : [worded(query)]
  return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`
}

let token: string | null = null
/** Operations that have answered 2xx: what is only ever refused is not looked into. */
const entered = new Set<string>()

/** A key, or the session of an owner where the route is about a person: a new one when the last was ended by the last request. */
async function credentialOf({ security }: Operation): Promise<string | null> {
  if (security === undefined) return null
  if (security.some((one) => 'key' in one)) return own.key
  token ??= own.owner.token
  return token
}

/** As `node.ask`; a body that nobody read is given up at once, or the server's own limit for it would end somewhere in the next test. */
async function send(method: string, url: string, credential: string | null, body: unknown) {
  const headers = {
    ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const answer = await node.app.inject({ method: method as 'GET', url, headers, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) })
  answer.raw.req.destroy()
  const isJson = /[/+]json(?:;|$)/.test(String(answer.headers['content-type'] ?? ''))
  return { status: answer.statusCode, text: answer.body, json: isJson && answer.body !== '' ? JSON.parse(answer.body) : null }
}

async function ask(method: string, path: string, operation: Operation, asked: Asked): Promise<void> {
  const url = urlOf(path, asked)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer for ${HANGS_MS} ms`)), HANGS_MS)
  })
  const body = method === 'get' ? undefined : asked.body
  const { status, json, text } = await Promise.race([send(method.toUpperCase(), url, await credentialOf(operation), body), late]).finally(() =>
    clearTimeout(timer),
  )
  expect([status, json?.code], text).not.toEqual([500, expect.anything()])
  if (status >= 500) expect([502, 503, 504]).toContain(status)
  expect([url, status, wrongWith(operation, status, json, text)]).toEqual([url, status, null])
  for (const mark of shadow.marks) expect(text).not.toContain(mark)
  if (status === 401) token = null
  if (status < 300) entered.add(`${method} ${path}`)
}

/** What is wrong with an operation; null when nothing was found. */
async function complaintOf({ name, method, path, operation }: (typeof operations)[number], runs: number): Promise<string | null> {
  for (const [manner, numRuns] of [
    ['ordinary', ORDINARY],
    ['hostile', runs],
  ] as const) {
    const run = fc.asyncProperty(requestsOf(operation, manner), (asked) => ask(method, path, operation, asked))
    const result = await fc.check(run, { numRuns, seed: SEED, endOnFailure: true })
    if (result.failed) return `${name}: ${String(result.errorInstance).slice(0, 600)}\n${JSON.stringify(result.counterexample)?.slice(0, 400)}`
  }
  return null
}

const isCanary = ({ path }: { readonly path: string }): boolean => path.includes('/canary/')

test('whatever an operation is asked, it answers, without a fault of ours, as its schema says, and with nothing of another organization', {
  timeout: 120_000 + RUNS * 20_000,
}, async () => {
  const complaints: string[] = []
  const asked = operations.filter((one) => !isCanary(one))
  for (const one of asked) {
    const complaint = await complaintOf(one, RUNS)
    if (complaint !== null) complaints.push(complaint)
  }
  expect(complaints).toEqual([])
  expect(asked.length).toBeGreaterThan(190)
  expect(entered.size).toBeGreaterThan(asked.length / 3)
})

test('a crash, an answer of another shape and a word of another organization are found where they are', async () => {
  const found = await Promise.all(operations.filter(isCanary).map((one) => complaintOf(one, 200)))
  expect(found.map((complaint) => complaint?.split(':')[0])).toEqual(['GET /api/v1/canary/crash', 'GET /api/v1/canary/shape', 'GET /api/v1/canary/leak'])
})
