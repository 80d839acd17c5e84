import { createVerify, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import { decodeJwt } from '../core/provider/base64url.ts'
import { systemEntropy } from '../system.ts'
import { AnsweringEndpoint, type Reply } from '../testing/answering-endpoint.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import type { LabOptions } from '../testing/engine-lab.ts'
import { testSeal } from '../testing/seal.ts'

type RecordDraft = NonNullable<LabOptions['record']>

const HOUR = 3_600_000
const OWN = { client_id: 'own-client', client_secret: 'own-secret-1' }
const CLIENT: RecordDraft = { grant: 'client_credentials', token: { url: 'https://provider.example/token', clientAuth: 'basic' } }
const granted = (token: string, more: object = {}): Reply => ({ status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: 3_600, ...more } })

async function start(record: RecordDraft, reply: () => Reply, options: Partial<LabOptions> = {}) {
  const endpoint = new AnsweringEndpoint(reply)
  const lab = await createApiLab({ record, endpoint, ...options })
  const create = (body: object = {}) => lab.call('POST', '/api/v1/connections', { body: { integration: 'scripted', owner: 'customer-7', ...body } })
  return { lab, endpoint, create }
}

const tokenOf = (lab: ApiLab, id: string, query = '') => lab.call('GET', `/api/v1/connections/${id}/token${query}`)
const read = async (lab: ApiLab, id: string) => (await lab.call('GET', `/api/v1/connections/${id}`)).json
const events = async (lab: ApiLab, id: string) => (await lab.call('GET', `/api/v1/events?connection=${id}`)).json.items

/** What an older version may have stored, without the check that there is today. */
async function storeSecret(lab: ApiLab, secret: string): Promise<void> {
  const integration = await lab.store.integrations.load(lab.integration)
  if (integration === undefined) throw new Error('the integration is gone')
  const context = { organization: lab.organization, table: 'integration', row: lab.integration, column: 'client_secret' }
  const [event] = (await lab.store.events.list(lab.organization, {}, { limit: 1, cursor: null })).items
  if (event === undefined) throw new Error('there is no event')
  const next = { ...integration, clientSecret: testSeal().seal(secret, context), version: integration.version + 1 }
  await lab.store.integrations.update(next, { ...event, id: newId('evt', systemEntropy) })
}

