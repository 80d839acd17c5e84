import { beforeEach, describe, expect, test, vi } from 'vitest'
import { API_KEY_SCOPES } from '../core/access/api-key.ts'
import { isKeyText, newKeyText } from '../core/access/key-text.ts'
import { systemEntropy } from '../system.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

let lab: ApiLab
beforeEach(async () => {
  lab = await createApiLab()
})

const flipped = (key: string): string => key.slice(0, 20) + (key[20] === 'a' ? 'b' : 'a') + key.slice(21)

describe('the text of a key', () => {
  test('has a prefix, 256 bits and a checksum that every single typing error breaks (S62, S63)', () => {
    const key = newKeyText(systemEntropy)
    expect(key).toMatch(/^egk_[0-9A-Za-z]{49}$/)
    expect(isKeyText(key)).toBe(true)
    for (let index = 0; index < key.length; index++) {
      expect(isKeyText(key.slice(0, index) + (key[index] === 'x' ? 'y' : 'x') + key.slice(index + 1))).toBe(false)
    }
    for (const other of ['', 'egk_', `${key}0`, key.slice(1), 'é'.repeat(53), '\u0000'.repeat(53)]) expect(isKeyText(other)).toBe(false)
  })

  test('two keys are never the same, and all of the alphabet is used', () => {
    const keys = Array.from({ length: 200 }, () => newKeyText(systemEntropy))
    expect(new Set(keys).size).toBe(200)
    expect(new Set(keys.join('').slice(4)).size).toBeGreaterThan(60)
  })
})

