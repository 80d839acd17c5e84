// A text that a database cannot keep is refused where it comes in (PostgreSQL has no zero character, and takes none in a question either): else it is a 500.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonSchema } from '../testing/schema-values.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'
import { formOf, readForms } from './connect/forms.ts'
import { type App, LINE } from './schema.ts'

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
}

/** Texts that no pattern guards, by where they stand, and why none of them reaches a database as it came. */
const UNGUARDED: readonly { readonly why: string; readonly places: readonly string[] }[] = [
  {
    why: 'compared with what there is, or read as a list of it, before anything else',
    places: [
      ...['/status', '/filter/status', '/sort', '/cursor', '/ids', '/series', '/topics', '/last_event_id', '/confirm', '/provider', '/items/*/id'],
      ...[
        '/settings/reuse',
        '/settings/token',
        '/quiet_hours/time_zone',
        '/return_url',
        'GET /api/v1/providers/{id} at /id',
        'DELETE /api/v1/users/invitations/{id} at /id',
      ],
    ],
  },
  {
    why: 'sealed or hashed',
    places: [
      ...['/access_token', '/refresh_token', '/*/access_token', '/*/refresh_token', '/client_secret', '/url', '/password', '/current_password', '/ticket'],
      ...['/token', '/code', '/recovery_code', '/device_code', '/old_refresh_token', '/next_key_proof', '/workload_token', '/credentials/*'],
    ],
  },
  {
    why: 'a part of JSON, where a zero character is an escape',
    places: [
      ...['/variables/*', '/facts/*', '/*/variables/*', '/*/facts/*', '/settings/authorize_parameters/*', '/settings/redirect_uri', '/settings/return_urls/*'],
      ...['/subscription/endpoint', '/subscription/keys/p256dh', '/subscription/keys/auth'],
    ],
  },
  {
    why: 'looked at by the service, which says more than a pattern can',
    places: ['application_name', 'logo', 'accent', 'support_email', 'support_url', 'privacy_url', 'status_text'].map(
      (name) => `PATCH /api/v1/settings at /${name}`,
    ),
  },
  {
    why: 'looked up only when it has the form of an id',
    places: ['/integration', '/secret'],
  },
  { why: 'sent on to the provider', places: ['/*'] },
]
const unguarded = new Set(UNGUARDED.flatMap(({ places }) => places))

/** The fields of a form, as pages read them. */
function echo(app: App): void {
  readForms(app, 1_000)
  app.post('/forms', { config: { access: 'public' } }, (request) => formOf(request))
}

let node: WholeNode
let operations: readonly { readonly name: string; readonly operation: Operation }[]
beforeAll(async () => {
  node = await openWholeNode({ routes: [echo] })
  const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = (await node.ask('GET', '/api/v1/openapi.json', null)).json.paths
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  )
})
afterAll(() => node.close())

/** The texts of a schema that may hold a zero character, as JSON pointers. */
function openTexts(schema: JsonSchema, at = ''): readonly string[] {
  const { properties = {}, additionalProperties, items, anyOf = [], type } = schema
  const inside = [
    ...Object.entries(properties).flatMap(([name, one]) => openTexts(one, `${at}/${name}`)),
    ...(typeof additionalProperties === 'object' ? openTexts(additionalProperties, `${at}/*`) : []),
    ...(items === undefined ? [] : openTexts(items, `${at}/*`)),
    ...anyOf.flatMap((one) => openTexts(one, at)),
  ]
  return [type].flat().includes('string') && takesZero(schema) ? [at, ...inside] : inside
}

/** The same few patterns come up in every operation. */
const known = new Map<string, boolean>()

function takesZero({ enum: among, const: only, pattern }: JsonSchema): boolean {
  if (among !== undefined || only !== undefined) return false
  if (pattern === undefined) return true
  const takes = known.get(pattern) ?? letsZeroThrough(pattern)
  known.set(pattern, takes)
  return takes
}

function letsZeroThrough(pattern: string): boolean {
  const allowed = new RegExp(pattern, 'u')
  const texts = fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 5, seed: 1 })
  return texts.some((text) => Array.from({ length: text.length + 1 }, (_, at) => `${text.slice(0, at)}\0${text.slice(at)}`).some((bad) => allowed.test(bad)))
}

test('every text that a request may hold refuses a zero character, but for those that reach no database as they came', () => {
  const open = operations.flatMap(({ name, operation: { parameters = [], requestBody } }) =>
    [
      ...parameters.flatMap((one) => openTexts(one.schema, `/${one.name}`)),
      ...Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => openTexts(schema)),
    ].map((place) => ({ place, named: `${name} at ${place}` })),
  )
  expect(operations.length).toBeGreaterThan(150)
  expect(open.filter(({ place, named }) => !unguarded.has(place) && !unguarded.has(named)).map(({ named }) => named)).toEqual([])
  const met = new Set(open.flatMap(({ place, named }) => [place, named]))
  expect([...unguarded].filter((place) => !met.has(place))).toEqual([])
})

test('a text without a pattern, and one whose pattern lets a zero character through, are found at any depth', () => {
  expect(openTexts({ type: 'object', properties: { list: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } } } })).toEqual(['/list/*'])
  expect(openTexts({ type: 'string', pattern: '^https?://[^ ]+$' })).toEqual([''])
  expect(openTexts({ type: 'string', pattern: LINE })).toEqual([])
  expect(openTexts({ type: 'string', enum: ['one'] })).toEqual([])
})

test('a form of a page holds no zero character, however it is written: it stands for what nobody has', async () => {
  const sent = await node.app.inject({
    method: 'POST',
    url: '/forms',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'email=a%00@example.com&n\0me=%2500',
  })
  expect(sent.json()).toEqual({ email: 'a\uFFFD@example.com', 'n\uFFFDme': '%00' })
})