describe('client credentials of a connection', () => {
  test('the first token is asked for before the connection is stored, and read afterwards', async () => {
    const { lab, endpoint, create } = await start(CLIENT, () => granted('at-1', { scope: 'orders' }))
    const made = await create({ credentials: OWN, metadata: { plan: 'gold' }, tags: ['b2b'] })
    expect([made.status, made.json.status, made.json.grant, made.json.scopes, made.json.generation]).toEqual([
      201,
      'active',
      'client_credentials',
      ['orders'],
      1,
    ])
    expect([made.json.metadata, made.json.tags, made.json.refreshable]).toEqual([{ plan: 'gold' }, ['b2b'], true])
    expect(endpoint.sent).toHaveLength(1)
    expect(endpoint.sent[0]).toMatchObject({ basic: { username: 'own-client', password: 'own-secret-1' }, body: 'grant_type=client_credentials' })
    const token = await tokenOf(lab, made.json.id)
    expect(token.json).toMatchObject({ access_token: 'at-1', token_type: 'Bearer', generation: 1 })
    expect(endpoint.sent).toHaveLength(1)
    expect(lab.observed.map(({ kind }) => kind)).toEqual(['granted'])
  })

  test('no answer, event or log has the secret, and the stored one is sealed', async () => {
    const { lab, create } = await start(CLIENT, () => granted('at-1'))
    const { json, text } = await create({ credentials: OWN })
    const said = [text, JSON.stringify(await read(lab, json.id)), JSON.stringify(await events(lab, json.id)), JSON.stringify(lab.logged)].join()
    expect(said).not.toContain('own-secret-1')
    const row = await lab.store.credentials.read(json.id)
    expect(Buffer.from(row?.credential.refreshToken ?? []).toString('latin1')).not.toContain('own-secret-1')
    expect((await events(lab, json.id))[0]).toMatchObject({ type: 'connection.created', data: { grant: 'client_credentials', verified: true } })
  })

  test("a wrong secret is told at once, with the provider's words, and nothing is stored", async () => {
    const { lab, create } = await start(CLIENT, () => ({ status: 401, body: { error: 'invalid_client', error_description: 'no client own-secret-1' } }))
    const refused = await create({ credentials: OWN })
    expect([refused.status, refused.json.code, refused.json.field]).toEqual([422, 'credentials_refused', '/credentials'])
    expect(refused.json.detail).toContain('HTTP 401, invalid_client, no client [redacted]')
    expect((await lab.call('GET', '/api/v1/connections?owner=customer-7')).json.items).toEqual([])
  })

  test('a provider that does not answer stores nothing, unless it is not to be asked', async () => {
    const { lab, endpoint, create } = await start(CLIENT, () => null)
    const unknown = await create({ credentials: OWN })
    expect([unknown.status, unknown.json.code]).toEqual([503, 'provider_unavailable'])
    expect(unknown.json.detail).toContain('`verify: false`')
    expect((await lab.call('GET', '/api/v1/connections?owner=customer-7')).json.items).toEqual([])
    const made = await create({ credentials: OWN, verify: false })
    expect([made.status, endpoint.sent.length]).toEqual([201, 1])
    endpoint.reply = () => granted('at-1')
    expect((await tokenOf(lab, made.json.id)).json).toMatchObject({ access_token: 'at-1', generation: 2 })
  })

  test('it is renewed with the same credentials, and a refresh token of the answer is left', async () => {
    let count = 0
    const { lab, endpoint, create } = await start(CLIENT, () => granted(`at-${++count}`, { refresh_token: 'rt-of-the-provider' }))
    const { json } = await create({ credentials: OWN })
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'at-2', generation: 2 })
    expect((await lab.call('POST', `/api/v1/connections/${json.id}/refresh`)).json).toMatchObject({ generation: 3 })
    expect(endpoint.sent.map(({ body }) => body)).toEqual(Array(3).fill('grant_type=client_credentials'))
    expect(new Set(endpoint.sent.map(({ basic }) => basic?.password))).toEqual(new Set(['own-secret-1']))
  })

  test('a token that an API refused is renewed once', async () => {
    let count = 0
    const { lab, create } = await start(CLIENT, () => granted(`at-${++count}`))
    const { json } = await create({ credentials: OWN })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json).toMatchObject({ access_token: 'at-2', generation: 2 })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json).toMatchObject({ generation: 2 })
  })

  test('refused later, this connection alone needs new credentials; they are stored into it under its id', async () => {
    const { lab, endpoint, create } = await start(CLIENT, () => granted('at-1'))
    const { json } = await create({ credentials: OWN })
    endpoint.reply = ({ basic }) => (basic?.password === 'own-secret-2' ? granted('at-2') : { status: 401, body: { error: 'invalid_client' } })
    await lab.time.advance(HOUR + 1)
    const refused = await tokenOf(lab, json.id)
    expect([refused.status, refused.json.code, refused.json.needs_reauth, refused.json.action, refused.json.reconnect_url]).toEqual([
      409,
      'new_credentials_needed',
      true,
      'contact_admin',
      null,
    ])
    expect(refused.json.detail).toContain(`PUT /api/v1/connections/${json.id}/credentials`)
    expect(await read(lab, json.id)).toMatchObject({
      status: 'needs_reauth',
      fault: { code: 'new_credentials_needed', evidence: { provider_code: 'invalid_client' } },
    })
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.blocked).toBeNull()

    const wrong = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: { credentials: { ...OWN, client_secret: 'nonsense' } } })
    expect([wrong.status, wrong.json.code]).toEqual([422, 'credentials_refused'])
    expect((await read(lab, json.id)).status).toBe('needs_reauth')
    const put = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: { credentials: { ...OWN, client_secret: 'own-secret-2' } } })
    expect([put.status, put.json.id, put.json.status, put.json.generation, put.json.fault]).toEqual([200, json.id, 'active', 2, null])
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'at-2', generation: 2 })
    expect((await events(lab, json.id)).map(({ type }: { type: string }) => type)).toContain('connection.credentials_replaced')
  })

  test('PUT without credentials tries the stored ones again', async () => {
    const { lab, endpoint, create } = await start(CLIENT, () => granted('at-1'))
    const { json } = await create({ credentials: OWN })
    endpoint.reply = () => ({ status: 401, body: { error: 'invalid_client' } })
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).status).toBe(409)
    endpoint.reply = () => granted('at-2')
    expect((await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: {} })).json.status).toBe('active')
    expect(endpoint.sent.at(-1)?.basic).toMatchObject({ username: 'own-client', password: 'own-secret-1' })
  })

  test('the same owner with the same credentials is told of the connection, and may replace it', async () => {
    const { create } = await start(CLIENT, () => granted('at-1'))
    const { json } = await create({ credentials: OWN })
    const again = await create({ credentials: OWN })
    expect([again.status, again.json.code]).toEqual([409, 'already_exists'])
    expect(again.json.detail).toContain(json.id)
    const replaced = await create({ credentials: OWN, replace: true })
    expect([replaced.status, replaced.json.id, replaced.json.generation]).toEqual([200, json.id, 2])
    expect((await create({ credentials: { ...OWN, client_id: 'another' } })).status).toBe(201)
  })
})

