// What every answer has in common (S91, S92): every route of a whole node, asked well and badly, by nobody and by an owner.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SignedInPerson, signIn } from '../testing/people.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'
import { type RouteFacts, routesOf } from './route-table.ts'

interface Answer {
  readonly asked: string
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

const CANARY = '/api/v1/canary'

let node: WholeNode
let owner: SignedInPerson
let answers: readonly Answer[]
beforeAll(async () => {
  node = await openWholeNode({
    env: { EVERGRANT_PUBLIC_URL: 'https://evergrant.example' },
    routes: [
      (app) =>
        void app.get(CANARY, { config: { access: 'public' } }, (_request, reply) =>
          reply.header('referrer-policy', 'unsafe-url').removeHeader('x-frame-options').send('open'),
        ),
    ],
  })
  owner = await signIn(node, { role: 'owner', organization: node.parts.organization })
  answers = await everyAnswer()
}, 180_000)
afterAll(() => node.close())

/** Ids that never were. Whoever listens to a stream is told that there is no such topic. */
function pathOf({ path }: RouteFacts): string {
  const filled = path.replace('*', 'anything').replaceAll(/:[a-z_]+/g, 'never-was')
  return path.endsWith('/stream') ? `${filled}?topics=never-was` : filled
}

type Asking = readonly [how: string, headers: Readonly<Record<string, string>>, payload?: string]

function waysOf({ method }: RouteFacts): readonly Asking[] {
  const known = { authorization: `Bearer ${owner.token}` }
  const json = { 'content-type': 'application/json' }
  const plain: readonly Asking[] = [
    ['nobody', {}],
    ['an owner', known],
    ['a credential that is none', { authorization: 'Bearer egk_no.such.key' }],
    ['a page of another site', { ...known, origin: 'https://elsewhere.example' }],
  ]
  if (method === 'GET') return plain
  return [
    ...plain,
    ['broken JSON', { ...known, ...json }, '{"a":'],
    ['a field that is not known', { ...known, ...json }, '{"no such field":1}'],
    ['another content type', { ...known, 'content-type': 'text/xml' }, '<a/>'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=b'],
    ['a body beyond every limit', { ...known, ...json }, `"${'x'.repeat(300_000)}"`],
  ]
}

async function everyAnswer(): Promise<readonly Answer[]> {
  const got: Answer[] = []
  const ask = async (how: string, method: string, url: string, headers: Readonly<Record<string, string>>, payload?: string): Promise<void> => {
    const answer = await node.app.inject({ method: method as 'GET', url, headers, ...(payload === undefined ? {} : { payload }) })
    got.push({ asked: `${method} ${url} as ${how}`, status: answer.statusCode, headers: answer.headers, text: answer.body })
  }
  for (const route of routesOf(node.app).filter(({ path }) => path !== CANARY)) {
    // It ends the session that everything here is asked with.
    if (route.path.endsWith('/auth/logout')) continue
    for (const [how, headers, payload] of waysOf(route)) await ask(how, route.method, pathOf(route), headers, payload)
  }
  for (const url of ['/', '/nothing', '/api/v1/nothing', '/%zz', '/api/v1/connections/%00', '/..%2f..%2fetc/passwd', `/${'a'.repeat(3_000)}`])
    for (const method of ['GET', 'POST', 'PUT', 'TRACE', 'OPTIONS']) await ask('nobody', method, url, {})
  return got
}

/** Style sheets and pictures of ours, and the public keys: they hold nothing of anybody. */
const KEPT = /^\/\.well-known\/jwks\.json|\.(?:css|svg|ico|js|png|webmanifest)(?:\?|$)/
/** A browser that sends no referrer sends no origin either, and their forms are believed by it. No address of theirs has a secret before its `#`. */
const FORMS = /^\/(?:auth|me|connect)\//
const FINGERPRINTS = ['etag', 'server', 'x-powered-by', 'via']

function expectedHeaders(url: string): Readonly<Record<string, readonly unknown[]>> {
  return {
    'x-content-type-options': ['nosniff'],
    'referrer-policy': FORMS.test(url) ? ['no-referrer', 'same-origin'] : ['no-referrer'],
    'x-frame-options': ['DENY'],
    'cross-origin-opener-policy': ['same-origin'],
    'cross-origin-resource-policy': ['same-origin'],
    'strict-transport-security': ['max-age=31536000; includeSubDomains'],
    'access-control-allow-origin': [undefined],
    ...(KEPT.test(url) ? {} : { 'cache-control': ['no-store', 'no-store, no-transform'] }),
    ...Object.fromEntries(FINGERPRINTS.map((name) => [name, [undefined]])),
  }
}

function headerProblems({ asked, headers }: Answer): readonly string[] {
  const url = asked.split(' ')[1] ?? ''
  const wrong = Object.entries(expectedHeaders(url)).flatMap(([name, right]) => (right.includes(headers[name]) ? [] : [`${name}: ${String(headers[name])}`]))
  const policy = policyProblems(String(headers['content-security-policy']), url.startsWith('/console/') ? "'self'" : "'none'")
  return [...wrong, ...policy].map((what) => `${asked}: ${what}`)
}

/** Nothing inline, nothing from elsewhere, in nobody's frame. A form may lead to the application that sent its user here, over https. */
function policyProblems(policy: string, narrowest: string): readonly string[] {
  const parts = new Map(policy.split('; ').map((part) => [part.slice(0, part.indexOf(' ')), part.slice(part.indexOf(' ') + 1)]))
  const must = { 'default-src': narrowest, 'base-uri': narrowest, 'frame-ancestors': "'none'" }
  const sources: Readonly<Record<string, RegExp>> = { 'img-src': /^'self' data:$/, 'form-action': /^(?:'none'|'self'(?: https:)?)$/ }
  const missing = Object.entries(must).flatMap(([name, value]) => (parts.get(name) === value ? [] : [`${name} is ${parts.get(name)}`]))
  const wide = [...parts].flatMap(([name, value]) => ((sources[name] ?? /^'(?:self|none)'$/).test(value) ? [] : [`${name} is as wide as ${value}`]))
  return [...missing, ...wide]
}

/** What belongs to the machine and the code, and to nobody who asks. */
const INSIDES = /\bat [\w.<>]+ \(|node_modules|\.ts\b|\bselect \w+ from\b|sqlite|constraint failed|postgres:|\/(?:srv|home|usr|work|tmp)\/|fastify|FST_ERR|ajv/i

function textProblems({ asked, status, headers, text }: Answer): readonly string[] {
  if (status < 400) return []
  const type = String(headers['content-type'])
  const shape = type.startsWith('text/html') ? /<title>/.test(text) : type === 'application/problem+json; charset=utf-8' && isProblem(text)
  const insides = INSIDES.exec(text)?.[0]
  return [...(shape ? [] : [`is ${type}: ${text.slice(0, 80)}`]), ...(insides === undefined ? [] : [`says ${insides}`])].map((what) => `${asked}: ${what}`)
}

function isProblem(text: string): boolean {
  const problem = JSON.parse(text)
  return ['type', 'title', 'status', 'detail', 'code', 'action', 'request_id'].every((name) => problem[name] !== undefined)
}

test('every route, however it is asked, and every error has the safety headers and no fingerprint (S91)', () => {
  expect(answers.length).toBeGreaterThan(1_000)
  expect(answers.flatMap(headerProblems)).toEqual([])
})

test('no error tells of files, code, queries or versions, and each is a problem or a page with a number to ask about (S92)', () => {
  const refused = answers.filter(({ status }) => status >= 400)
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([400, 401, 403, 404, 405, 409, 410, 413, 415]))
  expect(refused.flatMap(textProblems)).toEqual([])
})

test('an answer that lost its headers, and an error that tells where it happened, would be found', async () => {
  const { statusCode, headers, body } = await node.app.inject(CANARY)
  const canary = { asked: `GET ${CANARY} as nobody`, status: statusCode, headers, text: body }
  expect(headerProblems(canary).map((line) => line.split(': ')[1])).toEqual(['referrer-policy', 'x-frame-options'])
  const leaky = JSON.stringify({ type: '', title: '', status: 500, detail: 'at handler (/srv/app.ts:1)', code: 'x', action: 'none', request_id: '1' })
  expect(textProblems({ ...canary, status: 500, headers: { 'content-type': 'application/problem+json; charset=utf-8' }, text: leaky })).toHaveLength(1)
})
