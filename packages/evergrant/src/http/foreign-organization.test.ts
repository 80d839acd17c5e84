import { beforeAll, describe, expect, test } from 'vitest'
import { HOUR } from '../core/time.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { signIn } from '../testing/people.ts'

let lab: ApiLab
let foreign: string
let keyId: string
let integrationId: string
let agentId: string
const made: Record<string, string> = {}
beforeAll(async () => {
  lab = await createApiLab()
  foreign = await lab.keyFor(['admin'], await lab.anotherOrganization())
  keyId = (await lab.call('GET', '/api/v1/api-keys')).json.items[0].id
  const { id: owner } = await signIn(lab, { role: 'owner', organization: lab.organization })
  agentId = (await lab.call('POST', '/api/v1/agents', { body: { name: 'ours', owner } })).json.id
  const webhook = { name: 'ours', url: 'http://127.0.0.1:9/hooks', types: ['api_key.*'] }
  made[':webhook'] = (await lab.call('POST', '/api/v1/webhooks', { body: webhook })).json.id
  made[':channel'] = (await lab.call('POST', '/api/v1/channels', { body: { kind: 'email', name: 'ours', to: ['ours@example.com'] } })).json.id
  made[':event'] = (await lab.call('GET', '/api/v1/events?limit=1')).json.items[0].id
  made[':delivery'] = (await lab.call('POST', `/api/v1/webhooks/${made[':webhook']}/test`)).json.id
  made[':bulk'] = (await lab.call('POST', '/api/v1/connections/bulk', { body: { action: 'tag', tag: 'x', ids: [lab.connection] } })).json.bulk_id
  made[':sweep'] = (await lab.call('POST', '/api/v1/admin/refresh-tokens')).json.sweep_id
  const ended = { integration: 'scripted', owner: 'ours', access_token: 'over', expires_at: '2020-01-01T00:00:00Z', account: 'ours' }
  const { id } = (await lab.call('POST', '/api/v1/connections', { body: ended })).json
  await lab.call('GET', `/api/v1/connections/${id}/token`)
  await lab.alertChores.watch.readEvents()
  made[':alert'] = (await lab.call('GET', '/api/v1/alerts?state=open')).json.items[0].id
  integrationId = (await lab.call('GET', '/api/v1/integrations')).json.items[0].id
})

const snapshot = async (): Promise<readonly string[]> => {
  const paths = ['connections', 'integrations', 'agents', 'events?limit=200', 'alerts', 'webhooks', 'channels', 'alert-rules', 'sweeps'].map(
    (path) => `/api/v1/${path}`,
  )
  const answers = await Promise.all(paths.map((path) => lab.call('GET', path)))
  const keys = await lab.call('GET', '/api/v1/api-keys')
  return [
    ...answers.map(({ text }) => text),
    ...keys.json.items.map((key: { id: string; revoked_at: unknown; expires_at: unknown }) => `${key.id} ${key.revoked_at} ${key.expires_at}`),
  ]
}