describe('asking for a key', () => {
  test.each([
    ['no credential', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['a random bearer token (E12)', { authorization: 'Bearer 7b0e4d8e-6f5c-4c39-9a5e-111111111111' }],
    ['a key of the right form that nobody issued', { authorization: `Bearer ${newKeyText(systemEntropy)}` }],
    ['an endless header', { authorization: `Bearer ${'a'.repeat(5_000)}` }],
  ])('%s is 401 with a challenge, and nothing else', async (_what, headers) => {
    const answer = await lab.call('GET', `/api/v1/connections/${lab.connection}/token`, { key: null, headers })
    expect([answer.status, answer.json.code]).toEqual([401, 'unauthenticated'])
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="evergrant"')
  })

  test('a mistyped key costs neither a hash nor a look-up (E12)', async () => {
    const look = vi.spyOn(lab.store.apiKeys, 'byHash')
    const answer = await lab.call('GET', '/api/v1/connections', { key: flipped(await lab.keyFor(['admin'])) })
    expect(answer.status).toBe(401)
    expect(look).not.toHaveBeenCalled()
  })

  test('the key is looked up once and then known', async () => {
    const key = await lab.keyFor(['connections:read'])
    const look = vi.spyOn(lab.store.apiKeys, 'byHash')
    for (let index = 0; index < 5; index++) expect((await lab.call('GET', '/api/v1/connections', { key })).status).toBe(200)
    expect(look).toHaveBeenCalledTimes(1)
  })

  test('every route asks for its own scope and accepts no other', async () => {
    const con = `/api/v1/connections/${lab.connection}`
    const routes = [
      ['GET', '/api/v1/connections', 'connections:read'],
      ['GET', con, 'connections:read'],
      ['GET', '/api/v1/owners/x/connections', 'connections:read'],
      ['PATCH', con, 'connections:write'],
      ['POST', `${con}/pause`, 'connections:write'],
      ['POST', `${con}/refresh`, 'connections:write'],
      ['DELETE', con, 'connections:write'],
      ['POST', '/api/v1/connections', 'connections:write'],
      ['GET', `${con}/token`, 'tokens:read'],
      ['GET', '/api/v1/token', 'tokens:read'],
      ['GET', `/api/v1/proxy/${lab.connection}/x`, 'proxy'],
      ['GET', '/api/v1/integrations', 'integrations:read'],
      ['POST', '/api/v1/integrations', 'integrations:write'],
      ['PATCH', '/api/v1/integrations/scripted', 'integrations:write'],
      ['DELETE', '/api/v1/integrations/scripted', 'integrations:write'],
      ['GET', '/api/v1/events', 'events:read'],
      ['GET', '/api/v1/api-keys', 'api_keys:write'],
      ['POST', '/api/v1/api-keys', 'api_keys:write'],
      ['POST', '/api/v1/admin/refresh-tokens', 'admin'],
    ] as const
    for (const [method, url, scope] of routes) {
      const without = await lab.keyFor(API_KEY_SCOPES.filter((one) => one !== scope && one !== 'admin'))
      const refused = await lab.call(method, url, { key: without })
      expect([method, url, refused.status, refused.json.code]).toEqual([method, url, 403, 'forbidden'])
      expect(refused.json.detail).toContain(scope)
      expect((await lab.call(method, url, { key: await lab.keyFor([scope]) })).status).not.toBe(403)
    }
  })
})

describe('the life of a key', () => {
  test('it is shown once, listed without its text, and only its hash is stored', async () => {
    const made = await lab.call('POST', '/api/v1/api-keys', { body: { name: 'backend', scopes: ['tokens:read'] } })
    expect(made.status).toBe(201)
    expect(isKeyText(made.json.key)).toBe(true)
    const listed = await lab.call('GET', '/api/v1/api-keys')
    expect(listed.json.items.map((key: { id: string }) => key.id)).toContain(made.json.id)
    expect(listed.text).not.toContain(made.json.key)
    expect((await lab.call('GET', '/api/v1/events')).text).not.toContain(made.json.key)
  })

  test('a key gives no scope that it lacks itself', async () => {
    const key = await lab.keyFor(['api_keys:write', 'events:read'])
    const refused = await lab.call('POST', '/api/v1/api-keys', { key, body: { name: 'x', scopes: ['tokens:read'] } })
    expect([refused.status, refused.json.code]).toEqual([403, 'forbidden'])
    expect((await lab.call('POST', '/api/v1/api-keys', { key, body: { name: 'x', scopes: ['events:read'] } })).status).toBe(201)
    const strong = (await lab.call('POST', '/api/v1/api-keys', { body: { name: 'strong', scopes: ['admin'] } })).json
    expect((await lab.call('POST', `/api/v1/api-keys/${strong.id}/rotate`, { key })).status).toBe(403)
  })

  test('after a rotation both keys work until the overlap ends', async () => {
    const old = (await lab.call('POST', '/api/v1/api-keys', { body: { name: 'r', scopes: ['events:read'] } })).json
    const next = (await lab.call('POST', `/api/v1/api-keys/${old.id}/rotate`, { body: { overlap_seconds: 60 } })).json
    expect([next.replaces, next.scopes]).toEqual([old.id, ['events:read']])
    const works = async (key: string): Promise<number> => (await lab.call('GET', '/api/v1/events', { key })).status
    expect([await works(old.key), await works(next.key)]).toEqual([200, 200])
    await lab.time.advance(61_000)
    expect([await works(old.key), await works(next.key)]).toEqual([401, 200])
  })

  test('a revoked key stops at once, and revoking again changes nothing', async () => {
    const made = (await lab.call('POST', '/api/v1/api-keys', { body: { name: 'gone', scopes: ['events:read'] } })).json
    expect((await lab.call('GET', '/api/v1/events', { key: made.key })).status).toBe(200)
    for (const _ of [1, 2]) expect((await lab.call('DELETE', `/api/v1/api-keys/${made.id}`)).status).toBe(204)
    expect((await lab.call('GET', '/api/v1/events', { key: made.key })).status).toBe(401)
    expect((await lab.call('DELETE', '/api/v1/api-keys/key_01890a5d-ac96-774b-bcce-b302099a8057')).status).toBe(404)
  })

  test('an expired key is refused, and one that begins expired is not made', async () => {
    const made = (await lab.call('POST', '/api/v1/api-keys', { body: { name: 'e', scopes: ['events:read'], expires_at: '2026-01-01T00:01:00Z' } })).json
    expect((await lab.call('GET', '/api/v1/events', { key: made.key })).status).toBe(200)
    await lab.time.advance(61_000)
    expect((await lab.call('GET', '/api/v1/events', { key: made.key })).status).toBe(401)
    expect((await lab.call('POST', '/api/v1/api-keys', { body: { name: 'e', scopes: ['events:read'], expires_at: '2020-01-01T00:00:00Z' } })).json.field).toBe(
      '/expires_at',
    )
  })

  test('whoever goes on with a key that ended is told how and when, at the first request and from memory; a made-up key is told nothing', async () => {
    const short = (await lab.call('POST', '/api/v1/api-keys', { body: { name: 's', scopes: ['events:read'], expires_at: '2026-01-01T00:01:00Z' } })).json
    const gone = (await lab.call('POST', '/api/v1/api-keys', { body: { name: 'g', scopes: ['events:read'] } })).json
    await lab.call('DELETE', `/api/v1/api-keys/${gone.id}`)
    await lab.time.advance(61_000)
    const detailOf = async (key: string): Promise<string> => (await lab.call('GET', '/api/v1/events', { key })).json.detail
    const look = vi.spyOn(lab.store.apiKeys, 'byHash')
    for (const _ of [1, 2]) {
      expect(await detailOf(short.key)).toContain(`${short.hint}... expired at 2026-01-01T00:01:00.000Z. If it was rotated, use its successor`)
      expect(await detailOf(gone.key)).toContain(`${gone.hint}... was revoked at 2026-01-01T00:00:00.000Z.`)
    }
    expect(look).toHaveBeenCalledTimes(2)
    expect(await detailOf(newKeyText(systemEntropy))).toBe('This is no valid API key: it is unknown, revoked or expired.')
  })

  test('the last use is written in batches', async () => {
    const made = (await lab.call('POST', '/api/v1/api-keys', { body: { name: 'u', scopes: ['events:read'] } })).json
    const touch = vi.spyOn(lab.store.apiKeys, 'touch')
    for (let index = 0; index < 10; index++) await lab.call('GET', '/api/v1/events', { key: made.key })
    await lab.time.advance(6_000)
    expect(touch).toHaveBeenCalledTimes(1)
    const listed = (await lab.call('GET', '/api/v1/api-keys')).json.items.find((key: { id: string }) => key.id === made.id)
    expect(listed.last_used_at).toMatch(/^2026-01-01T00:00:0/)
  })
})

describe('limits', () => {
  test('invalid credentials are limited by address before any look-up, and valid keys from there go on', async () => {
    const key = await lab.keyFor(['events:read'])
    await lab.call('GET', '/api/v1/events', { key })
    const look = vi.spyOn(lab.store.apiKeys, 'byHash')
    const statuses: number[] = []
    for (let index = 0; index < 150; index++) statuses.push((await lab.call('GET', '/api/v1/events', { key: newKeyText(systemEntropy) })).status)
    expect([statuses.filter((status) => status === 401).length, statuses.filter((status) => status === 429).length]).toEqual([100, 50])
    expect(look).toHaveBeenCalledTimes(100)
    expect((await lab.call('GET', '/api/v1/events', { key })).status).toBe(200)
  })

  test('a key over its limit is told when to come back', async () => {
    const slow = await createApiLab({ app: { keyLimit: { perSecond: 1, capacity: 2 } } })
    const answers = []
    for (let index = 0; index < 3; index++) answers.push(await slow.call('GET', '/api/v1/events'))
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 429])
    expect([answers[2]?.json.code, answers[2]?.headers['retry-after'], answers[2]?.json.retry_at]).toEqual(['rate_limited', '1', '2026-01-01T00:00:01.000Z'])
    await slow.time.advance(1_000)
    expect((await slow.call('GET', '/api/v1/events')).status).toBe(200)
  })

  test('ten thousand reads in one second are ordinary (E11)', async () => {
    const key = await lab.keyFor(['tokens:read'])
    for (let index = 0; index < 1_000; index++) expect((await lab.call('GET', `/api/v1/connections/${lab.connection}/token`, { key })).status).toBe(200)
  })

  test('X-Forwarded-For counts only from a trusted proxy, and its right-most hop is the address (S66)', async () => {
    const exhaust = async (one: ApiLab, forwarded: (index: number) => string): Promise<number[]> => {
      const statuses: number[] = []
      for (let index = 0; index < 101; index++)
        statuses.push((await one.call('GET', '/api/v1/events', { key: 'no', headers: { 'x-forwarded-for': forwarded(index) } })).status)
      return statuses
    }
    expect((await exhaust(lab, (index) => `198.51.100.${index}`)).at(-1)).toBe(429)
    const behind = await createApiLab({ app: { trustedProxies: ['127.0.0.1'] } })
    expect((await exhaust(behind, (index) => `203.0.113.${index}, 198.51.100.7`)).at(-1)).toBe(429)
    const fair = await createApiLab({ app: { trustedProxies: ['127.0.0.1'] } })
    expect((await exhaust(fair, (index) => `198.51.100.${index}`)).at(-1)).toBe(401)
  })
})

