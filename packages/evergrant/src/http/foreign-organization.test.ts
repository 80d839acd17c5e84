import { beforeAll, describe, expect, test } from 'vitest'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { signIn } from '../testing/people.ts'

let lab: ApiLab
let foreign: string
let keyId: string
let integrationId: string
let agentId: string
beforeAll(async () => {
  lab = await createApiLab()
  foreign = await lab.keyFor(['admin'], await lab.anotherOrganization())
  keyId = (await lab.call('GET', '/api/v1/api-keys')).json.items[0].id
  const { id: owner } = await signIn(lab, { role: 'owner', organization: lab.organization })
  agentId = (await lab.call('POST', '/api/v1/agents', { body: { name: 'ours', owner } })).json.id
  integrationId = (await lab.call('GET', '/api/v1/integrations')).json.items[0].id
})

const snapshot = async (): Promise<readonly string[]> => {
  const paths = ['/api/v1/connections', '/api/v1/integrations', '/api/v1/agents', '/api/v1/events?limit=200']
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
  ] as const)('%s %s finds nothing, exactly as with an id that never was', async (method, path, body) => {
    // A read first, so that the token is in memory: memory must know organizations as well.
    await lab.call('GET', `/api/v1/connections/${lab.connection}/token`)
    const before = await snapshot()
    const fill = (text: string): string =>
      text.replace(':connection', lab.connection).replace(':integration', integrationId).replace(':key', keyId).replace(':agent', agentId)
    const never = (text: string): string =>
      text
        .replace(':connection', `${lab.connection.slice(0, -4)}ffff`)
        .replace(':integration', `${integrationId.slice(0, -4)}ffff`)
        .replace(':key', `${keyId.slice(0, -4)}ffff`)
        .replace(':agent', `${agentId.slice(0, -4)}ffff`)
    const ask = async (fit: (text: string) => string) => {
      const sent = body === undefined ? {} : { body: JSON.parse(fit(JSON.stringify(body))) }
      const { status, json } = await lab.call(method, fit(path), { key: foreign, ...sent })
      const { detail, request_id: _id, ...rest } = json
      return { status, ...rest, detail: String(detail).replace(/[a-z]+_[0-9a-f-]{36}/g, 'ID') }
    }
    const real = await ask(fill)
    expect(real).toMatchObject({ status: 404, code: 'not_found' })
    expect(real).toEqual(await ask(never))
    expect(await snapshot()).toEqual(before)
  })

  test.each(['/api/v1/connections', '/api/v1/integrations', '/api/v1/owners/owner-1/connections', '/api/v1/connections?owner=owner-1'])(
    '%s lists nothing',
    async (path) => {
      expect((await lab.call('GET', path, { key: foreign })).json.items).toEqual([])
    },
  )

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
