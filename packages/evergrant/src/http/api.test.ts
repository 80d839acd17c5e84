import { beforeAll, describe, expect, test } from 'vitest'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

let lab: ApiLab
beforeAll(async () => {
  lab = await createApiLab()
})

const UNKNOWN = 'con_01890a5d-ac96-774b-bcce-b302099a8057'
const imported = async (owner: string, more: Record<string, unknown> = {}) =>
  (
    await lab.call('POST', '/api/v1/connections', {
      body: { integration: 'scripted', owner, refresh_token: `rt-${owner}`, access_token: `at-${owner}`, expires_at: '2026-06-01T00:00:00Z', ...more },
    })
  ).json

describe('tokens', () => {
  test('a token is read with its generation and its end', async () => {
    const answer = await lab.call('GET', `/api/v1/connections/${lab.connection}/token`)
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      access_token: 'at-1',
      token_type: 'Bearer',
      expires_at: '2026-01-01T01:00:00.000Z',
      generation: 1,
      scopes: null,
      connection_id: lab.connection,
      status: 'active',
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['etag']).toBeUndefined()
  })

  test('a token is read by integration and owner', async () => {
    const answer = await lab.call('GET', '/api/v1/token?integration=scripted&owner=owner-1&min_ttl=60')
    expect([answer.status, answer.json.access_token]).toEqual([200, 'at-1'])
  })

  test('an owner without a connection is told so, and one with two gets their ids', async () => {
    const none = await lab.call('GET', '/api/v1/token?integration=scripted&owner=nobody')
    expect([none.status, none.json.code]).toEqual([404, 'not_found'])
    const ids = [(await imported('two', { account: 'a' })).id, (await imported('two', { account: 'b', refresh_token: 'rt-two-b' })).id]
    const two = await lab.call('GET', '/api/v1/token?integration=scripted&owner=two')
    expect([two.status, two.json.code]).toEqual([409, 'conflict'])
    for (const id of ids) expect(two.json.detail).toContain(id)
  })

  test('a refresh that cannot happen is a problem that says so', async () => {
    const { id } = await imported('access-only', { refresh_token: null })
    const answer = await lab.call('POST', `/api/v1/connections/${id}/refresh`)
    expect([answer.status, answer.json.code, answer.json.type]).toEqual([
      409,
      'refresh_not_supported',
      'https://evergrant.example/docs/errors#refresh_not_supported',
    ])
  })

  test('the fast lane on a socket and the route give the same answer', async () => {
    const served = await createApiLab()
    await served.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = served.app.addresses()
    const port = typeof address === 'object' ? address.port : 0
    const headers = { authorization: `Bearer ${await served.keyFor(['tokens:read'])}`, 'request-id': 'mine' }
    const url = `/api/v1/connections/${served.connection}/token`
    const read = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}${url}`, { headers })
      const { date, connection, 'keep-alive': _keepAlive, ...rest } = Object.fromEntries(answer.headers)
      return { status: answer.status, headers: rest, body: await answer.json() }
    }
    const [byRoute, byLane] = [await read(), await read()]
    expect(byLane).toEqual(byRoute)
    expect(byLane.status).toBe(200)
    expect(byLane.headers['request-id']).toBe('mine')
    await served.app.close()
  })
})

describe('connections', () => {
  test('an import is a connection with every fact but its tokens', async () => {
    const made = await lab.call('POST', '/api/v1/connections', {
      body: {
        integration: 'scripted',
        owner: 'ann',
        access_token: 'secret-at',
        refresh_token: 'secret-rt',
        expires_at: '2026-01-01T02:00:00Z',
        scopes: ['a'],
        account: 'acc-1',
        account_label: 'Ann',
        metadata: { plan: 'x' },
        tags: ['eu'],
        consented_at: '2025-12-01T00:00:00Z',
      },
    })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({
      integration: 'scripted',
      provider: 'scripted',
      owner: 'ann',
      account: { id: 'acc-1', label: 'Ann' },
      status: 'active',
      fault: null,
      scopes: ['a'],
      generation: 1,
      metadata: { plan: 'x' },
      tags: ['eu'],
      refreshable: true,
    })
    expect(made.text).not.toContain('secret-')
    expect((await lab.call('GET', `/api/v1/connections/${made.json.id}/token`)).json.access_token).toBe('secret-at')
    expect((await lab.call('GET', `/api/v1/connections/${made.json.id}`)).json).toMatchObject({ id: made.json.id, consented_at: '2025-12-01T00:00:00.000Z' })
  })

  test('the same account of the same owner is refused by id, and replaced under it when asked', async () => {
    const first = await imported('bob', { account: 'acc-b' })
    const again = await lab.call('POST', '/api/v1/connections', { body: { integration: 'scripted', owner: 'bob', account: 'acc-b', access_token: 'new' } })
    expect([again.status, again.json.code]).toEqual([409, 'already_exists'])
    expect(again.json.detail).toContain(first.id)
    const replaced = await imported('bob', { account: 'acc-b', access_token: 'newer', replace: true })
    expect([replaced.id, replaced.generation]).toEqual([first.id, 2])
    expect((await lab.call('GET', `/api/v1/connections/${first.id}/token`)).json).toMatchObject({ access_token: 'newer', generation: 2 })
  })

  test('the same refresh token of the same owner is held once, even when nobody told the account', async () => {
    const body = { integration: 'scripted', owner: 'twice', refresh_token: 'rt-of-twice' }
    const first = await lab.call('POST', '/api/v1/connections', { body })
    const again = await lab.call('POST', '/api/v1/connections', { body })
    expect([first.status, again.status, again.json.code]).toEqual([201, 409, 'already_exists'])
    expect(again.json.detail).toContain(first.json.id)
    expect((await lab.call('GET', '/api/v1/owners/twice/connections')).json.items).toHaveLength(1)
  })

  test('an import without any token is refused', async () => {
    const answer = await lab.call('POST', '/api/v1/connections', { body: { integration: 'scripted', owner: 'x' } })
    expect([answer.status, answer.json.field]).toEqual([400, '/refresh_token'])
  })

  test('lists page by cursor and filter by owner, status and tag', async () => {
    for (const owner of ['p1', 'p2', 'p3']) await imported(owner, { tags: ['paged'] })
    const first = await lab.call('GET', '/api/v1/connections?tag=paged&limit=2')
    const second = await lab.call('GET', `/api/v1/connections?tag=paged&limit=2&cursor=${encodeURIComponent(first.json.cursor)}`)
    expect([first.json.items.length, second.json.items.length, second.json.cursor]).toEqual([2, 1, null])
    expect((await lab.call('GET', '/api/v1/owners/p2/connections')).json.items).toHaveLength(1)
    expect((await lab.call('GET', '/api/v1/connections?status=needs_reauth')).json.items).toEqual([])
  })

  test('metadata is merged (RFC 7396) or replaced, and concurrent merges lose nothing (E9)', async () => {
    const { id } = await imported('meta', { metadata: { a: 1, deep: { x: 1 } } })
    await Promise.all(['b', 'c', 'd', 'e'].map((name) => lab.call('PATCH', `/api/v1/connections/${id}`, { body: { metadata: { [name]: 1 } } })))
    const merged = await lab.call('PATCH', `/api/v1/connections/${id}`, { body: { metadata: { a: null, deep: { y: 2 } }, tags: ['t'], account_label: 'L' } })
    expect(merged.json).toMatchObject({ metadata: { b: 1, c: 1, d: 1, e: 1, deep: { x: 1, y: 2 } }, tags: ['t'], account: { label: 'L' } })
    expect(merged.json.metadata).not.toHaveProperty('a')
    const stale = await lab.call('PATCH', `/api/v1/connections/${id}`, { body: { tags: [], version: 1 } })
    expect([stale.status, stale.json.field]).toEqual([409, '/version'])
    expect((await lab.call('PATCH', `/api/v1/connections/${id}`, { body: { metadata: { only: 1 }, metadata_mode: 'replace' } })).json.metadata).toEqual({
      only: 1,
    })
  })

  test('pause stops reads, resume lifts it, disconnect ends it; each can be repeated', async () => {
    const { id } = await imported('states')
    const post = (action: string) => lab.call('POST', `/api/v1/connections/${id}/${action}`)
    for (const _ of [1, 2]) expect((await post('pause')).json.status).toBe('paused')
    expect((await lab.call('GET', `/api/v1/connections/${id}/token`)).json.code).toBe('connection_paused')
    for (const _ of [1, 2]) expect((await post('resume')).json.status).toBe('active')
    expect((await lab.call('GET', `/api/v1/connections/${id}/token`)).status).toBe(200)
    expect((await lab.call('DELETE', `/api/v1/connections/${id}`)).json).toMatchObject({ status: 'disconnected', revocation: 'unsupported' })
    expect((await post('disconnect')).json).toMatchObject({ status: 'disconnected', revocation: 'already' })
    expect((await lab.call('GET', `/api/v1/connections/${id}/token`)).json.code).toBe('connection_disconnected')
    expect((await post('pause')).json.code).toBe('connection_disconnected')
    const types = (await lab.call('GET', `/api/v1/events?connection=${id}`)).json.items.map((event: { type: string }) => event.type)
    expect(types).toEqual(['connection.disconnected', 'connection.resumed', 'connection.paused', 'connection.imported'])
  })
})

describe('integrations', () => {
  const body = {
    provider: 'scripted',
    slug: 'mine',
    client_id: 'cid',
    client_secret: 'planted-secret',
    settings: { return_urls: ['https://app.example/done'], margin_seconds: 60 },
  }

  test('create, read by slug and id, change, delete; the secret never comes back', async () => {
    const made = await lab.call('POST', '/api/v1/integrations', { body })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({
      slug: 'mine',
      has_client_secret: true,
      callback_url: 'https://evergrant.example/connect/callback/mine',
      settings: { renewal: 'auto', margin_seconds: 60 },
      version: 1,
    })
    expect((await lab.call('GET', '/api/v1/integrations/mine')).json.id).toBe(made.json.id)
    const changed = await lab.call('PATCH', `/api/v1/integrations/${made.json.id}`, { body: { name: 'New', settings: { concurrency: 2 }, version: 1 } })
    expect(changed.json).toMatchObject({ name: 'New', version: 2, settings: { concurrency: 2, margin_seconds: 60 } })
    expect((await lab.call('PATCH', '/api/v1/integrations/mine', { body: { name: 'Old', version: 1 } })).status).toBe(409)
    expect((await lab.call('POST', '/api/v1/integrations', { body })).json.code).toBe('already_exists')
    expect(changed.text + made.text + (await lab.call('GET', '/api/v1/events')).text).not.toContain('planted-secret')
    expect((await lab.call('DELETE', '/api/v1/integrations/mine')).status).toBe(204)
    expect((await lab.call('GET', '/api/v1/integrations/mine')).status).toBe(404)
  })

  test('new client credentials lift blocked at once, and a new name does not', async () => {
    const fault = {
      code: 'client_rejected' as const,
      at: 1,
      evidence: { intent: null, httpStatus: 401, providerCode: 'invalid_client', providerText: null, answerHash: null },
    }
    const event = {
      id: 'evt_01890a5d-ac96-774b-bcce-b302099a8057',
      organization: lab.organization,
      type: 'integration.blocked',
      at: 1,
      actor: { kind: 'system', id: null },
      connection: null,
      subject: lab.integration,
      data: {},
    } as const
    await lab.store.integrations.setBlocked(lab.integration, fault, event)
    expect((await lab.call('GET', `/api/v1/connections/${lab.connection}`)).json).toMatchObject({
      status: 'blocked',
      fault: { code: 'client_rejected', title: 'Scripted refuses our client credentials' },
    })
    expect((await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { name: 'Other' } })).json.blocked?.code).toBe('client_rejected')
    expect((await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { client_secret: 'right' } })).json.blocked).toBeNull()
  })

  test('an integration in use cannot be deleted', async () => {
    const answer = await lab.call('DELETE', '/api/v1/integrations/scripted')
    expect([answer.status, answer.json.code]).toEqual([409, 'conflict'])
  })

  test.each([
    [{ provider: 'nowhere' }, '/provider'],
    [{ settings: { return_urls: ['http://app.example/'] } }, '/settings/return_urls/0'],
    [{ settings: { return_urls: ['https://app.example/#x'] } }, '/settings/return_urls/0'],
    [{ settings: { redirect_uri: 'javascript:alert(1)' } }, '/settings/redirect_uri'],
    [{ settings: { authorize_parameters: { state: 'x' } } }, '/settings/authorize_parameters/state'],
    [{ settings: { token: 'bot' } }, '/settings/token'],
    [{ variables: { shop: 'x' } }, '/variables/shop'],
    [{ slug: 'Not A Slug' }, '/slug'],
    [{ settings: { proxy_replays: 4 } }, '/settings/proxy_replays'],
  ])('%j is refused at %s', async (change, field) => {
    const answer = await lab.call('POST', '/api/v1/integrations', { body: { ...body, slug: 'bad', ...change } })
    expect([answer.status, answer.json.code, answer.json.field]).toEqual([400, 'invalid_request', field])
  })
})

describe('everything else', () => {
  test('providers, organization, health, metrics and the sweep answer', async () => {
    expect((await lab.call('GET', '/api/v1/providers')).json.items).toContainEqual({
      id: 'scripted',
      name: 'Scripted',
      docs: null,
      grant: 'authorization_code',
      reuse: 'P4',
      has_api: false,
      sunsets: [],
    })
    expect((await lab.call('GET', '/api/v1/providers/scripted')).json).toMatchObject({ id: 'scripted', can_revoke: false })
    expect((await lab.call('GET', '/api/v1/providers/none')).status).toBe(404)
    expect((await lab.call('GET', '/api/v1/organizations/current')).json).toMatchObject({ id: lab.organization, slug: 'acme' })
    expect((await lab.call('GET', '/health/live', { key: null })).json).toEqual({ live: true })
    expect((await lab.call('GET', '/health/ready', { key: null })).json.ready).toBe(true)
    expect((await lab.call('GET', '/metrics', { key: null })).text).toContain('evergrant_up')
    expect((await lab.call('POST', '/api/v1/admin/refresh-tokens')).json.started).toEqual(expect.any(Number))
  })

  test('an unknown connection and one of another organization get the same body', async () => {
    const key = await lab.keyFor(['admin'], await lab.anotherOrganization())
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/token'],
      ['POST', '/refresh'],
      ['POST', '/pause'],
      ['DELETE', ''],
    ] as const) {
      const answers = await Promise.all(
        [lab.connection, UNKNOWN].map((id) => lab.call(method, `/api/v1/connections/${id}${path}`, { key, headers: { 'request-id': 'same' } })),
      )
      expect(answers.map((answer) => answer.status)).toEqual([404, 404])
      expect(answers[0]?.text.replaceAll(lab.connection, UNKNOWN)).toBe(answers[1]?.text)
    }
    expect((await lab.call('GET', '/api/v1/connections', { key })).json.items).toEqual([])
    expect((await lab.call('GET', '/api/v1/integrations/scripted', { key })).status).toBe(404)
  })
})