describe('an admin key of another organization', () => {
  test.each([
    ['GET', '/api/v1/connections/:connection', undefined],
    ['PATCH', '/api/v1/connections/:connection', { tags: ['taken'] }],
    ['DELETE', '/api/v1/connections/:connection', undefined],
    ['GET', '/api/v1/connections/:connection/token', undefined],
    ['GET', '/api/v1/connections/:connection/token?rejected_generation=1', undefined],
    ['POST', '/api/v1/connections/:connection/refresh', undefined],
    ['POST', '/api/v1/connections/:connection/pause', undefined],
    ['POST', '/api/v1/connections/:connection/resume', undefined],
    ['POST', '/api/v1/connections/:connection/disconnect', undefined],
    ['GET', '/api/v1/token?integration=scripted&owner=owner-1', undefined],
    ['GET', '/api/v1/token?integration=:integration&owner=owner-1', undefined],
    ['GET', '/api/v1/connections?integration=:integration', undefined],
    ['POST', '/api/v1/connections', { integration: ':integration', owner: 'o', access_token: 'x' }],
    ['GET', '/api/v1/integrations/:integration', undefined],
    ['GET', '/api/v1/integrations/scripted', undefined],
    ['PATCH', '/api/v1/integrations/:integration', { client_secret: 'theirs' }],
    ['DELETE', '/api/v1/integrations/:integration', undefined],
    ['POST', '/api/v1/api-keys/:key/rotate', {}],
    ['DELETE', '/api/v1/api-keys/:key', undefined],
    ['GET', '/api/v1/agents/:agent', undefined],
    ['PATCH', '/api/v1/agents/:agent', { name: 'theirs' }],
    ['PUT', '/api/v1/agents/:agent/policy', { access: ['token'], connections: [{}] }],
    ['POST', '/api/v1/agents/:agent/enrolment-codes', {}],
    ['POST', '/api/v1/agents/:agent/accept', {}],
    ['DELETE', '/api/v1/agents/:agent', undefined],
    ['GET', '/api/v1/agents/:agent/uses', undefined],
    ['GET', '/api/v1/agents/:agent/trust', undefined],
    ['GET', '/api/v1/agents/:agent/trust/history', undefined],
    ['GET', '/api/v1/agents/:agent/incidents', undefined],
    ['POST', '/api/v1/agents/:agent/notes', { note: 'theirs' }],
    ['GET', '/api/v1/connections/:connection/uses', undefined],
    ['GET', '/api/v1/connections/:connection/why', undefined],
    ['GET', '/api/v1/connections/:connection/timeline', undefined],
    ['POST', '/api/v1/connections/bulk', { action: 'pause', ids: [':connection'] }],
    ['POST', '/api/v1/connections/bulk/:bulk/undo', undefined],
    ['GET', '/api/v1/events/:event', undefined],
    ['GET', '/api/v1/alerts/:alert', undefined],
    ['POST', '/api/v1/alerts/:alert/acknowledge', undefined],
    ['POST', '/api/v1/alerts/:alert/snooze', { until: 'soon' }],
    ['POST', '/api/v1/alerts/:alert/resolve', undefined],
    ['GET', '/api/v1/webhooks/:webhook', undefined],
    ['PATCH', '/api/v1/webhooks/:webhook', { name: 'theirs' }],
    ['DELETE', '/api/v1/webhooks/:webhook', undefined],
    ['POST', '/api/v1/webhooks/:webhook/test', undefined],
    ['POST', '/api/v1/webhooks/:webhook/rotate-secret', {}],
    ['POST', '/api/v1/webhooks/:webhook/replay', { since: '2020-01-01T00:00:00Z' }],
    ['POST', '/api/v1/webhooks/:webhook/enable', undefined],
    ['GET', '/api/v1/webhooks/:webhook/deliveries', undefined],
    ['GET', '/api/v1/deliveries/:delivery', undefined],
    ['POST', '/api/v1/deliveries/:delivery/replay', undefined],
    ['PATCH', '/api/v1/channels/:channel', { name: 'theirs' }],
    ['DELETE', '/api/v1/channels/:channel', undefined],
    ['POST', '/api/v1/channels/:channel/test', undefined],
    ['GET', '/api/v1/sweeps/:sweep/stream', undefined],
  ] as const)('%s %s finds nothing, exactly as with an id that never was', async (method, path, body) => {
    // A read first, so that the token is in memory: memory must know organizations as well.
    await lab.call('GET', `/api/v1/connections/${lab.connection}/token`)
    const before = await snapshot()
    const ours = { ...made, ':connection': lab.connection, ':integration': integrationId, ':key': keyId, ':agent': agentId }
    const filled = (text: string, fit: (id: string) => string): string => Object.entries(ours).reduce((so, [word, id]) => so.replace(word, fit(id)), text)
    const fill = (text: string): string => filled(text, (id) => id)
    const never = (text: string): string => filled(text, (id) => `${id.slice(0, -4)}ffff`)
    const ask = async (fit: (text: string) => string) => {
      const soon = new Date(lab.time.clock.wall() + HOUR).toISOString()
      const sent = body === undefined ? {} : { body: JSON.parse(fit(JSON.stringify(body)).replace('"soon"', `"${soon}"`)) }
      const { status, json } = await lab.call(method, fit(path), { key: foreign, ...sent })
      const { detail, request_id: _id, ...rest } = json
      return { status, ...rest, detail: String(detail).replace(/[a-z]+_[0-9a-f-]{36}/g, 'ID') }
    }
    const real = await ask(fill)
    expect(real).toMatchObject({ status: 404, code: 'not_found' })
    expect(real).toEqual(await ask(never))
    expect(await snapshot()).toEqual(before)
  })

  test.each([
    '/api/v1/alerts',
    '/api/v1/webhooks',
    '/api/v1/channels',
    '/api/v1/sweeps',
    '/api/v1/expiries/list',
    '/api/v1/connections',
    '/api/v1/integrations',
    '/api/v1/owners/owner-1/connections',
    '/api/v1/connections?owner=owner-1',
  ])('%s lists nothing', async (path) => {
    expect((await lab.call('GET', path, { key: foreign })).json.items).toEqual([])
  })

  test('counts nothing of ours, and exports nothing', async () => {
    const of = async (path: string) => await lab.call('GET', `/api/v1/${path}`, { key: foreign })
    expect((await of('connections/facets')).json).toMatchObject({ total: 0, status: [], provider: [], integration: [], code: [] })
    expect((await of('console/overview')).json).toMatchObject({
      counts: { total: 0 },
      attention: [],
      weather: [],
      alerts: [],
      agents: { agents: 0, installations: 0 },
    })
    expect((await of('expiries')).json).toMatchObject({ buckets: [], lanes: [] })
    expect((await of('connections/export')).text.trim().split('\n')).toHaveLength(1)
    expect((await of('events/export')).text).not.toContain(lab.connection)
    expect((await of('metrics/history?series=reads,refreshes_ok,connections_by_status')).json.series).toEqual([])
  })

  test('events and cursors of another organization lead nowhere', async () => {
    const cursor = Buffer.from(lab.connection).toString('base64url')
    expect((await lab.call('GET', `/api/v1/connections?cursor=${cursor}`, { key: foreign })).json.items).toEqual([])
    expect((await lab.call('GET', `/api/v1/events?connection=${lab.connection}`, { key: foreign })).json.items).toEqual([])
  })

  test('an Idempotency-Key of another organization replays nothing', async () => {
    const headers = { 'idempotency-key': 'shared' }
    const own = await lab.call('POST', '/api/v1/api-keys', { body: { name: 'a', scopes: ['connect'] }, headers })
    const other = await lab.call('POST', '/api/v1/api-keys', { body: { name: 'a', scopes: ['connect'] }, headers, key: foreign })
    expect([own.status, other.status]).toEqual([201, 201])
    expect(other.json.key).not.toBe(own.json.key)
  })
})
