// Who may use which route (S100): every route of a whole node, asked by everybody there is, against a table that is read by people.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { API_KEY_SCOPES } from '../core/access/api-key.ts'
import { newId, type OrganizationId } from '../core/ids.ts'
import { AccessTokens } from '../core/session/access-token.ts'
import { MINUTE } from '../core/time.ts'
import { ROLES, type Role } from '../core/user/user.ts'
import { createTokenSigner } from '../seal/token-signer.ts'
import { systemClock, systemEntropy } from '../system.ts'
import { AgentMachine } from '../testing/agent-machine.ts'
import { type SignedInPerson, signIn } from '../testing/people.ts'
import { present, REFRESH } from '../testing/sdk-calls.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'
import { type RouteFacts, routesOf } from './route-table.ts'

const CANARY = '/api/v1/canary'

let node: WholeNode
let elsewhere: OrganizationId
let strict: OrganizationId
beforeAll(async () => {
  // A route whose author forgot to say who may use it.
  node = await openWholeNode({ routes: [(app) => void app.get(CANARY, () => 'open to everybody')] })
  const founder = await signIn(node, { role: 'owner', organization: node.parts.organization })
  elsewhere = (await node.parts.services.users.createOrganization(founder.id, { name: 'Elsewhere', slug: 'elsewhere' })).organization.id
  strict = (await node.parts.services.users.createOrganization(founder.id, { name: 'Strict', slug: 'strict' })).organization.id
  const governor = { organization: strict, actor: { kind: 'cli', id: null }, role: 'owner', user: null } as const
  await node.parts.services.users.requireSecondFactor(governor, ['owner'])
}, 60_000)
afterAll(() => node.close())

/** A credential made for one request, since some requests end it. */
interface Identity {
  readonly name: string
  readonly credential: () => Promise<string | null>
}

const person = (role: Role, organization: () => OrganizationId = () => node.parts.organization): Promise<SignedInPerson> =>
  signIn(node, { role, organization: organization() })

const keys = new Map<string, string>()

async function keyWith(scope: (typeof API_KEY_SCOPES)[number]): Promise<string> {
  const known = keys.get(scope)
  if (known !== undefined) return known
  const made = await node.parts.services.apiKeys.create(node.parts.organization, { name: scope, scopes: [scope], expiresAt: null }, { kind: 'cli', id: null })
  keys.set(scope, made.text)
  return made.text
}

/** As it was issued eleven minutes ago. */
async function outdated({ opened: { signedIn } }: SignedInPerson): Promise<string> {
  const { publicUrl, services } = node.evergrant
  const clock = { ...systemClock, wall: () => systemClock.wall() - 11 * MINUTE }
  const ports = { signer: createTokenSigner(), keys: services.signingKeys, clock, entropy: systemEntropy, issuer: publicUrl, audience: publicUrl }
  return (await new AccessTokens(ports).issue(signedIn)).token
}

async function signedOut(): Promise<string> {
  const { token, opened } = await person('owner')
  await node.parts.services.sessions.end(opened.signedIn.session, 'here', { address: null, userAgent: null })
  return token
}

let program: AgentMachine | undefined

/** Of a program that may use every connection in every way, and whose token is good without a proof: what is refused is refused because it is a program. */
async function agentToken(): Promise<string> {
  const refreshed = program === undefined ? undefined : await present(program, REFRESH, { body: { bound: false } })
  if (refreshed?.status === 200) return refreshed.json.access_token
  // The first time, and after somebody was let in who rotates all programs, or cuts them off.
  program = await enrolledProgram()
  return (await present(program, REFRESH, { body: { bound: false } })).json.access_token
}

