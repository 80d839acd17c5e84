import { createVerify, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ConnectionId, newId, type OrganizationId } from '../../core/ids.ts'
import { decodeJwt } from '../../core/provider/base64url.ts'
import { defineProvider } from '../../providers/define.ts'
import { systemEntropy } from '../../system.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'
import { type SideServer, startSideServer } from '../../testing/side-server.ts'

const RETURN_URL = 'https://app.example.com/connected'
const LOOPBACK = 'http://127\\.0\\.0\\.1:[0-9]+'
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PEM = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Consents at the practice provider; the token endpoint is the side server's, which keeps what it was sent. */
const SIGNED = defineProvider({
  id: 'signed',
  name: 'Signed',
  variables: {
    home: { label: 'Home', pattern: LOOPBACK, example: 'http://127.0.0.1:1' },
    side: { label: 'Side', pattern: LOOPBACK, example: 'http://127.0.0.1:1' },
  },
  authorize: { url: '{home}/p4/authorize', defaultScopes: ['notes:read'] },
  token: { url: '{side}/token', clientAuth: 'private_key_jwt', signing: { algorithm: 'ES256', header: {}, claims: {}, lifetimeSeconds: 300 } },
  answer: { paths: { grantExpiresIn: 'hard_expires_in' } },
  account: [{ from: 'answer', path: 'who' }],
  reuse: { class: 'P3' },
})

let bench: ConnectBench
let side: SideServer
let organization: OrganizationId
let access: string

beforeAll(async () => {
  bench = await startConnectBench({ records: [SIGNED] })
  side = await startSideServer()
  ;({ id: organization, key: access } = await bench.organization('Acme Reports'))
  const integration = (slug: string, secret: string) =>
    bench.integration(organization, slug, {
      ...secretOf(secret),
      provider: 'signed',
      scopes: ['notes:read'],
      variables: { home: bench.practice.url, side: side.url },
    })
  await integration('signed', PEM)
  await integration('broken', 'no key at all')
})
afterAll(async () => {
  await bench.close()
  await side.close()
})
beforeEach(() => {
  side.bodies.length = 0
})

/** Stored as it is: an API would have tried the key first. */
function secretOf(secret: string) {
  const id = newId('int', systemEntropy)
  return { id, clientSecret: bench.ports.seal.seal(secret, { organization, table: 'integration', row: id, column: 'client_secret' }) }
}

async function callback(slug: string, visitor: Visitor, owner = slug): Promise<string> {
  const link = await api(bench, access, 'connect/sessions', { integration: slug, owner, return_url: RETURN_URL })
  return visitor.consent(await visitor.start(String(link.body['url'])), owner)
}

async function connected(owner: string): Promise<ConnectionId> {
  const visitor = new Visitor(bench)
  const { searchParams } = new URL((await visitor.follow(await callback('signed', visitor, owner))).location ?? '')
  const done = await api(bench, access, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner })
  expect(done.status).toBe(200)
  return done.body['connection_id'] ?? 'con_'
}

function assertionOf(body: string | undefined) {
  const sent = new URLSearchParams(body)
  const [head, claims, signature] = (sent.get('client_assertion') ?? '').split('.')
  const valid = createVerify('sha256')
    .update(`${head}.${claims}`)
    .verify({ key: key.publicKey, dsaEncoding: 'ieee-p1363' }, signature ?? '', 'base64url')
  return { valid, claims: decodeJwt(sent.get('client_assertion') ?? '')?.claims, grant: sent.get('grant_type'), secret: sent.get('client_secret') }
}

test('a client that signs does so for the code and for every refresh, each time anew', async () => {
  side.answer('/token', { body: { access_token: 'at-1', refresh_token: 'rt-1', expires_in: 3_600, who: 'ada' } })
  const id = await connected('ada')
  side.answer('/token', { body: { access_token: 'at-2', refresh_token: 'rt-2', expires_in: 3_600 } })
  await bench.engine.refresh(organization, id)
  const [first, second] = side.bodies.map(assertionOf)
  const claims = { iss: 'practice', sub: 'practice', aud: `${side.url}/token` }
  expect([first?.valid, first?.grant, second?.valid, second?.grant]).toEqual([true, 'authorization_code', true, 'refresh_token'])
  for (const one of [first, second]) expect([one?.claims, one?.secret]).toMatchObject([claims, null])
  expect(first?.claims?.['jti']).not.toBe(second?.claims?.['jti'])
  expect(side.bodies.join()).not.toContain('PRIVATE')
})

test("a key that does not sign is the operator's trouble: nothing is sent, and the end user is told that much", async () => {
  const visitor = new Visitor(bench)
  const seen = await visitor.follow(await callback('broken', visitor))
  expect(side.bodies).toEqual([])
  expect(seen.body).not.toContain('no key at all')
  expect(JSON.stringify(bench.logs)).not.toContain('no key at all')
  const events = await bench.store.events.list(organization, {}, { limit: 50, cursor: null })
  const failed = events.items.find((event) => event.type === 'connect.failed')
  expect(failed?.data).toMatchObject({ code: 'client_rejected' })
})

test('the end that the first answer tells is the end of the grant, and a refresh that does not repeat it leaves it there', async () => {
  const token = { access_token: 'at-1', refresh_token: 'rt-1', expires_in: 3_600, who: 'eve' }
  side.answer('/token', { body: { ...token, hard_expires_in: 864_000 } })
  const id = await connected('eve')
  const endsAt = async () => (await bench.store.credentials.read(id))?.health.endsAt ?? 0
  const told = await endsAt()
  expect(Math.abs(told - bench.ports.clock.wall() - 864_000_000)).toBeLessThan(60_000)
  side.answer('/token', { body: token })
  await bench.engine.refresh(organization, id)
  expect(await endsAt()).toBe(told)
})
