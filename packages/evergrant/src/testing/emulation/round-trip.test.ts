import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runRevocations } from '../../core/connection/revocation-worker.ts'
import { Fault } from '../../core/fault/fault.ts'
import { type ConnectionId, newId, type OrganizationId } from '../../core/ids.ts'
import type { ProviderRecord } from '../../core/provider/record.ts'
import { createAddressGuard } from '../../outbound/address-guard.ts'
import { createProviderClient } from '../../outbound/provider-client.ts'
import { catalogue } from '../../providers/index.ts'
import { systemEntropy, systemTimers } from '../../system.ts'
import { type ConnectBench, startConnectBench } from '../connect-bench.ts'
import { api, Visitor } from '../connect-visitor.ts'
import { cornerRecords } from './corner-records.ts'
import { type EmulatedProvider, emulate } from './emulated-provider.ts'

// Every record of the catalogue against a provider that behaves as the record says: connect, refresh, expire, reconnect, revoke.

const RETURN_URL = 'https://app.example.com/connected'
const DAY = 24 * 3_600_000
const shipped = catalogue.filter(({ grant }) => grant === 'authorization_code')
const records = [...shipped, ...cornerRecords]

let bench: ConnectBench
let organization: OrganizationId
let key: string
const providers = new Map<string, EmulatedProvider>()

beforeAll(async () => {
  const now = () => bench.ports.clock.wall()
  for (const record of records) {
    const secret = secretFor(record)
    secrets.set(record.id, secret)
    providers.set(record.id, await emulate(record, { id: clientOf(record), secret }, now))
  }
  bench = await startConnectBench({ records: [...providers.values()].map(({ record }) => record) })
  bench.store.changes.subscribe((change) => bench.engine.forget(change.kind === 'connection' ? change.connection : 'all'))
  ;({ id: organization, key } = await bench.organization('Round Trip'))
})
afterAll(async () => {
  await bench.close()
  await Promise.all([...providers.values()].map((provider) => provider.close()))
})

const clientOf = ({ id }: ProviderRecord) => `client-${id}`

/** Where the client signs, its secret is a key. */
function secretFor({ token }: ProviderRecord): string {
  const jwt = token.clientAuth === 'signed_secret' || token.clientAuth === 'private_key_jwt'
  const algorithm = jwt ? (token.signing?.algorithm ?? 'ES256') : token.signature?.algorithm === 'ed25519' ? 'EdDSA' : null
  if (algorithm === null) return 'secret-of-the-client'
  const pair = algorithm.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: algorithm === 'ES384' ? 'P-384' : 'P-256' })
    : algorithm === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2_048 })
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function providerOf(record: ProviderRecord): EmulatedProvider {
  const provider = providers.get(record.id)
  if (provider === undefined) throw new Error(`${record.id} does not run`)
  return provider
}

const secrets = new Map<string, string>()

async function register(record: ProviderRecord): Promise<void> {
  const { variables } = providerOf(record)
  const id = newId('int', systemEntropy)
  const clientSecret = bench.ports.seal.seal(secrets.get(record.id) ?? '', { organization, table: 'integration', row: id, column: 'client_secret' })
  await bench.integration(organization, record.id, { id, provider: record.id, clientId: clientOf(record), clientSecret, scopes: [], variables })
}

/** A person follows the link, consents at the provider, and comes back; the application completes. */
async function consent(record: ProviderRecord, link: string): Promise<ConnectionId> {
  const visitor = new Visitor(bench)
  const told = providerOf(record).consent(await visitor.start(link))
  if (record.authorize.callback.by === 'push') await pushCode(record)
  const path = `/connect/callback/${record.id}`
  const seen =
    record.authorize.responseMode === 'form_post'
      ? await afterPost(visitor, path, told)
      : await visitor.follow(`${path}?${new URLSearchParams(told).toString()}`)
  expect([seen.status, seen.location?.startsWith(RETURN_URL), seen.location === null ? seen.body.slice(0, 2_000) : '']).toEqual([303, true, ''])
  const { searchParams } = new URL(seen.location ?? '')
  const done = await api(bench, key, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner: 'ada' })
  expect([done.status, done.body['detail'] ?? '']).toEqual([200, ''])
  bench.advance(1_000)
  return done.body['connection_id'] ?? 'con_'
}

/** The provider pushes the code to where the operator had it pushed, and the server does what it accepted. */
async function pushCode(record: ProviderRecord): Promise<void> {
  const integration = await bench.store.integrations.bySlug(organization, record.id)
  const url = new URL((integration === undefined ? null : bench.pushes.urlOf(integration)) ?? '').pathname
  const { body, headers } = providerOf(record).pushOfCode()
  const send = (more: Readonly<Record<string, string>>) =>
    bench.app.inject({ method: 'POST', url, payload: body, headers: { 'content-type': 'application/json', ...headers, ...more } })
  const forged = await send(Object.fromEntries(Object.keys(headers).map((name) => [name, record.push?.proof.header === name ? '0'.repeat(64) : 'x'])))
  expect([forged.statusCode, await bench.pushes.work()]).toEqual([401, 0])
  // Twice, as providers do that see no answer in time.
  expect([(await send({})).statusCode, (await send({})).statusCode]).toEqual([record.push?.acknowledge, record.push?.acknowledge])
  expect(await bench.pushes.work()).toBe(1)
}