async function enrolledProgram(): Promise<AgentMachine> {
  const owner = await person('owner')
  const key = await keyWith('admin')
  const policy = { access: ['token', 'proxy'], connections: [{}], bearer: true }
  const agent = await node.ask('POST', '/api/v1/agents', key, { name: `matrix of ${owner.id}`, owner: owner.id, policy })
  const code = await node.ask('POST', `/api/v1/agents/${agent.json.id}/enrolment-codes`, key, {})
  const machine = await AgentMachine.make({
    publicUrl: node.evergrant.publicUrl,
    now: () => systemClock.wall(),
    send: async (method, url, { headers, body }) => {
      const answer = await node.app.inject({ method, url, headers: { ...headers, 'content-type': 'application/json' }, payload: JSON.stringify(body) })
      return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: answer.json() }
    },
  })
  await machine.enrol({ code: code.json.code })
  return machine
}

const IDENTITIES: readonly Identity[] = [
  { name: 'nobody', credential: async () => null },
  ...ROLES.map((role) => ({ name: role, credential: async () => (await person(role)).token })),
  { name: "another organization's owner", credential: async () => (await person('owner', () => elsewhere)).token },
  { name: 'owner who lacks a second factor', credential: async () => (await person('owner', () => strict)).token },
  { name: 'signed out', credential: signedOut },
  { name: 'token expired', credential: async () => outdated(await person('owner')) },
  { name: 'agent', credential: agentToken },
  ...API_KEY_SCOPES.map((scope) => ({ name: `key ${scope}`, credential: () => keyWith(scope) })),
]

/** Ids that never were, so that nothing is changed by asking. */
const PATH: Readonly<Record<string, string>> = {
  ':id/members': newId('org', systemEntropy),
  'connections/:id': newId('con', systemEntropy),
  'connections/bulk/:id': newId('blk', systemEntropy),
  'agents/:id': newId('agt', systemEntropy),
  'approvals/:id': newId('apr', systemEntropy),
  'installations/:id': newId('ins', systemEntropy),
  'sweeps/:id': newId('swp', systemEntropy),
  'sdk-tokens/:id': newId('ins', systemEntropy),
  'enrolment-codes/:code': newId('enr', systemEntropy),
  'workloads/:workload': newId('wli', systemEntropy),
  'api-keys/:id': newId('key', systemEntropy),
  'users/me/sessions/:id': newId('ses', systemEntropy),
  'users/me/factors/:id': newId('fct', systemEntropy),
  'users/:id': newId('usr', systemEntropy),
  'alerts/:id': newId('alt', systemEntropy),
  'channels/:id': newId('chn', systemEntropy),
  'webhooks/:id': newId('whk', systemEntropy),
  'deliveries/:id': newId('dlv', systemEntropy),
  ':connection': newId('con', systemEntropy),
  ':user': newId('usr', systemEntropy),
}

function pathOf({ path }: RouteFacts): string {
  // Whoever is let in is told that there is no such topic, instead of listening for ever.
  if (path === '/api/v1/console/stream') return `${path}?topics=never-was`
  let filled = path
  for (const [place, id] of Object.entries(PATH)) filled = filled.replace(place, place.replace(/:[a-z]+/, id))
  return filled.replace('*', 'anything').replace(/:[a-z_]+/g, 'never-was')
}

/** Where the handler itself decides by the role, it must be reached. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/v1/organizations': { name: 'New', slug: 'taken' },
  'POST /api/v1/users/factor-removals': { user: 'nobody@example.com' },
  'PUT /api/v1/agents/:id/policy': { access: [] },
  'POST /api/v1/agents/:id/workloads': { name: 'CI', issuer: 'https://ci.example', conditions: [{ claim: 'sub', value: 'repo:a' }] },
}

async function ask(route: RouteFacts, credential: string | null): Promise<{ readonly status: number; readonly code: string | null }> {
  const body = route.method === 'GET' ? undefined : (BODIES[`${route.method} ${route.path}`] ?? {})
  const { status, json } = await node.ask(route.method, pathOf(route), credential, body)
  const code: unknown = json?.code ?? null
  return { status, code: typeof code === 'string' ? code : null }
}

/** `yes`: let in. `own`: let in to what is their own. `-`: not by this role or scope. `401`: not by this credential. */
async function cell(route: RouteFacts, identity: Identity): Promise<string> {
  const { status, code } = await ask(route, await identity.credential())
  if (status === 401) return '401'
  if (code === 'role_missing' || code === 'forbidden' || code === 'second_factor_missing' || code === 'agent_policy_refused') return '-'
  if (status >= 500 && code !== 'store_unavailable') throw new Error(`${route.method} ${route.path} answers ${identity.name} ${status} ${code}`)
  return identity.name === 'member' && route.own && API_KEY_SCOPES.some((scope) => scope === route.access) ? 'own' : 'yes'
}