describe('Idempotency-Key', () => {
  const body = { integration: 'scripted', owner: 'idem', access_token: 'x' }
  const headers = { 'idempotency-key': 'k-1' }

  test('the same request gets the same answer and runs once', async () => {
    const first = await lab.call('POST', '/api/v1/connections', { body, headers })
    const second = await lab.call('POST', '/api/v1/connections', { body, headers })
    expect([first.status, second.status, second.text]).toEqual([201, 201, first.text])
    expect(second.headers['idempotent-replayed']).toBe('true')
    expect((await lab.call('GET', '/api/v1/connections?owner=idem')).json.items).toHaveLength(1)
  })

  test('another request under the same key is refused', async () => {
    await lab.call('POST', '/api/v1/connections', { body, headers })
    const other = await lab.call('POST', '/api/v1/connections', { body: { ...body, owner: 'else' }, headers })
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_mismatch'])
  })

  test('refusals are not kept: the corrected request may use the same key', async () => {
    expect((await lab.call('POST', '/api/v1/connections', { body: { ...body, owner: 1 }, headers })).status).toBe(400)
    expect((await lab.call('POST', '/api/v1/connections', { body: { ...body, integration: 'none' }, headers })).status).toBe(404)
    expect((await lab.call('POST', '/api/v1/connections', { body, headers })).status).toBe(201)
  })

  test('a failure that nobody can tell the end of is kept, and is the same problem when it is given again', async () => {
    const { connections } = lab.services
    let runs = 0
    connections.import = () => {
      runs += 1
      return Promise.reject(new Error('broken'))
    }
    const answers = [await lab.call('POST', '/api/v1/connections', { body, headers }), await lab.call('POST', '/api/v1/connections', { body, headers })]
    expect(answers.map(({ status, json, headers: { 'content-type': type } }) => [status, json.code, type])).toEqual(
      Array(2).fill([500, 'internal', 'application/problem+json; charset=utf-8']),
    )
    expect(runs).toBe(1)
  })

  test('of twenty concurrent requests one runs', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => lab.call('POST', '/api/v1/api-keys', { body: { name: 'once', scopes: ['events:read'] }, headers })),
    )
    expect(answers.filter((answer) => answer.status === 201 && answer.headers['idempotent-replayed'] === undefined)).toHaveLength(1)
    for (const answer of answers) expect([201, 409]).toContain(answer.status)
    expect((await lab.call('GET', '/api/v1/api-keys')).json.items.filter((key: { name: string }) => key.name === 'once')).toHaveLength(1)
  })

  test('a key that is no visible ASCII is refused', async () => {
    expect((await lab.call('POST', '/api/v1/connections', { body, headers: { 'idempotency-key': 'x'.repeat(300) } })).json.field).toBe('Idempotency-Key')
  })
})