async function afterPost(visitor: Visitor, path: string, told: Readonly<Record<string, string>>) {
  const seen = await visitor.post(path, told, { 'sec-fetch-site': 'cross-site', origin: 'https://provider.example' })
  return seen.location?.startsWith('/') ? visitor.follow(seen.location) : seen
}

const read = (connection: ConnectionId, rejectedGeneration: number | null = null) =>
  bench.engine.token({ organization, connection, minTtlMs: 0, rejectedGeneration })
const row = async (connection: ConnectionId) => {
  const found = await bench.store.connections.get(organization, connection)
  if (found === undefined) throw new Error('the connection is gone')
  return found
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  )

test('every record with a consent makes the round trip: at least the 76 that there were, the generic one among them', () => {
  const ids = shipped.map(({ id }) => id)
  expect(ids).toContain('oauth2')
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.length).toBeGreaterThanOrEqual(76)
  expect(shipped.filter(({ authorize }) => authorize.callback.by === 'push').map(({ id }) => id)).toEqual(['sentry'])
})

describe.each(records.map((record) => [record.id, record] as const))('%s', (_, record) => {
  let connection: ConnectionId

  test('connects', async () => {
    await register(record)
    const session = await api(bench, key, 'connect/sessions', { integration: record.id, owner: 'ada', return_url: RETURN_URL })
    expect([session.status, session.body['detail'] ?? '']).toEqual([201, ''])
    connection = await consent(record, String(session.body['url']))
    const provider = providerOf(record)
    expect(provider.problems).toEqual([])
    expect((await read(connection)).accessToken).toBe(provider.access)
    const stored = (await row(connection)).connection
    expect([stored.state, record.account.length > 0 && stored.account === null]).toEqual(['active', false])
  })

  test('is renewed, by hand and when its token has ended', async () => {
    const provider = providerOf(record)
    const before = await row(connection)
    if (before.credential.refreshToken === null && record.token.refresh.presents === 'refresh_token') {
      expect(await codeOf(bench.engine.refresh(organization, connection))).toBe('refresh_not_supported')
      return
    }
    bench.advance((record.token.refresh.minimumAgeSeconds ?? 0) * 1_000 + 60_000)
    const report = await bench.engine.refresh(organization, connection)
    // A chain stores its first answer, then the token that it is about.
    expect([report.generation > before.credential.generation, provider.problems]).toEqual([true, []])
    const { accessExpiresAt } = (await row(connection)).credential
    // A token that renews itself is renewed before its end; any other may be over first.
    const wait =
      accessExpiresAt === null ? DAY : accessExpiresAt - bench.ports.clock.wall() + (record.token.refresh.presents === 'access_token' ? -60_000 : 1_000)
    bench.advance(wait)
    expect((await read(connection)).accessToken).toBe(provider.access)
    expect(provider.problems).toEqual([])
  })

  test('its end is known in the words of the provider, and a consent brings the same connection back', async () => {
    const provider = providerOf(record)
    provider.end()
    const { generation, refreshToken } = (await row(connection)).credential
    const renewable = refreshToken !== null || record.token.refresh.presents === 'access_token'
    bench.advance((record.token.refresh.minimumAgeSeconds ?? 0) * 1_000 + 3_600_000)
    const code = await codeOf(renewable ? bench.engine.refresh(organization, connection) : read(connection, generation))
    expect(['connection_revoked', 'connection_expired']).toContain(code)
    expect(provider.problems).toEqual([])
    if (renewable) expect((await row(connection)).connection.state).toBe('needs_reauth')
    const session = await api(bench, key, `connections/${connection}/reconnect`, { return_url: RETURN_URL })
    expect([session.status, session.body['detail'] ?? '']).toEqual([201, ''])
    expect(await consent(record, String(session.body['url']))).toBe(connection)
    expect((await read(connection)).accessToken).toBe(provider.access)
    expect((await row(connection)).connection.state).toBe('active')
  })

  test('is revoked at the provider when it is disconnected, where the provider can be told', async () => {
    const provider = providerOf(record)
    const asked = provider.asked.length
    const ended = await api(bench, key, `connections/${connection}/disconnect`, {})
    expect(ended.status).toBe(200)
    await tellProviders()
    expect(provider.asked.slice(asked)).toEqual(record.revoke === null ? [] : ['revoke'])
    expect([await codeOf(read(connection)), provider.problems]).toEqual(['connection_disconnected', []])
  })
})

function tellProviders(): Promise<number> {
  const { store, engine, ports } = bench
  const client = createProviderClient({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  return runRevocations({
    connections: store.connections,
    credentials: store.credentials,
    seal: ports.seal,
    clock: ports.clock,
    entropy: systemEntropy,
    log: ports.log,
    sendRequest: (request) => client.sendRequest(request),
    contextOf: async ({ connection }) => engine.contexts.provider(await engine.contexts.of(connection.integration), connection.variables, connection.facts),
  })
}