describe('a client that signs (private_key_jwt)', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signing = { algorithm: 'ES256', claims: {}, header: {}, lifetimeSeconds: 60 } as const
  const record: RecordDraft = { grant: 'client_credentials', token: { url: 'https://provider.example/token', clientAuth: 'private_key_jwt', signing } }

  test('proves itself with its own key, which is sent nowhere', async () => {
    const { endpoint, create } = await start(record, () => granted('at-1'))
    expect((await create({ credentials: { client_id: 'own-client', client_secret: pem } })).status).toBe(201)
    const form = new URLSearchParams(endpoint.sent[0]?.body ?? '')
    const [header, claims, signature] = (form.get('client_assertion') ?? '').split('.')
    expect(
      createVerify('sha256')
        .update(`${header}.${claims}`)
        .verify({ key: publicKey, dsaEncoding: 'ieee-p1363' }, signature ?? '', 'base64url'),
    ).toBe(true)
    expect(decodeJwt(form.get('client_assertion') ?? '')?.claims).toMatchObject({ iss: 'own-client', sub: 'own-client' })
    expect(form.get('grant_type')).toBe('client_credentials')
    expect(form.has('client_secret')).toBe(false)
  })

  test('is told which field holds no key', async () => {
    const { lab, create } = await start(record, () => granted('at-1'))
    expect((await lab.call('POST', '/api/v1/integrations', { body: { provider: 'scripted', slug: 'own-keys' } })).status).toBe(201)
    const refused = await create({ credentials: { client_id: 'own-client', client_secret: 'hunter2' } })
    expect([refused.status, refused.json.field]).toEqual([400, '/credentials/client_secret'])
    expect(refused.text).not.toContain('hunter2')
  })
})

describe('client credentials of the integration', () => {
  test('a connection needs none of its own; when they are refused, the integration is blocked and no connection ends', async () => {
    const { lab, endpoint, create } = await start(CLIENT, () => granted('at-1'), { clientSecret: 'integration-secret' })
    const { json } = await create()
    expect(endpoint.sent[0]?.basic).toEqual({ username: 'client', password: 'integration-secret' })
    endpoint.reply = () => ({ status: 401, body: { error: 'invalid_client' } })
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ code: 'client_rejected', needs_reauth: false })
    expect((await read(lab, json.id)).status).toBe('blocked')
    endpoint.reply = () => granted('at-2')
    await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { client_secret: 'new-secret' } })
    await lab.time.advance(HOUR)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'at-2' })
  })

  test('at creation the field that is wrong is the integration', async () => {
    const { create } = await start(CLIENT, () => ({ status: 400, body: { error: 'invalid_scope' } }))
    expect((await create()).json).toMatchObject({ code: 'credentials_refused', field: '/integration' })
  })
})

