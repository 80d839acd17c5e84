import { once } from 'node:events'
import { connect } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { Fault } from '../core/fault/fault.ts'
import { MINUTE } from '../core/time.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { validationFault } from './problem.ts'
import { type App, EMAIL } from './schema.ts'

let lab: ApiLab
beforeAll(async () => {
  lab = await createApiLab({ app: { bodyLimit: 20_000 } })
})

const events = async (): Promise<number> => (await lab.call('GET', '/api/v1/events?limit=200')).json.items.length
const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

describe('input that is not valid changes nothing and names the field', () => {
  const good = { integration: 'scripted', owner: 'o', access_token: 'x' }
  test.each([
    ['a missing field', { owner: 'o', access_token: 'x' }, 400, 'invalid_request', '/integration'],
    ['a field that is not known', { ...good, acess_token: 'y' }, 400, 'invalid_request', '/acess_token'],
    ['a number where text belongs', { ...good, owner: 7 }, 400, 'invalid_request', '/owner'],
    ['text where a boolean belongs', { ...good, replace: 'true' }, 400, 'invalid_request', '/replace'],
    ['an empty owner', { ...good, owner: '' }, 400, 'invalid_request', '/owner'],
    ['a control character in the owner', { ...good, owner: 'a\u0000b' }, 400, 'invalid_request', '/owner'],
    ['an impossible date', { ...good, expires_at: '2026-13-45T00:00:00Z' }, 400, 'invalid_request', '/expires_at'],
    ['30 February', { ...good, expires_at: '2027-02-30T00:00:00Z' }, 400, 'invalid_request', '/expires_at'],
    ['half a surrogate pair in the owner', '{"integration":"scripted","owner":"\\ud800","access_token":"x"}', 400, 'invalid_request', '/owner'],
    ['a date without a zone', { ...good, expires_at: '2026-01-01T00:00:00' }, 400, 'invalid_request', '/expires_at'],
    ['an unknown integration', { ...good, integration: 'none' }, 404, 'not_found', undefined],
    ['an array for an object', [], 400, 'invalid_request', '/'],
    ['null for an object', 'null', 400, 'invalid_request', '/'],
    ['broken JSON', '{"a":', 400, 'invalid_request', undefined],
    ['an empty body', '', 400, 'invalid_request', undefined],
    ['a prototype', '{"__proto__":{"admin":true}}', 400, 'invalid_request', undefined],
    ['a constructor with a prototype', '{"metadata":{"constructor":{"prototype":{"x":1}}}}', 400, 'invalid_request', undefined],
    ['a field sent twice', '{"integration":"scripted","owner":"a","owner":"b"}', 400, 'invalid_request', '/owner'],
    ['a field sent twice deep inside', '{"metadata":{"x":[{"k":1,"\\u006b":2}]}}', 400, 'invalid_request', '/k'],
    ['metadata nested without end', `{"integration":"scripted","owner":"o","access_token":"x","metadata":${deep(3_000)}}`, 400, 'invalid_request', '/metadata'],
    ['a number that would be stored as another one', '{"metadata":{"id":9007199254740993}}', 400, 'invalid_request', undefined],
    ['a number beyond every number', '{"metadata":{"id":-1e400}}', 400, 'invalid_request', undefined],
    ['metadata beyond its limit', { ...good, metadata: { a: 'x'.repeat(17_000) } }, 400, 'invalid_request', '/metadata'],
    ['a body beyond the limit', { ...good, access_token: 'x'.repeat(30_000) }, 413, 'body_too_large', undefined],
  ])('%s', async (_what, body, status, code, field) => {
    const before = await events()
    const answer = await lab.call('POST', '/api/v1/connections', { body })
    expect([answer.status, answer.json.code, answer.json.field]).toEqual([status, code, field])
    expect(answer.json.detail).toMatch(/\w.*\.$/)
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(await events()).toBe(before)
  })

  test('a body nested without end is refused on every route, with and without an Idempotency-Key', async () => {
    for (const headers of [{}, { 'idempotency-key': 'deep' }]) {
      const made = await lab.call('POST', '/api/v1/connections', { body: `{"metadata":${deep(3_000)}}`, headers })
      expect([made.status, made.json.field]).toEqual([400, '/metadata'])
    }
    const patched = await lab.call('PATCH', `/api/v1/connections/${lab.connection}`, { body: `{"metadata":${deep(3_000)}}` })
    expect([patched.status, patched.json.field]).toEqual([400, '/metadata'])
  })

  test('a name with a zero character, which not every database keeps, is refused wherever something is named', async () => {
    const name = 'a\u0000b'
    const bodies = {
      webhooks: { name, url: 'https://app.example.com/hook' },
      channels: { kind: 'email', name, to: ['ops@example.com'] },
      integrations: { provider: 'scripted', slug: 'zero', name, client_id: 'client' },
      'api-keys': { name, scopes: ['events:read'] },
    }
    for (const [path, body] of Object.entries(bodies)) {
      const answer = await lab.call('POST', `/api/v1/${path}`, { body })
      expect([path, answer.status, answer.json.field, answer.json.detail]).toEqual([
        path,
        400,
        '/name',
        'The body is not valid at `/name`: it must be one line of text, without control characters.',
      ])
    }
    const labelled = await lab.call('PATCH', `/api/v1/connections/${lab.connection}`, { body: { account_label: name } })
    expect([labelled.status, labelled.json.field]).toEqual([400, '/account_label'])
  })

  test('what is no id is told what an id looks like, not the pattern of it', async () => {
    const answer = await lab.call('GET', '/api/v1/connections/nope')
    expect([answer.status, answer.json.detail]).toEqual([400, 'The path is not valid at `id`: it must be an id as this API gives it: `con_` and a UUID.'])
  })

  test('a slug, a time and an address that cannot be read are told what one looks like, not the pattern of it', async () => {
    const said = async (path: string, body: object) => (await lab.call('POST', `/api/v1/${path}`, { body })).json.detail
    const slug = await said('integrations', { provider: 'scripted', slug: 'My Notes', name: 'Notes', client_id: 'client' })
    expect(slug).toBe('The body is not valid at `/slug`: it must be lower-case letters, digits and dashes, 1 to 64 of them, with no dash at either end.')
    const time = await said('api-keys', { name: 'a', scopes: ['events:read'], expires_at: '2026-12-01' })
    expect(time).toBe('The body is not valid at `/expires_at`: it must be a time with its zone, for example 2026-01-31T12:00:00Z.')
    expect(validationFault({ keyword: 'pattern', instancePath: '/email', params: { pattern: EMAIL } }, 'body').message).toBe(
      'The body is not valid at `/email`: it must be an e-mail address, for example ana@example.com.',
    )
  })

  test('what is no type of events, no slug and no single word is told what one looks like, not the pattern of it', async () => {
    const said = async (method: 'GET' | 'POST', path: string, body?: object) => (await lab.call(method, `/api/v1/${path}`, { body })).json.detail
    expect(await said('POST', 'webhooks', { name: 'a', url: 'https://app.example.com/h', types: ['connection.needs-reauth'] })).toBe(
      'The body is not valid at `/types/0`: it must be a type of events, for example `connection.needs_reauth`; `connection.*`; or `*`.',
    )
    expect(await said('GET', 'events?type=needs-reauth')).toBe(
      'The query is not valid at `type`: it must be a type of events, for example `connection.needs_reauth`.',
    )
    expect(await said('GET', 'connections?integration=My%20Notes')).toBe(
      'The query is not valid at `integration`: it must be an id or a slug: letters, digits, `-` and `_`.',
    )
    expect(await said('POST', 'integrations', { provider: 'scripted', slug: 'two', name: 'Two', client_id: 'client', scopes: ['read write'] })).toBe(
      'The body is not valid at `/scopes/0`: it must be one word without spaces; in a list, each word is an entry of its own: `["read", "write"]`.',
    )
    expect(await said('POST', 'integrations', { provider: 'scripted', slug: 'two', name: 'Two', client_id: 'client\n' })).toBe(
      'The body is not valid at `/client_id`: it must be one line of printable ASCII characters, without a line break at its end.',
    )
  })

  test('one address where a list is wanted is told how a list is written', async () => {
    const body = { provider: 'scripted', slug: 'two', name: 'Two', client_id: 'client', settings: { return_urls: 'https://app.example.com/done' } }
    expect((await lab.call('POST', '/api/v1/integrations', { body })).json.detail).toBe(
      'The body is not valid at `/settings/return_urls`: it must be an array, also with one entry: `["..."]`.',
    )
  })

  test('a webhook that asks for events that there are not is refused with those that there are, when it is made and when it is changed', async () => {
    const url = 'https://app.example.com/h'
    const refused = await lab.call('POST', '/api/v1/webhooks', { body: { name: 'a', url, types: ['connection.*', 'connection.expired'] } })
    expect([refused.status, refused.json.field]).toEqual([400, '/types/1'])
    expect(refused.json.detail).toContain('connection.expires_soon')
    const made = await lab.call('POST', '/api/v1/webhooks', { body: { name: 'a', url } })
    const changed = await lab.call('PATCH', `/api/v1/webhooks/${made.json.id}`, { body: { types: ['conection.*'] } })
    expect([changed.status, changed.json.field]).toEqual([400, '/types/0'])
  })

  test('a grant of many is told as the grant that it is, and not as the body', async () => {
    const answer = await lab.call('POST', '/api/v1/connections/import', { body: [{ integration: 'scripted', access_token: 'x' }] })
    expect(answer.json.items[0]).toMatchObject({ result: 'refused', field: '/owner', detail: 'The grant is not valid at `/owner`: this field is required.' })
  })

  test('an empty change says that it must name a field', async () => {
    const answer = await lab.call('PATCH', `/api/v1/connections/${lab.connection}`, { body: {} })
    expect([answer.status, answer.json.detail]).toEqual([400, 'The body is not valid at `/`: it must name at least one field.'])
  })

  test('a route that does not say who may use it lets nobody in', async () => {
    const open = await createApiLab({ app: { routes: [(app) => app.get('/forgotten', () => ({ secret: 1 }))] } })
    expect((await open.call('GET', '/forgotten')).status).toBe(500)
  })

  test.each([
    ['/api/v1/connections/nonsense', 400, 'id'],
    ['/api/v1/connections?limit=0', 400, 'limit'],
    ['/api/v1/connections?limit=many', 400, 'limit'],
    ['/api/v1/connections?limit=1&limit=2', 400, 'limit'],
    ['/api/v1/connections?colour=red', 400, 'colour'],
    ['/api/v1/connections?status=happy', 400, 'status'],
    ['/api/v1/connections?cursor=forged', 400, 'cursor'],
    ['/api/v1/events?type=x', 400, 'type'],
    ['/api/v1/connections?q=a%00', 400, 'q'],
    ['/api/v1/connections?tag=%00', 400, 'tag'],
    ['/api/v1/events?subject=a%00', 400, 'subject'],
    ['/api/v1/events?q=owner:a%00', 400, 'q'],
    ['/api/v1/token?integration=scripted', 400, 'owner'],
    ['/api/v1/token?integration=scripted&owner=owner-1&rejected_generation=-1', 400, 'rejected_generation'],
  ])('%s is refused', async (url, status, field) => {
    const answer = await lab.call('GET', url)
    expect([answer.status, answer.json.code, answer.json.field]).toEqual([status, 'invalid_request', field])
  })

  test('another content type is 415, a wrong method 405 with Allow, an unknown path 404', async () => {
    const form = await lab.call('POST', '/api/v1/connections', { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } })
    expect([form.status, form.json.code]).toEqual([415, 'unsupported_media_type'])
    const wrong = await lab.call('PUT', `/api/v1/connections/${lab.connection}`)
    expect([wrong.status, wrong.json.code, wrong.headers['allow']]).toEqual([405, 'method_not_allowed', 'DELETE, GET, HEAD, PATCH'])
    expect((await lab.call('GET', '/api/v1/nothing')).json.code).toBe('not_found')
    expect((await lab.call('GET', '/%zz')).status).toBe(400)
  })
})

