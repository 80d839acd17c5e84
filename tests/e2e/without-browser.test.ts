import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonClient, type JsonReply, textAt } from '../../packages/lab/src/http.ts'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'
import { type IssuingProvider, startIssuingProvider } from './issuing-provider.ts'
import { SecretSearch } from './secret-search.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })

// A real server, and a provider on loopback that checks every secret and signature itself.
describe('connections without a browser', { timeout: 120_000 }, () => {
  const search = new SecretSearch()
  const secret = (what: string) => search.plant(what, randomBytes(24).toString('base64'))
  const ids = new Map<string, string>()
  const said: string[] = []
  let folder = ''
  let provider: IssuingProvider
  let server: ServerProcess
  let api: JsonClient

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evergrant-lab-providers-'))
    provider = await startIssuingProvider(publicKey)
    const { url } = provider
    const records = [
      { extends: 'google-service-account', id: 'robots', token: { url: `${url}/token` }, api: { base: `${url}/v1` } },
      { extends: 'github-installation', id: 'apps', token: { url: `${url}/app/installations/{installation_id}/access_tokens` }, api: { base: `${url}/v1` } },
      { extends: 'api-key', id: 'keys', check: { request: { url: `${url}/v1/me` } } },
      { extends: 'basic', id: 'passwords', check: { request: { url: `${url}/v1/me` } } },
    ]
    for (const record of records) writeFileSync(join(folder, `${record.id}.json`), JSON.stringify(record))
    server = await ServerProcess.start({ env: { EVERGRANT_PROVIDERS_DIR: folder, EVERGRANT_LOG_LEVEL: 'debug' } })
    api = await server.client()
    const pem = search.plant('private key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    const base = { base_url: `${url}/v1` }
    await integrate({ provider: 'oauth2-client-credentials', slug: 'clients', scopes: ['orders'], variables: { token_url: `${url}/token` } })
    await integrate({ provider: 'robots', slug: 'robots', client_id: 'robot@example', client_secret: pem, scopes: ['calendar'] })
    await integrate({ provider: 'apps', slug: 'apps', client_id: 'app-1', client_secret: pem })
    await integrate({ provider: 'keys', slug: 'keys', variables: base })
    await integrate({ provider: 'passwords', slug: 'passwords', variables: base })
  }, 120_000)
  afterAll(async () => {
    await server?.dispose()
    await provider?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function integrate(body: object): Promise<void> {
    const made = await api.post('/integrations', body)
    expect(made.status, made.text).toBe(201)
  }

  /** Everything but tokens is searched for secrets in the end. */
  async function ask(method: string, path: string, body?: unknown): Promise<JsonReply> {
    const reply = await api.call(method, path, body === undefined ? {} : { body })
    said.push(reply.text)
    return reply
  }

  async function connect(integration: string, body: object): Promise<void> {
    const made = await ask('POST', '/connections', { integration, owner: 'customer', ...body })
    expect(made.status, made.text).toBe(201)
    expect(at(made.body, 'status')).toBe('active')
    ids.set(integration, textAt(made, 'id'))
  }

  const idOf = (integration: string) => ids.get(integration) ?? 'missing'
  const tokenOf = (integration: string, query = '') => api.get(`/connections/${idOf(integration)}/token${query}`)

  test('each grant is made, and its token is read and taken by the API through the proxy', async () => {
    const { clients, subjects, installations, apiKeys } = provider.accepted
    const [clientSecret, apiKey, password] = [secret('client secret'), secret('API key'), secret('password')]
    clients.set('own-client', clientSecret).set('ada', password)
    subjects.add('ada@example.com')
    installations.add('42')
    apiKeys.add(apiKey)
    await connect('clients', { credentials: { client_id: 'own-client', client_secret: clientSecret } })
    await connect('robots', { credentials: { subject: 'ada@example.com' } })
    await connect('apps', { variables: { installation_id: '42' } })
    await connect('keys', { credentials: { api_key: apiKey } })
    await connect('passwords', { credentials: { username: 'ada', password } })
    expect(provider.issued).toEqual(['client own-client', 'subject ada@example.com', 'installation 42'])
    expect((await tokenOf('clients')).body).toMatchObject({ access_token: 'at-1', scopes: ['orders'], generation: 1 })
    expect((await tokenOf('apps')).body).toMatchObject({ access_token: 'ghs_3', scopes: ['contents:read', 'metadata:read'] })
    expect((await tokenOf('keys')).body).toMatchObject({ access_token: apiKey, token_type: 'ApiKey', expires_at: null })
    expect((await tokenOf('passwords')).body).toMatchObject({ access_token: Buffer.from(`ada:${password}`).toString('base64'), token_type: 'Basic' })
    const whos = { robots: 'bearer', apps: 'bearer', keys: 'api key', passwords: 'user ada' }
    for (const [integration, who] of Object.entries(whos)) expect((await ask('GET', `/proxy/${idOf(integration)}/me`)).body).toMatchObject({ who })
  })

  test('wrong credentials are told at once, and the provider is the one who says so', async () => {
    const wrong = secret('wrong secret')
    const refused = await ask('POST', '/connections', {
      integration: 'clients',
      owner: 'other',
      credentials: { client_id: 'own-client', client_secret: wrong },
    })
    expect([refused.status, at(refused.body, 'code')]).toEqual([422, 'credentials_refused'])
    expect(at(refused.body, 'detail')).toContain('invalid_client')
    for (const [integration, body] of [
      ['keys', { credentials: { api_key: wrong } }],
      ['apps', { variables: { installation_id: '99' } }],
    ] as const)
      expect((await ask('POST', '/connections', { integration, owner: 'other', ...body })).body).toMatchObject({ code: 'credentials_refused' })
    expect((await ask('GET', '/connections?owner=other')).body).toMatchObject({ items: [] })
    expect((await ask('POST', '/connect/sessions', { integration: 'keys', owner: 'other', return_url: 'https://app.example.com/done' })).body).toMatchObject({
      code: 'invalid_request',
      field: '/integration',
    })
  })

  test('tokens are renewed with the same credentials, also by a process that was killed in between', { timeout: 60_000 }, async () => {
    expect((await ask('POST', `/connections/${idOf('robots')}/refresh`, {})).body).toMatchObject({ generation: 2 })
    await server.kill()
    await server.start()
    for (const integration of ['clients', 'robots', 'apps'])
      expect((await ask('POST', `/connections/${idOf(integration)}/refresh`, {})).status, integration).toBe(200)
    expect(provider.issued.slice(3)).toEqual(['subject ada@example.com', 'client own-client', 'subject ada@example.com', 'installation 42'])
    expect((await tokenOf('robots', '?rejected_generation=3')).body).toMatchObject({ generation: 4 })
    expect((await tokenOf('passwords')).status).toBe(200)
  })

  test('revoked at the provider, each needs new credentials; the command line puts them into the same connection', { timeout: 60_000 }, async () => {
    const { clients, apiKeys } = provider.accepted
    const [nextSecret, nextKey] = [secret('next client secret'), secret('next API key')]
    clients.set('own-client', nextSecret)
    apiKeys.clear()
    apiKeys.add(nextKey)
    expect((await ask('POST', `/connections/${idOf('clients')}/refresh`, {})).body).toMatchObject({ code: 'new_credentials_needed', needs_reauth: true })
    const rejected = await tokenOf('keys', '?rejected_generation=1')
    expect(rejected.body).toMatchObject({ status: 409, code: 'new_credentials_needed', detail: expect.stringContaining('The API key was refused') })
    for (const integration of ['clients', 'keys'])
      expect((await ask('GET', `/connections/${idOf(integration)}`)).body).toMatchObject({ status: 'needs_reauth' })
    expect((await ask('GET', '/integrations/clients')).body).toMatchObject({ blocked: null })

    const file = join(folder, 'credentials.txt')
    writeFileSync(file, JSON.stringify({ client_id: 'own-client', client_secret: nextSecret }))
    const { code, output } = await server.cli(['connections', 'credentials', idOf('clients'), '--credentials-file', file, '--json'])
    said.push(output)
    expect([code, JSON.parse(output)]).toMatchObject([0, { id: idOf('clients'), status: 'active', generation: 3 }])
    const put = await ask('PUT', `/connections/${idOf('keys')}/credentials`, { credentials: { api_key: nextKey } })
    expect(put.body).toMatchObject({ id: idOf('keys'), status: 'active', generation: 2 })
    expect((await ask('GET', `/proxy/${idOf('keys')}/me`)).body).toMatchObject({ who: 'api key' })
  })

  test('the command line makes a connection, and names what is wrong', { timeout: 60_000 }, async () => {
    provider.accepted.installations.add('43')
    const made = await server.cli(['connections', 'create', '--integration', 'apps', '--owner', 'by-hand', '--variable', 'installation_id=43', '--json'])
    expect([made.code, JSON.parse(made.output)]).toMatchObject([0, { grant: 'installation', account: { id: '43' }, status: 'active' }])
    const refused = await server.cli(['connections', 'create', '--integration', 'apps', '--owner', 'by-hand'])
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('needs `installation_id`')])
    said.push(made.output, refused.output)
  })

  test('metrics and events tell of them like of any other, and no secret is found in files, logs and answers', async () => {
    const metrics = await fetch(`${server.url}/metrics`, { headers: api.headers }).then((response) => response.text())
    said.push(metrics)
    expect(metrics).toContain('provider="robots"')
    const events = await ask('GET', `/events?connection=${idOf('clients')}`)
    expect(events.text).toContain('connection.credentials_replaced')
    await server.stop()
    const { files, found } = search.findInFiles(server.dataDir)
    expect(files.length).toBeGreaterThan(0)
    expect([...found, ...search.find('what was said', said.join('\n')), ...search.find('the log', server.output())]).toEqual([])
  })
})