describe('what is not valid is named', () => {
  const ofIntegration = { domain: { label: 'Domain', pattern: '[a-z.]+', example: 'id.example.com' } } as const
  const variables = { account_id: { label: 'Account', pattern: '[0-9]+', example: '7', askedOf: 'connection' } } as const

  test.each([
    ['a credential that the grant does not have', CLIENT, { credentials: { api_key: 'k' } }, '/credentials/api_key', 'It takes: client_id, client_secret'],
    ['a secret without its client', CLIENT, { credentials: { client_secret: 's' } }, '/credentials/client_id', 'belongs to a client id'],
    ['a control character', CLIENT, { credentials: { ...OWN, client_secret: 'a\nb' } }, '/credentials/client_secret', 'printable ASCII'],
    ['tokens beside credentials', CLIENT, { credentials: OWN, refresh_token: 'rt' }, '/refresh_token', 'leave it out'],
    ['a token for a grant that is renewed', CLIENT, { access_token: 'at' }, '/access_token', 'leave it out'],
    ['an end that the provider tells', CLIENT, { credentials: OWN, expires_at: '2030-01-01T00:00:00Z' }, '/expires_at', 'leave `expires_at` out'],
    ['a missing variable', { ...CLIENT, variables }, { credentials: OWN }, '/variables/account_id', 'Example: 7'],
    ['a malformed variable', { ...CLIENT, variables }, { credentials: OWN, variables: { account_id: 'x' } }, '/variables/account_id', '7'],
    [
      "where the integration's secret would be sent",
      { ...CLIENT, variables: ofIntegration },
      { variables: { domain: 'evil.example' } },
      '/variables/domain',
      'not a variable',
    ],
    ['a missing API key', { grant: 'api_key' }, {}, '/credentials/api_key', 'needs `api_key`'],
    ['an API key that no header can carry', { grant: 'api_key' }, { credentials: { api_key: 'käse' } }, '/credentials/api_key', 'printable ASCII'],
    ['a colon in a user name', { grant: 'basic' }, { credentials: { username: 'a:b' } }, '/credentials/username', 'colon'],
    ['an end in the past', { grant: 'api_key' }, { credentials: { api_key: 'k' }, expires_at: '2020-01-01T00:00:00Z' }, '/expires_at', 'in the past'],
    ['credentials for a provider that asks its users', {}, { credentials: OWN }, '/credentials', 'POST connect/sessions'],
  ] as const)('%s', async (_what, record, body, field, words) => {
    const { endpoint, create } = await start(record, () => granted('at-1'))
    const refused = await create(body)
    expect([refused.status, refused.json.code, refused.json.field]).toEqual([400, 'invalid_request', field])
    expect(refused.json.detail).toContain(words)
    expect(endpoint.sent).toEqual([])
  })

  test('an integration needs no client id where connections bring their own, and says so where it does', async () => {
    const { lab } = await start(CLIENT, () => null)
    const made = await lab.call('POST', '/api/v1/integrations', { body: { provider: 'scripted', slug: 'own-clients' } })
    expect([made.status, made.json.client_id]).toEqual([201, ''])
    const browser = await start({}, () => null)
    const refused = await browser.lab.call('POST', '/api/v1/integrations', { body: { provider: 'scripted', slug: 'no-client' } })
    expect([refused.status, refused.json.field]).toEqual([400, '/client_id'])
  })
})

