import { describe, expect, test } from 'vitest'
import { CLIENT, eventsOf, granted, HOUR, OWN, readConnection, startMachineLab, tokenOf } from '../testing/machine-lab.ts'

describe('client credentials of a connection', () => {
  test('the first token is asked for before the connection is stored, and read afterwards', async () => {
    const { lab, endpoint, create } = await startMachineLab(CLIENT, () => granted('at-1', { scope: 'orders' }))
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
    const { lab, create } = await startMachineLab(CLIENT, () => granted('at-1'))
    const { json, text } = await create({ credentials: OWN })
    const said = [text, JSON.stringify(await readConnection(lab, json.id)), JSON.stringify(await eventsOf(lab, json.id)), JSON.stringify(lab.logged)].join()
    expect(said).not.toContain('own-secret-1')
    const row = await lab.store.credentials.read(json.id)
    expect(Buffer.from(row?.credential.refreshToken ?? []).toString('latin1')).not.toContain('own-secret-1')
    expect((await eventsOf(lab, json.id))[0]).toMatchObject({ type: 'connection.created', data: { grant: 'client_credentials', verified: true } })
  })

  test("a wrong secret is told at once, with the provider's words, and nothing is stored", async () => {
    const { lab, create } = await startMachineLab(CLIENT, () => ({
      status: 401,
      body: { error: 'invalid_client', error_description: 'no client own-secret-1' },
    }))
    const refused = await create({ credentials: OWN })
    expect([refused.status, refused.json.code, refused.json.field]).toEqual([422, 'credentials_refused', '/credentials'])
    expect(refused.json.detail).toContain('HTTP 401, invalid_client, no client [redacted]')
    expect((await lab.call('GET', '/api/v1/connections?owner=customer-7')).json.items).toEqual([])
  })

  test('a provider that does not answer stores nothing, unless it is not to be asked', async () => {
    const { lab, endpoint, create } = await startMachineLab(CLIENT, () => null)
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
    const { lab, endpoint, create } = await startMachineLab(CLIENT, () => granted(`at-${++count}`, { refresh_token: 'rt-of-the-provider' }))
    const { json } = await create({ credentials: OWN })
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'at-2', generation: 2 })
    expect((await lab.call('POST', `/api/v1/connections/${json.id}/refresh`)).json).toMatchObject({ generation: 3 })
    expect(endpoint.sent.map(({ body }) => body)).toEqual(Array(3).fill('grant_type=client_credentials'))
    expect(new Set(endpoint.sent.map(({ basic }) => basic?.password))).toEqual(new Set(['own-secret-1']))
  })

  test('a token that an API refused is renewed once', async () => {
    let count = 0
    const { lab, create } = await startMachineLab(CLIENT, () => granted(`at-${++count}`))
    const { json } = await create({ credentials: OWN })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json).toMatchObject({ access_token: 'at-2', generation: 2 })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json).toMatchObject({ generation: 2 })
  })

  test('refused later, this connection alone needs new credentials; they are stored into it under its id', async () => {
    const { lab, endpoint, create } = await startMachineLab(CLIENT, () => granted('at-1'))
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
    expect(await readConnection(lab, json.id)).toMatchObject({
      status: 'needs_reauth',
      reconnect_modes: [],
      fault: { code: 'new_credentials_needed', evidence: { provider_code: 'invalid_client' } },
    })
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.blocked).toBeNull()

    const wrong = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: { credentials: { ...OWN, client_secret: 'nonsense' } } })
    expect([wrong.status, wrong.json.code]).toEqual([422, 'credentials_refused'])
    expect((await readConnection(lab, json.id)).status).toBe('needs_reauth')
    const put = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: { credentials: { ...OWN, client_secret: 'own-secret-2' } } })
    expect([put.status, put.json.id, put.json.status, put.json.generation, put.json.fault]).toEqual([200, json.id, 'active', 2, null])
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'at-2', generation: 2 })
    expect((await eventsOf(lab, json.id)).map(({ type }: { type: string }) => type)).toContain('connection.credentials_replaced')
  })

  test('PUT without credentials tries the stored ones again', async () => {
    const { lab, endpoint, create } = await startMachineLab(CLIENT, () => granted('at-1'))
    const { json } = await create({ credentials: OWN })
    endpoint.reply = () => ({ status: 401, body: { error: 'invalid_client' } })
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).status).toBe(409)
    endpoint.reply = () => granted('at-2')
    expect((await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: {} })).json.status).toBe('active')
    expect(endpoint.sent.at(-1)?.basic).toMatchObject({ username: 'own-client', password: 'own-secret-1' })
  })

  test('the same owner with the same credentials is told of the connection, and may replace it', async () => {
    const { create } = await startMachineLab(CLIENT, () => granted('at-1'))
    const { json } = await create({ credentials: OWN })
    const again = await create({ credentials: OWN })
    expect([again.status, again.json.code]).toEqual([409, 'already_exists'])
    expect(again.json.detail).toContain(json.id)
    const replaced = await create({ credentials: OWN, replace: true })
    expect([replaced.status, replaced.json.id, replaced.json.generation]).toEqual([200, json.id, 2])
    expect((await create({ credentials: { ...OWN, client_id: 'another' } })).status).toBe(201)
  })
})

describe('client credentials of the integration', () => {
  test('a connection needs none of its own; when they are refused, the integration is blocked and no connection ends', async () => {
    const { lab, endpoint, create } = await startMachineLab(CLIENT, () => granted('at-1'), { clientSecret: 'integration-secret' })
    const { json } = await create()
    expect(endpoint.sent[0]?.basic).toEqual({ username: 'client', password: 'integration-secret' })
    endpoint.reply = () => ({ status: 401, body: { error: 'invalid_client' } })
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ code: 'client_rejected', needs_reauth: false })
    expect((await readConnection(lab, json.id)).status).toBe('blocked')
    endpoint.reply = () => granted('at-2')
    await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { client_secret: 'new-secret' } })
    await lab.time.advance(HOUR)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'at-2' })
  })

  test('at creation the field that is wrong is the integration', async () => {
    const { create } = await startMachineLab(CLIENT, () => ({ status: 400, body: { error: 'invalid_scope' } }))
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
    const { endpoint, create } = await startMachineLab(record, () => granted('at-1'))
    const refused = await create(body)
    expect([refused.status, refused.json.code, refused.json.field]).toEqual([400, 'invalid_request', field])
    expect(refused.json.detail).toContain(words)
    expect(endpoint.sent).toEqual([])
  })

  test('an integration needs no client id where connections bring their own, and says so where it does', async () => {
    const { lab } = await startMachineLab(CLIENT, () => null)
    const made = await lab.call('POST', '/api/v1/integrations', { body: { provider: 'scripted', slug: 'own-clients' } })
    expect([made.status, made.json.client_id]).toEqual([201, ''])
    const browser = await startMachineLab({}, () => null)
    const refused = await browser.lab.call('POST', '/api/v1/integrations', { body: { provider: 'scripted', slug: 'no-client' } })
    expect([refused.status, refused.json.field]).toEqual([400, '/client_id'])
  })
})
