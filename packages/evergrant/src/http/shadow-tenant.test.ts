// The shadow tenant (S98, A8.2.2, A8.4.1): every route that takes an id, asked by an owner of one organization with the ids of another.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventType, NewEvent } from '../core/audit/event.ts'
import { newId, type OrganizationId } from '../core/ids.ts'
import { enrolRequest } from '../store/conformance/agents.ts'
import type { Tenant } from '../store/conformance/tenant.ts'
import { systemEntropy } from '../system.ts'
import { connectionOf, type SignedInPerson, signIn } from '../testing/people.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'
import { type RouteFacts, routesOf } from './route-table.ts'

let node: WholeNode
let home: OrganizationId
let stranger: SignedInPerson
let strangersKey: string
/** What exists in the organization that is asked about, by the place it has in a path or a body. */
let real: Readonly<Record<string, string>>
let never: Readonly<Record<string, string>>
let secret: string

beforeAll(async () => {
  node = await openWholeNode()
  home = node.parts.organization
  const { services, store } = node.parts
  const owner = await signIn(node, { role: 'owner', organization: home, name: 'Planted Person' })
  const founder = await signIn(node, { role: 'owner', organization: home })
  const away = (await services.users.createOrganization(founder.id, { name: 'Away', slug: 'away' })).organization.id
  stranger = await signIn(node, { role: 'owner', organization: away })
  strangersKey = (await services.apiKeys.create(away, { name: 'theirs', scopes: ['admin'], expiresAt: null }, { kind: 'cli', id: null })).text
  const made = await node.ask('POST', '/api/v1/integrations', owner.token, {
    slug: 'planted',
    provider: 'github',
    client_id: 'client',
    client_secret: 'planted-client-secret',
  })
  expect([made.status, made.text]).toEqual([201, expect.anything()])
  const integration = made.json.id as `int_${string}`
  const connection = await connectionOf(store, { organization: home, integration, owner: 'planted-owner', account: 'planted-account' })
  const agent = (await node.ask('POST', '/api/v1/agents', owner.token, { name: 'planted-agent', policy: { access: ['proxy'], connections: [{}] } })).json.id
  const code = (await node.ask('POST', `/api/v1/agents/${agent}/enrolment-codes`, owner.token, {})).json.id
  const workload = (
    await node.ask('POST', `/api/v1/agents/${agent}/workloads`, owner.token, {
      name: 'planted-workload',
      issuer: 'https://ci.example',
      conditions: [{ claim: 'sub', value: 'repo:a' }],
    })
  ).json.id
  const tagged = { action: 'tag', tag: 'planted-tag', ids: [connection] }
  const bulk = (await node.ask('POST', '/api/v1/connections/bulk', owner.token, tagged)).json.bulk_id
  const approval = await plantedApproval(agent, connection)
  const incident = await plantedIncident(agent)
  const installation = (await node.ask('GET', `/api/v1/installations?agent=${agent}`, owner.token)).json.items[0].id
  const key = (await services.apiKeys.create(home, { name: 'planted-key', scopes: ['connect'], expiresAt: null }, { kind: 'cli', id: null })).apiKey.id
  real = {
    organization: home,
    integration,
    connection,
    key,
    user: owner.id,
    session: owner.opened.signedIn.session.id,
    owner: 'planted-owner',
    agent,
    code,
    workload,
    approval,
    bulk,
    incident,
    installation,
  }
  const of = (prefix: 'org' | 'int' | 'con' | 'key' | 'usr' | 'ses' | 'agt' | 'enr' | 'wli' | 'apr' | 'inc' | 'ins' | 'blk') => newId(prefix, systemEntropy)
  never = {
    organization: of('org'),
    integration: of('int'),
    connection: of('con'),
    key: of('key'),
    user: of('usr'),
    session: of('ses'),
    owner: 'nobody-at-all',
    agent: of('agt'),
    code: of('enr'),
    workload: of('wli'),
    approval: of('apr'),
    bulk: of('blk'),
    incident: of('inc'),
    installation: of('ins'),
  }
  secret = 'planted'
}, 60_000)
afterAll(() => node.close())

/** A use that waits for a person of ours. */
async function plantedApproval(agent: `agt_${string}`, connection: `con_${string}`): Promise<string> {
  const { store } = node.parts
  const standing = await store.agents.get(home, agent)
  if (standing === undefined) throw new Error('the agent is not stored')
  const tenant = { organization: home, context: { entropy: systemEntropy }, event: (type: EventType) => eventOf(type) } as unknown as Tenant
  const outcome = await store.enrolments.enrol(enrolRequest(tenant, standing.agent, null, 'planted-key'))
  if (outcome.kind !== 'enrolled') throw new Error('nobody was enrolled')
  const { installation } = outcome.standing
  const asked = { organization: home, kind: 'use', agent, installation: installation.id, connection, attempt: null, status: 'pending', shown: {} } as const
  const id = newId('apr', systemEntropy)
  const times = { askedAt: Date.now(), decidedAt: null, decidedBy: null, expiresAt: Date.now() + 3_600_000 }
  return (await store.approvals.ask({ ...asked, ...times, id }, eventOf('approval.asked'))).id
}