describe('JWT bearer', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const record: RecordDraft = {
    grant: 'jwt_bearer',
    token: {
      url: 'https://provider.example/token',
      clientAuth: 'body',
      signing: { algorithm: 'RS256', header: { kid: '{key_id}' }, claims: { iss: '{issuer}', sub: '{subject}', aud: '{token_url}' }, lifetimeSeconds: 300 },
    },
  }
  const assertionOf = (body: string | null | undefined) => new URLSearchParams(body ?? '').get('assertion') ?? ''

  test("the integration's key signs for a subject, and is itself never sent", async () => {
    const { endpoint, create } = await start(record, () => granted('at-1'), { clientSecret: pem })
    expect((await create({ credentials: { subject: 'ada@example.com' } })).status).toBe(201)
    const [request] = endpoint.sent
    const jwt = assertionOf(request?.body)
    const [header, claims, signature] = jwt.split('.')
    expect(
      createVerify('sha256')
        .update(`${header}.${claims}`)
        .verify(publicKey, signature ?? '', 'base64url'),
    ).toBe(true)
    expect(decodeJwt(jwt)?.claims).toMatchObject({ iss: 'client', sub: 'ada@example.com', aud: 'https://provider.example/token' })
    expect(JSON.stringify(request)).not.toContain('client_secret')
    expect(decodeURIComponent(JSON.stringify(request))).not.toContain('PRIVATE KEY')
  })

  test('a connection may bring its own key, and each request is signed anew', async () => {
    const { lab, endpoint, create } = await start(record, () => granted('at-1'))
    const { json } = await create({ credentials: { private_key: pem, issuer: 'robot', key_id: 'k1' } })
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).status).toBe(200)
    const [first, second] = endpoint.sent.map(({ body }) => decodeJwt(assertionOf(body)))
    expect(first?.header).toMatchObject({ kid: 'k1', alg: 'RS256' })
    expect([first?.claims.iss, first?.claims.sub]).toEqual(['robot', undefined])
    expect(first?.claims.jti).not.toBe(second?.claims.jti)
  })

  test.each([
    ['a key that is none', { private_key: 'hunter2' }, 'cannot be read as a private key'],
    ['no key at all', { subject: 'ada' }, 'needs a private key'],
  ])('%s is named, also without asking the provider', async (_what, credentials, words) => {
    const { create } = await start(record, () => granted('at-1'))
    for (const verify of [true, false]) {
      const refused = await create({ credentials, verify })
      expect([refused.status, refused.json.field]).toEqual([400, '/credentials/private_key'])
      expect(refused.json.detail).toContain(words)
      expect(refused.text).not.toContain('hunter2')
    }
  })

  test("a key of the integration that stops fitting is the operator's trouble, and no reader is told that the request was wrong", async () => {
    const { lab, create } = await start(record, () => granted('at-1'), { clientSecret: pem })
    const { json } = await create({ credentials: { subject: 'ada' } })
    const patched = await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { client_secret: 'not a key' } })
    expect([patched.status, patched.json.field]).toEqual([400, '/client_secret'])
    await storeSecret(lab, 'not a key')
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ status: 503, code: 'client_rejected' })
    await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { client_secret: pem } })
    await lab.time.advance(HOUR)
    expect((await tokenOf(lab, json.id)).status).toBe(200)
  })
})

describe('an installation', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const record: RecordDraft = {
    grant: 'installation',
    variables: { installation_id: { label: 'Installation', pattern: '[0-9]+', example: '42', askedOf: 'connection' } },
    token: {
      url: 'https://provider.example/app/installations/{installation_id}/access_tokens',
      signing: { algorithm: 'RS256', header: {}, claims: { iss: '{client_id}' }, lifetimeSeconds: 600 },
    },
    answer: { paths: { accessToken: 'token', expiresIn: null, expiresAt: 'expires_at', scope: 'permissions' }, expiresAtFormat: 'iso8601' },
    verdicts: [{ status: [404], where: { message: 'Not Found' }, verdict: 'dead' }],
    account: [{ from: 'variable', name: 'installation_id' }],
  }
  const clientSecret = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()

  test('is its id: it is the account, stands in the URL, and its token is asked for with a JWT of the app', async () => {
    const end = '2026-01-01T01:00:00Z'
    const { lab, endpoint, create } = await start(
      record,
      () => ({ status: 201, body: { token: 'ghs_1', expires_at: end, permissions: { contents: 'read' } } }),
      { clientSecret },
    )
    const made = await create({ variables: { installation_id: '42' } })
    expect([made.status, made.json.account.id, made.json.scopes]).toEqual([201, '42', ['contents:read']])
    expect(endpoint.sent[0]?.url).toBe('https://provider.example/app/installations/42/access_tokens')
    expect(decodeJwt(endpoint.sent[0]?.headers.authorization?.slice('Bearer '.length) ?? '')?.claims.iss).toBe('client')
    expect((await tokenOf(lab, made.json.id)).json).toMatchObject({ access_token: 'ghs_1' })
    expect((await create({ variables: { installation_id: '42' } })).json.code).toBe('already_exists')
    expect((await create({ variables: { installation_id: '43' } })).status).toBe(201)
  })

  test('that was removed is told in words that fit', async () => {
    const { lab, endpoint, create } = await start(record, () => ({ status: 201, body: { token: 'ghs_1', expires_at: '2026-01-01T01:00:00Z' } }), {
      clientSecret,
    })
    const { json } = await create({ variables: { installation_id: '42' } })
    endpoint.reply = () => ({ status: 404, body: { message: 'Not Found' } })
    await lab.time.advance(2 * HOUR)
    const refused = await tokenOf(lab, json.id)
    expect(refused.json).toMatchObject({ status: 409, code: 'new_credentials_needed' })
    expect(refused.json.detail).toContain('The installation of the app was refused')
  })

  test('needs the key of its app', async () => {
    const { create } = await start(record, () => null)
    const refused = await create({ variables: { installation_id: '42' } })
    expect(refused.json).toMatchObject({ status: 400, field: '/integration' })
    expect(refused.json.detail).toContain("the app's private key")
  })
})