const own = (): readonly RouteFacts[] => routesOf(node.app).filter(({ path }) => path !== CANARY)

/** One line a route; a route for any method is one line too. */
async function matrix(): Promise<string> {
  const asked = new Map<string, { readonly route: RouteFacts; readonly methods: string[] }>()
  for (const route of own()) {
    const name = `${route.path} ${route.access} ${route.own} ${route.path.includes('*') ? '' : route.method}`
    const known = asked.get(name)
    if (known === undefined) asked.set(name, { route, methods: [route.method] })
    else known.methods.push(route.method)
  }
  const open: string[] = []
  const lines: string[] = []
  for (const { route, methods } of [...asked.values()].sort((left, right) => (left.route.path < right.route.path ? -1 : 1))) {
    const name = `\`${methods.length > 4 ? 'ANY' : methods.join(', ')} ${route.path}\``
    if (route.access === 'public') {
      open.push(`- ${name}`)
      continue
    }
    const cells: string[] = []
    for (const identity of IDENTITIES) cells.push(await cell(route, identity))
    lines.push(`| ${name} | ${route.access} | ${cells.join(' | ')} |`)
  }
  const head = ['route', 'asks for', ...IDENTITIES.map(({ name }) => name)]
  return [INTRODUCTION, `| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines, '', OPEN, '', ...open.sort(), ''].join('\n')
}

const INTRODUCTION = `# Who may use which route

Written by \`packages/evergrant/src/http/role-matrix.test.ts\`, which asks every route of a whole node as everybody in the head of the table
and fails when an answer is another (S100). \`vitest -u\` on that file writes it anew: read the difference before you commit it.

\`yes\`: let in. \`own\`: let in to connections whose owner is this person; everybody else's are unknown to them. \`-\`: this role or scope does not
give it (403). \`401\`: the credential is not valid here. Everything happens in the organization of the key or session: an owner of another one is
let in to theirs alone (\`packages/evergrant/src/http/shadow-organization.test.ts\`). One whose organization asks for a second factor that their session lacks may add or show one.
`

const OPEN = 'These ask for no credential in `Authorization`. What they ask for instead is theirs: a cookie, a password, a link, a signature of the provider.'

test('every route lets in whom the table says, and nobody else', async () => {
  await expect(await matrix()).toMatchFileSnapshot('../../../../docs/security/role-matrix.md')
}, 240_000)

test('every route says who may use it; one that says nothing is found, and refuses everybody', async () => {
  const silent = routesOf(node.app).filter(({ access }) => access === undefined)
  expect(silent).toEqual([{ method: 'GET', path: CANARY, access: undefined, own: false }])
  for (const identity of IDENTITIES) {
    const answer = await node.ask('GET', CANARY, await identity.credential())
    expect([identity.name, answer.status]).not.toEqual([identity.name, 200])
  }
})

test('no role reads an access token of a connection', async () => {
  const reading = own().filter(({ access }) => access === 'tokens:read')
  expect(reading.length).toBeGreaterThan(1)
  for (const route of reading) for (const role of ROLES) expect((await ask(route, (await person(role)).token)).code).toBe('role_missing')
})