/** All machines of the agent are locked as compromised. */
async function plantedIncident(agent: `agt_${string}`): Promise<string> {
  const incident = newId('inc', systemEntropy)
  const lock = { code: 'compromise', at: Date.now(), message: 'planted', incident } as const
  const revocation = { class: 'compromise', reason: null, by: 'planted', ticket: false, status: 'locked', lock } as const
  await node.parts.store.installations.revoke(home, { agent }, revocation, lock.at, eventOf('installation.locked'))
  return incident
}

function eventOf(type: EventType): NewEvent {
  const actor = { kind: 'system', id: null } as const
  return { id: newId('evt', systemEntropy), organization: home, type, at: Date.now(), actor, connection: null, subject: null, data: {} }
}

type Ids = Readonly<Record<string, string>>

/** What stands at a place of a path. */
function fill({ path }: Pick<RouteFacts, 'path'>, ids: Ids): string {
  const kind =
    /\/(connections|bulk|integrations|api-keys|organizations|sessions|users|agents|approvals|incidents|installations|sdk-tokens)\/:id/.exec(path)?.[1] ?? ''
  const id = {
    agents: 'agent',
    approvals: 'approval',
    incidents: 'incident',
    installations: 'installation',
    'sdk-tokens': 'installation',
    connections: 'connection',
    bulk: 'bulk',
    integrations: 'integration',
    'api-keys': 'key',
    organizations: 'organization',
    sessions: 'session',
    users: 'user',
  }[kind]
  return path
    .replace(':id', (id === undefined ? undefined : ids[id]) ?? ':id')
    .replace(':connection', ids['connection'] ?? '')
    .replace(':user', ids['user'] ?? '')
    .replace(':code', ids['code'] ?? '')
    .replace(':workload', ids['workload'] ?? '')
    .replace(':owner', ids['owner'] ?? '')
    .replace('*', 'user')
}

/** Bodies that are valid, so that the id decides. */
const BODIES: Readonly<Record<string, unknown>> = {
  'PATCH /api/v1/connections/:id': { tags: ['taken'] },
  'PUT /api/v1/connections/:id/credentials': { credentials: { api_key: 'theirs' } },
  'PATCH /api/v1/integrations/:id': { client_secret: 'theirs' },
  'PUT /api/v1/integrations/:id/push-secret': {},
  'PATCH /api/v1/users/:id': { name: 'taken' },
  'PATCH /api/v1/agents/:id': { name: 'taken' },
  'PUT /api/v1/agents/:id/policy': { access: [] },
  'PATCH /api/v1/installations/:id': { name: 'taken' },
  'POST /api/v1/agents/:id/notes': { note: 'taken' },
  'POST /api/v1/incidents/:id/close': { note: 'taken' },
  'POST /api/v1/agents/:id/workloads': { name: 'CI', issuer: 'https://ci.example', conditions: [{ claim: 'sub', value: 'repo:a' }] },
  'PATCH /api/v1/organizations/:id/members/:user': { role: 'viewer' },
  'POST /api/v1/connections/:id/reconnect': { return_url: 'https://app.example/' },
}

/** Ids in a body or a query instead of a path. */
const NAMED: readonly (readonly [method: string, url: (ids: Ids) => string, body?: (ids: Ids) => unknown])[] = [
  ['GET', (ids) => `/api/v1/connections?integration=${ids['integration']}`],
  ['GET', (ids) => `/api/v1/token?integration=${ids['integration']}&owner=${ids['owner']}`],
  ['POST', () => '/api/v1/connections', (ids) => ({ integration: ids['integration'], owner: 'o', access_token: 'x' })],
  ['POST', () => '/api/v1/connect/sessions', (ids) => ({ integration: ids['integration'], owner: 'o', return_url: 'https://app.example/' })],
  ['POST', () => '/api/v1/auth/organization', (ids) => ({ organization: ids['organization'] })],
]