/** Two minutes of the death runner. */
async function settled(lab: ApiLab): Promise<void> {
  for (let round = 0; round < 12; round++) {
    await lab.time.advance(10_000)
    await lab.engine.runDue()
  }
}

describe('a static secret', () => {
  const api = { base: 'https://provider.example/v1' }
  const KEY: RecordDraft = { grant: 'api_key', api, check: { request: { url: 'https://provider.example/v1/me' } } }
  const credentials = { api_key: 'key-one' }
  const works: Reply = { status: 200, body: { id: 1 } }
  const unauthorized: Reply = { status: 401, body: { message: 'bad key key-one' } }

  test('is tried with the check of its record, kept without an end, and read', async () => {
    const { lab, endpoint, create } = await start(KEY, () => works)
    const made = await create({ credentials })
    expect([made.status, made.json.grant, made.json.refreshable, made.json.expires_at, made.json.due_at]).toEqual([201, 'api_key', false, null, null])
    expect(endpoint.sent[0]).toMatchObject({ url: 'https://provider.example/v1/me', headers: { authorization: 'Bearer key-one' } })
    await lab.time.advance(400 * 24 * HOUR)
    expect((await tokenOf(lab, made.json.id)).json).toMatchObject({ access_token: 'key-one', token_type: 'ApiKey', expires_at: null, generation: 1 })
    expect((await lab.call('POST', `/api/v1/connections/${made.json.id}/refresh`)).json.code).toBe('refresh_not_supported')
  })

  test('that is wrong is told at creation', async () => {
    const { create } = await start(KEY, () => unauthorized)
    const refused = await create({ credentials })
    expect([refused.status, refused.json.code, refused.json.field]).toEqual([422, 'credentials_refused', '/credentials/api_key'])
    expect(refused.text).not.toContain('key-one')
    expect((await create({ credentials, verify: false })).status).toBe(201)
  })

  test('refused by an API, and by the check: it needs a new one, which is stored under the same id', async () => {
    const { lab, endpoint, create } = await start(KEY, () => works)
    const { json } = await create({ credentials })
    endpoint.reply = ({ headers }) => (headers.authorization === 'Bearer key-two' ? works : unauthorized)
    const refused = await tokenOf(lab, json.id, '?rejected_generation=1')
    expect([refused.status, refused.json.code, refused.json.needs_reauth]).toEqual([409, 'new_credentials_needed', true])
    expect(refused.json.detail).toContain('The API key was refused')
    expect((await read(lab, json.id)).status).toBe('needs_reauth')
    expect((await tokenOf(lab, json.id)).json.code).toBe('new_credentials_needed')
    expect((await events(lab, json.id))[0]).toMatchObject({ type: 'connection.needs_reauth', data: { told_by: 'provider', http_status: 401 } })
    const put = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: { credentials: { api_key: 'key-two' } } })
    expect([put.status, put.json.id, put.json.status, put.json.generation]).toEqual([200, json.id, 'active', 2])
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'key-two', generation: 2 })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json).toMatchObject({ access_token: 'key-two' })
  })

  test('that the provider still takes does not end on the word of one caller, however many say it', async () => {
    const { lab, endpoint, create } = await start(KEY, () => works)
    const { json } = await create({ credentials })
    const answers = await Promise.all(Array.from({ length: 50 }, () => tokenOf(lab, json.id, '?rejected_generation=1')))
    expect(new Set(answers.map((answer) => answer.json.code))).toEqual(new Set(['upstream_token_refused']))
    expect(endpoint.sent).toHaveLength(2)
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json.code).toBe('upstream_token_refused')
    expect(endpoint.sent).toHaveLength(2)
    expect((await tokenOf(lab, json.id)).status).toBe(200)
  })

  test('a provider that cannot be asked ends nothing', async () => {
    const { lab, endpoint, create } = await start(KEY, () => works)
    const { json } = await create({ credentials })
    endpoint.reply = () => ({ status: 503, body: '' })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json).toMatchObject({ code: 'provider_unavailable', needs_reauth: false })
    expect((await tokenOf(lab, json.id)).status).toBe(200)
  })

  test('without a check in the record the caller is believed, and the stored secret can be put back', async () => {
    const { lab, create } = await start({ grant: 'api_key', api }, () => null)
    const { json } = await create({ credentials })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).status).toBe(409)
    expect((await events(lab, json.id))[0]).toMatchObject({ type: 'connection.needs_reauth', data: { told_by: 'caller' } })
    await lab.time.advance(HOUR)
    expect((await read(lab, json.id)).status).toBe('needs_reauth')
    expect((await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`)).json).toMatchObject({ status: 'active', generation: 2 })
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'key-one' })
  })

  test('many that end at once are held: they are served on, and nobody is asked for new ones', async () => {
    const { lab, create } = await start({ grant: 'api_key', api }, () => null)
    const ids: string[] = []
    for (let index = 0; index < 8; index++) ids.push((await create({ owner: `customer-${index}`, credentials: { api_key: `key-${index}` } })).json.id)
    const codes: string[] = []
    for (const id of ids) codes.push((await tokenOf(lab, id, '?rejected_generation=1')).json.code)
    expect(codes.slice(0, 5)).toEqual(Array(5).fill('new_credentials_needed'))
    expect(codes.slice(6)).toEqual(['deaths_held', 'deaths_held'])
    expect((await tokenOf(lab, ids[7] ?? '')).json).toMatchObject({ access_token: 'key-7' })
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.deaths_held).not.toBeNull()
    expect((await lab.call('POST', '/api/v1/integrations/scripted/deaths/release')).status).toBe(200)
    for (let round = 0; round < 3; round++) {
      await lab.time.advance(10_000)
      await lab.engine.runDue()
    }
    // Nothing can be renewed, so nothing stays due.
    expect(await read(lab, ids[7] ?? '')).toMatchObject({ status: 'active', fault: null, due_at: null })
  })

  test('held ones go back to work by themselves once the provider takes one of them again', async () => {
    const { lab, endpoint, create } = await start(KEY, () => works)
    const ids: string[] = []
    for (let index = 0; index < 8; index++) ids.push((await create({ owner: `customer-${index}`, credentials: { api_key: `key-${index}` } })).json.id)
    endpoint.reply = () => unauthorized
    for (const id of ids) await tokenOf(lab, id, '?rejected_generation=1')
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.deaths_held).not.toBeNull()
    await settled(lab)
    const status = async (id: string | undefined) => (await read(lab, id ?? '')).fault?.code ?? 'none'
    expect(await status(ids[7])).toBe('deaths_held')
    endpoint.reply = () => works
    await settled(lab)
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.deaths_held).toBeNull()
    expect(await status(ids[7])).toBe('none')
  })

  test('with a known end is warned of like any other, and asks for a new one when it has come', async () => {
    const { lab, create } = await start(KEY, () => works)
    const { json } = await create({ credentials, expires_at: '2026-01-11T00:00:00Z' })
    expect([json.expires_at, json.ends_at]).toEqual(['2026-01-11T00:00:00.000Z', '2026-01-11T00:00:00.000Z'])
    expect((await tokenOf(lab, json.id)).status).toBe(200)
    await lab.time.advance(10 * 24 * HOUR + 1)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ status: 409, code: 'new_credentials_needed' })
    expect((await read(lab, json.id)).status).toBe('needs_reauth')
    const put = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: { credentials: { api_key: 'key-two' }, expires_at: null } })
    expect(put.json).toMatchObject({ status: 'active', expires_at: null })
  })

  test('user name and password are read as they stand in the header (RFC 7617)', async () => {
    const { lab, create } = await start({ grant: 'basic', api: { ...api, authorization: { prefix: 'Basic ' } } }, () => works)
    const { json } = await create({ credentials: { username: 'Aladdin', password: 'open sesame' } })
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'QWxhZGRpbjpvcGVuIHNlc2FtZQ==', token_type: 'Basic' })
    const umlaut = await create({ owner: 'other', credentials: { username: 'test', password: '123\u00a3' } })
    expect((await tokenOf(lab, umlaut.json.id)).json.access_token).toBe('dGVzdDoxMjPCow==')
  })
})