describe('every answer', () => {
  const paths = ['/health/live', '/docs/api', '/docs/errors', '/api/v1/openapi.json', '/nothing', '/api/v1/connections', '/api/v1/connections/x', '/metrics']

  test.each(paths)('%s has the safety headers and no fingerprint (S91)', async (path) => {
    for (const key of [null, undefined]) {
      const { headers } = await lab.call('GET', path, key === null ? { key } : {})
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'strict-transport-security': expect.stringContaining('max-age=31536000'),
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      })
      for (const name of ['etag', 'server', 'x-powered-by']) expect(headers[name]).toBeUndefined()
    }
  })

  test('carries a request id: the caller’s when it is harmless, else ours', async () => {
    expect((await lab.call('GET', '/nothing', { headers: { 'request-id': 'abc-1' } })).json.request_id).toBe('abc-1')
    const other = await lab.call('GET', '/nothing', { headers: { 'request-id': 'a b\u00e9<script>' } })
    expect(other.json.request_id).not.toContain('<')
    expect(other.headers['request-id']).toBe(other.json.request_id)
  })

  test('an error that nobody foresaw says nothing of itself, and the log has it (S92)', async () => {
    const broken = await createApiLab({
      app: {
        routes: [
          (app) => {
            app.get('/broken', { config: { access: 'public' } }, () => {
              throw new Error('select * from secrets at /srv/app.ts')
            })
          },
        ],
      },
    })
    const answer = await broken.call('GET', '/broken', { key: null })
    expect([answer.status, answer.json.code]).toEqual([500, 'internal'])
    expect(answer.text).not.toMatch(/select|srv|Error:/)
    expect(broken.logged).toContainEqual({
      fields: { request: answer.json.request_id, error: expect.stringContaining('select * from secrets') },
      message: 'a request failed',
    })
  })

  test('what the database refuses is in the log with its words, once a minute for each cause', async () => {
    let detail = 'permission denied for table webhook'
    const route = () => {
      throw new Fault('store_unavailable', { detail })
    }
    const broken = await createApiLab({ app: { routes: [(app) => void app.get('/broken', { config: { access: 'public' } }, route)] } })
    const lines = () => broken.logged.filter(({ message }) => message === 'the database refused a request')
    const first = await broken.call('GET', '/broken', { key: null })
    expect(first.status).toBe(503)
    await broken.call('GET', '/broken', { key: null })
    expect(lines().map(({ fields }) => fields)).toEqual([{ request: first.json.request_id, error: detail }])
    detail = 'permission denied for table channel'
    await broken.call('GET', '/broken', { key: null })
    expect(lines()).toHaveLength(2)
    await broken.time.advance(MINUTE)
    await broken.call('GET', '/broken', { key: null })
    expect(lines()).toHaveLength(3)
  })

  test('what the database says of its users and tables is for the log and for who is known here, not for everybody', async () => {
    const route = () => {
      throw new Fault('store_unavailable', { detail: 'password authentication failed for user "evergrant"', cause: new Error('28P01') })
    }
    const routes = (app: App) => {
      app.get('/anybody', { config: { access: 'public' } }, route)
      app.get('/known', { config: { access: 'connections:read' } }, route)
    }
    const broken = await createApiLab({ app: { routes: [routes] } })
    const [anybody, known] = [await broken.call('GET', '/anybody', { key: null }), await broken.call('GET', '/known')]
    expect([anybody.status, anybody.json.code, known.status]).toEqual([503, 'store_unavailable', 503])
    expect(anybody.json.detail).toBe('The database cannot be reached or refuses writes. Grants are untouched; see the server log.')
    expect(known.json.detail).toContain('user "evergrant"')
    expect(JSON.stringify(broken.logged)).toContain('password authentication failed')
  })

  test('bytes that are no HTTP, and headers without end, are refused by hand', async () => {
    const served = await createApiLab()
    await served.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = served.app.addresses()
    const port = typeof address === 'object' ? address.port : 0
    const say = async (bytes: string): Promise<string> => {
      const socket = connect(port, '127.0.0.1')
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      socket.on('error', () => {})
      socket.write(bytes)
      await once(socket, 'close')
      return text
    }
    expect(await say('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await say(`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(100_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
    await served.app.close()
  })
})