async function answerOf(method: string, url: string, credential: string, body: unknown) {
  const { status, json, text } = await node.ask(method, url, credential, body)
  const { request_id: _id, ...rest } = json ?? {}
  return {
    status,
    text,
    said: JSON.parse(
      JSON.stringify(rest)
        .replaceAll(/[a-z]+_[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
        .replaceAll(/planted-owner|nobody-at-all/g, 'OWNER'),
    ),
  }
}

/** All that the organization has, as its own owner's backend sees it. */
async function snapshot(): Promise<string> {
  const key = node.services as unknown as { readonly apiKeys: { issueLocal(organization: OrganizationId): { readonly text: string } } }
  const own = key.apiKeys.issueLocal(home).text
  const paths = [
    'connections',
    'integrations',
    'users',
    'api-keys',
    'agents',
    'approvals',
    'installations',
    `agents/${real['agent']}/enrolment-codes`,
    `agents/${real['agent']}/incidents`,
    'events?limit=200',
  ]
  const answers = await Promise.all(paths.map((path) => node.ask('GET', `/api/v1/${path}`, own)))
  return answers.map(({ text }) => text.replaceAll(/"last_used_at":[^,]*/g, '')).join('\n')
}

const credentials = () => [stranger.token, strangersKey]
/** Lists what an owner has: nothing, for an owner that is not theirs. */
const EMPTY = new Set(['GET /api/v1/owners/:owner/connections', 'GET /api/v1/owners/:owner/export', 'DELETE /api/v1/owners/:owner'])

describe('an owner of another organization, and its admin key', () => {
  test('find nothing under any id of ours: 404, with the same words as for an id that never was, and nothing changed', async () => {
    const before = await snapshot()
    const asked = routesOf(node.app).filter(({ path, access }) => access !== 'public' && /:(id|connection|user)/.test(path) && !path.includes('/providers/'))
    expect(asked.length).toBeGreaterThan(25)
    for (const route of asked) {
      const name = `${route.method} ${route.path}`
      const body = route.method === 'GET' ? undefined : (BODIES[name] ?? {})
      for (const credential of credentials()) {
        if (route.access === 'person' && credential === strangersKey) continue
        if (route.access === 'tokens:read' && credential === stranger.token) continue
        const [ours, unknown] = [
          await answerOf(route.method, fill(route, real), credential, body),
          await answerOf(route.method, fill(route, never), credential, body),
        ]
        expect([name, ours.status, ours.said]).toEqual([name, unknown.status, unknown.said])
        // What our own id would find is never in their answer; two routes answer a body problem before they look.
        expect([name, ours.status === 404 || ours.status === 400]).toEqual([name, true])
        expect(ours.text).not.toContain(secret)
      }
    }
    expect(await snapshot()).toBe(before)
  })

  test.each(NAMED.map((one) => [`${one[0]} ${one[1]({ integration: ':id', owner: ':owner' })}`, one] as const))(
    '%s finds nothing either',
    async (_name, [method, url, body]) => {
      const before = await snapshot()
      for (const credential of credentials()) {
        const [ours, unknown] = [await answerOf(method, url(real), credential, body?.(real)), await answerOf(method, url(never), credential, body?.(never))]
        expect([ours.status, ours.said]).toEqual([unknown.status, unknown.said])
        expect([403, 404]).toContain(ours.status)
      }
      expect(await snapshot()).toBe(before)
    },
  )

  test('an owner that we have is as empty to them as one that nobody has', async () => {
    const before = await snapshot()
    for (const name of EMPTY) {
      const [method = '', path = ''] = name.split(' ')
      for (const credential of credentials()) {
        const [ours, unknown] = [
          await answerOf(method, fill({ path }, real), credential, undefined),
          await answerOf(method, fill({ path }, never), credential, undefined),
        ]
        expect([name, ours.status]).toEqual([name, 200])
        expect({ ...ours.said, exported_at: '' }).toEqual({ ...unknown.said, exported_at: '' })
        expect(ours.said.items ?? ours.said.connections).toEqual([])
      }
    }
    expect(await snapshot()).toBe(before)
  })

  test('lists, events and cursors of ours lead nowhere', async () => {
    const cursor = Buffer.from(real['connection'] ?? '').toString('base64url')
    for (const path of [
      `connections?cursor=${cursor}`,
      `events?connection=${real['connection']}`,
      `events?subject=${real['user']}`,
      'connections',
      'integrations',
      'agents',
      'approvals',
      'installations',
      `installations?agent=${real['agent']}`,
      `events?subject=${real['installation']}`,
      `agents?owner=${real['user']}`,
      `agents?cursor=${Buffer.from(real['agent'] ?? '').toString('base64url')}`,
    ])
      for (const credential of credentials()) expect((await node.ask('GET', `/api/v1/${path}`, credential)).json.items).toEqual([])
    const users = (await node.ask('GET', '/api/v1/users', stranger.token)).text
    expect(users).toContain(stranger.id)
  })
})
