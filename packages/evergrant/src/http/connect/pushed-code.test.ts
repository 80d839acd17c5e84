import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConnectPorts } from '../../core/connect/connect-ports.ts'
import { createConnectService } from '../../core/connect/connect-service.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../../core/ids.ts'
import { MINUTE } from '../../core/time.ts'
import { defineProvider } from '../../providers/define.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'

const RETURN_URL = 'https://app.example.com/connected'

/** The practice provider, said to push its code and to send the browser back without code and state (Sentry). */
const PUSHER = defineProvider({
  id: 'pusher',
  name: 'Pusher',
  variables: {
    home: { label: 'Home', pattern: 'http://127\\.0\\.0\\.1:[0-9]+', example: 'http://127.0.0.1:1' },
    installation: { label: 'Installation', pattern: 'i-[0-9]+', example: 'i-1', askedOf: 'provider' },
  },
  authorize: { url: '{home}/p4/authorize', defaultScopes: ['notes:read'], callback: { by: 'push', facts: { installation: 'installationId' } } },
  token: { url: '{home}/p4/token', clientAuth: 'basic' },
  account: [{ from: 'callback', parameter: 'installationId' }],
  push: { rules: [{ means: 'code', code: 'code', facts: { installation: 'uuid', place: 'place' } }] },
})

let bench: ConnectBench
let organization: OrganizationId
let integration: IntegrationId
let key: string

beforeAll(async () => {
  bench = await startConnectBench({ records: [PUSHER] })
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  ;({ id: integration } = await bench.integration(organization, 'pusher', {
    provider: 'pusher',
    scopes: ['notes:read'],
    variables: { home: bench.practice.url },
  }))
})
afterAll(() => bench.close())

async function begin(owner: string, visitor: Visitor): Promise<{ readonly link: string; readonly code: string }> {
  const answer = await api(bench, key, 'connect/sessions', { integration: 'pusher', owner, return_url: RETURN_URL })
  const link = String(answer.body['url'])
  const callback = await visitor.consent(await visitor.start(link), 'ada')
  return { link, code: new URLSearchParams(callback.split('?')[1]).get('code') ?? '' }
}

const push = (code: string, installation: string, more: Readonly<Record<string, string>> = {}) =>
  bench.connect.deliver({
    organization,
    integration,
    code,
    account: installation,
    facts: { installation, place: 'eu', ...more },
    receivedAt: bench.ports.clock.wall(),
  })
const back = (visitor: Visitor, installation: string) => visitor.follow(`/connect/callback/pusher?installationId=${installation}`)

async function finish(location: string | null, owner: string): Promise<ConnectionId> {
  const { searchParams } = new URL(location ?? '')
  const done = await api(bench, key, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner })
  expect(done.status).toBe(200)
  return done.body['connection_id'] ?? 'con_'
}

test('a code that was pushed is spent when the browser that began the flow comes back and names the same installation', async () => {
  const visitor = new Visitor(bench)
  const { code } = await begin('pushed-1', visitor)
  expect(await push(code, 'i-1')).toBe('taken')
  const seen = await back(visitor, 'i-1')
  const id = await finish(seen.location, 'pushed-1')
  expect((await bench.store.connections.get(organization, id))?.connection).toMatchObject({ account: 'i-1', facts: { installation: 'i-1', place: 'eu' } })
  expect((await back(visitor, 'i-1')).location).toBe(seen.location)
})

test('a browser that comes back before the push waits for it', async () => {
  const visitor = new Visitor(bench)
  const { code } = await begin('pushed-2', visitor)
  const coming = back(visitor, 'i-2')
  await push(code, 'i-2')
  await finish((await coming).location, 'pushed-2')
})

test('another browser, another installation and a push from before the flow get nothing, and spend nothing', async () => {
  const stranger = new Visitor(bench)
  const other = new Visitor(bench)
  await begin('stranger', stranger)
  const { code: early } = await begin('early', other)
  await push(early, 'i-30')
  bench.advance(1_000)
  const visitor = new Visitor(bench)
  const { link, code } = await begin('pushed-3', visitor)
  await push(code, 'i-3')
  expect((await back(new Visitor(bench), 'i-3')).status).toBe(400)
  // Without patience, so that the test has not to wait for what never comes.
  const ports: ConnectPorts = { ...bench.ports, clock: { ...bench.ports.clock, mono: () => Date.now() * 1_000 } }
  const impatient = createConnectService(ports)
  const come = (who: Visitor, installation: string) =>
    impatient.callback({ slug: 'pusher', parameters: new Map([['installationId', [installation]]]), browserId: (who.cookie ?? '').split('=')[1] ?? '' })
  expect((await come(visitor, 'i-30')).kind).toBe('page')
  expect((await come(stranger, 'i-4')).kind).toBe('page')
  expect((await visitor.get(new URL(link).pathname)).status).toBe(200)
  // The same person tries again: the code that came for them before is of the flow that ended, so another has to come.
  const again = await visitor.consent(await visitor.start(link), 'ada')
  bench.advance(1_000)
  await push(new URLSearchParams(again.split('?')[1]).get('code') ?? '', 'i-3')
  await finish((await back(visitor, 'i-3')).location, 'pushed-3')
})

test('of two flows in one browser the later one is meant, and both can be finished', async () => {
  const visitor = new Visitor(bench)
  const first = await begin('twice-1', visitor)
  bench.advance(1_000)
  const second = await begin('twice-2', visitor)
  await push(second.code, 'i-51')
  await finish((await back(visitor, 'i-51')).location, 'twice-2')
  await push(first.code, 'i-50')
  await finish((await back(visitor, 'i-50')).location, 'twice-1')
})

test('a push that no browser could name is not kept, and nor is one that does not look as the record says', async () => {
  expect(await bench.connect.deliver({ organization, integration, code: 'c', account: null, facts: {}, receivedAt: 1 })).toBe('unknown')
  expect(await push('c', 'not an installation')).toBe('unknown')
  const { id: plain } = await bench.integration(organization, 'plain')
  expect(await bench.connect.deliver({ organization, integration: plain, code: 'c', account: null, facts: { installation: 'i-9' }, receivedAt: 1 })).toBe(
    'unknown',
  )
})

test('a pushed code is sealed where it waits, and gone when its flow would be', async () => {
  await push('readable-code', 'i-6')
  await push('later-code', 'i-7')
  const rows = await Promise.all(
    ['i-6', 'i-7'].map((one) => bench.store.connectSessions.pushed(integration, bench.ports.seal.digest(JSON.stringify([['installation', one]])))),
  )
  expect(rows.map((row) => [row === undefined, JSON.stringify(row).includes('code"'), Buffer.from(row?.code ?? []).includes('readable')])).toEqual([
    [false, true, false],
    [false, true, false],
  ])
  bench.advance(31 * MINUTE)
  await push('newest-code', 'i-8')
  expect(await bench.store.connectSessions.pushed(integration, bench.ports.seal.digest(JSON.stringify([['installation', 'i-6']])))).toBeUndefined()
})
