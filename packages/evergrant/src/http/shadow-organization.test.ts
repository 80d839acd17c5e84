// The shadow organization (S98, A8.2.2, A8.4.1): every route that takes an id, asked by an owner of one organization with the ids of another.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventType, NewEvent } from '../core/audit/event.ts'
import { randomToken } from '../core/connect/random-token.ts'
import { newId, type OrganizationId } from '../core/ids.ts'
import { enrolRequest } from '../store/conformance/agents.ts'
import { NO_CHANGE, newAlert } from '../store/conformance/alert-cases.ts'
import type { TestOrganization } from '../store/conformance/test-organization.ts'
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
  const planted = await plantedElsewhere(owner, integration)
  real = {
    ...planted,
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
  const of = (prefix: Parameters<typeof newId>[0]) => newId(prefix, systemEntropy)
  never = {
    webhook: of('whk'),
    delivery: of('dlv'),
    channel: of('chn'),
    alert: of('alt'),
    sweep: of('swp'),
    factor: of('fct'),
    connectSession: of('cs'),
    invitation: randomToken(systemEntropy),
    event: of('evt'),
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

/** What operators and people of ours have beside connections and agents. */
async function plantedElsewhere(owner: SignedInPerson, integration: string) {
  const made = async (method: string, path: string, body: unknown) => {
    const answer = await node.ask(method, `/api/v1/${path}`, owner.token, body)
    expect([path, answer.status < 300, answer.text]).toEqual([path, true, expect.anything()])
    return answer.json
  }
  // Nobody listens there: the delivery is one that failed.
  const webhook = (await made('POST', 'webhooks', { name: 'planted-webhook', url: 'https://127.0.0.1:9/planted' })).id
  await node.ask('POST', `/api/v1/webhooks/${webhook}/test`, owner.token, {})
  const delivery = (await made('GET', `webhooks/${webhook}/deliveries`, undefined)).items[0].id
  const channel = (await made('POST', 'channels', { kind: 'email', name: 'planted-channel', to: ['ops@planted.example'] })).id
  const sweep = (await made('POST', 'admin/refresh-tokens', {})).sweep_id
  await made('POST', 'users/invitations', { email: 'invited@planted.example', role: 'member' })
  const invitation = (await made('GET', 'users/invitations', undefined)).items[0].id
  const connectSession = (await made('POST', 'connect/sessions', { integration, owner: 'planted-owner' })).id
  const factor = (await made('POST', 'users/me/factors/totp', { name: 'planted-factor' })).id
  const event = (await made('GET', 'events?limit=1', undefined)).items[0].id
  const org = { organization: home, integration: { id: integration }, context: { entropy: systemEntropy } } as unknown as TestOrganization
  const alert = newAlert(org, { about: { provider: 'planted', integration: 'planted', code: null, name: 'planted', value: null } })
  expect(await node.store.alerts.commit({ ...NO_CHANGE, alerts: [{ alert, before: null }] })).toBe('committed')
  return { webhook, delivery, channel, sweep, invitation, connectSession, factor, event, alert: alert.id }
}

/** A use that waits for a person of ours. */
async function plantedApproval(agent: `agt_${string}`, connection: `con_${string}`): Promise<string> {
  const { store } = node.parts
  const standing = await store.agents.get(home, agent)
  if (standing === undefined) throw new Error('the agent is not stored')
  const org = { organization: home, context: { entropy: systemEntropy }, event: (type: EventType) => eventOf(type) } as unknown as TestOrganization
  const outcome = await store.enrolments.enrol(enrolRequest(org, standing.agent, null, 'planted-key'))
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

/** What the `:id` behind each of these is. */
const KINDS: Readonly<Record<string, string>> = {
  agents: 'agent',
  alerts: 'alert',
  'api-keys': 'key',
  approvals: 'approval',
  bulk: 'bulk',
  channels: 'channel',
  'connect/sessions': 'connectSession',
  connections: 'connection',
  deliveries: 'delivery',
  events: 'event',
  factors: 'factor',
  incidents: 'incident',
  installations: 'installation',
  integrations: 'integration',
  invitations: 'invitation',
  organizations: 'organization',
  'sdk-tokens': 'installation',
  sessions: 'session',
  sweeps: 'sweep',
  users: 'user',
  webhooks: 'webhook',
}

/** The path with an id in each of its places. @throws Error for a place that this test has nothing for: a route that nobody asked is not shown to be closed */
function fill({ path }: Pick<RouteFacts, 'path'>, ids: Ids): string {
  const kind = /\/(connect\/sessions|[a-z-]+)\/:id/.exec(path)?.[1]
  const named = kind === undefined ? path : path.replace(':id', ids[KINDS[kind] ?? ''] ?? ':id')
  const filled = named.replace(/:(connection|user|code|workload|owner)\b/g, (place, name: string) => ids[name] ?? place).replace('*', 'user')
  if (filled.includes(':')) throw new Error(`nothing of ours stands at ${filled}: plant one`)
  return filled
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
  'PATCH /api/v1/channels/:id': { name: 'taken' },
  'PATCH /api/v1/webhooks/:id': { name: 'taken' },
  'POST /api/v1/webhooks/:id/replay': { since: '2020-01-01T00:00:00Z' },
  'POST /api/v1/alerts/:id/snooze': { until: new Date(Date.now() + 3_600_000).toISOString() },
  'PATCH /api/v1/organizations/:id': { require_second_factor: [] },
  'POST /api/v1/users/me/factors/:id/confirm': { code: '123456' },
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
    'webhooks',
    `webhooks/${real['webhook']}/deliveries`,
    'channels',
    'alerts',
    'users/invitations',
    'events?limit=200',
  ]
  const answers = await Promise.all(paths.map((path) => node.ask('GET', `/api/v1/${path}`, own)))
  return answers.map(({ text }) => text.replaceAll(/"last_used_at":[^,]*/g, '')).join('\n')
}

const credentials = () => [stranger.token, strangersKey]
/** Lists what an owner has: nothing, for an owner that is not theirs. */
const EMPTY = new Set(['GET /api/v1/owners/:owner/connections', 'GET /api/v1/owners/:owner/export', 'DELETE /api/v1/owners/:owner'])

/** Of the whole server: the catalogue, and master keys, which have names and no ids. */
const SHARED = /\/(?:providers|admin\/keys)\//

describe('an owner of another organization, and its admin key', () => {
  test('find nothing under any id of ours: 404, with the same words as for an id that never was, and nothing changed', async () => {
    const before = await snapshot()
    const asked = routesOf(node.app).filter(({ path, access }) => access !== 'public' && /:(id|connection|user)/.test(path) && !SHARED.test(path))
    expect(asked.length).toBeGreaterThan(75)
    const statuses: Record<string, Set<number>> = {}
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
        // What our own id would find is never in their answer.
        statuses[name] = (statuses[name] ?? new Set()).add(ours.status)
        expect(ours.text).not.toContain(secret)
      }
    }
    expect(Object.entries(statuses).filter(([, seen]) => [...seen].some((status) => status !== 404))).toEqual([])
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
