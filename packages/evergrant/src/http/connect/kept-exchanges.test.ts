// Codes whose answer a node kept in its journal when it ended, and that cannot go on at its next start.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ConnectPorts } from '../../core/connect/connect-ports.ts'
import { createConnectService } from '../../core/connect/connect-service.ts'
import { KeptExchanges } from '../../core/connect/kept-exchanges.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { ConnectionId, ConnectSessionId, OrganizationId } from '../../core/ids.ts'
import type { ProviderDirectory } from '../../core/provider/context.ts'
import { createCodeExchange } from '../../core/refresh/code-exchange.ts'
import { type Journal, type JournalRecord, NO_JOURNAL } from '../../core/refresh/journal.ts'
import { protocolTimes } from '../../core/refresh/protocol-times.ts'
import { MINUTE } from '../../core/time.ts'
import { createAddressGuard } from '../../outbound/address-guard.ts'
import { createTokenEndpoint } from '../../outbound/token-endpoint.ts'
import { defineProvider } from '../../providers/define.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'
import { type SideServer, startSideServer } from '../../testing/side-server.ts'

const RETURN_URL = 'https://app.example.com/connected'
const LOOPBACK = 'http://127\\.0\\.0\\.1:[0-9]+'
const ASKS = defineProvider({
  id: 'asks',
  name: 'Asks',
  variables: {
    home: { label: 'Home', pattern: LOOPBACK, example: 'http://127.0.0.1:1' },
    side: { label: 'Side', pattern: LOOPBACK, example: 'http://127.0.0.1:1' },
  },
  authorize: { url: '{home}/p4/authorize', defaultScopes: ['notes:read'] },
  token: { url: '{home}/p4/token', clientAuth: 'basic' },
  revoke: { url: '{home}/p4/revoke' },
  account: [{ from: 'request', url: '{side}/me', path: 'id' }],
})

let bench: ConnectBench
let side: SideServer
let organization: OrganizationId
let key: string
let journal: Journal
beforeAll(async () => {
  bench = await startConnectBench({ records: [ASKS] })
  side = await startSideServer()
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  await bench.integration(organization, 'asks', { provider: 'asks', variables: { home: bench.practice.url, side: side.url } })
})
beforeEach(() => {
  journal = keepingJournal()
  side.answer('/me', { body: { id: 'acct-1' } })
})
afterAll(async () => {
  await side.close()
  await bench.close()
})

function keepingJournal(): Journal {
  const records = new Map<string, JournalRecord>()
  return {
    ...NO_JOURNAL,
    append: async (record) => void records.set(record.intent, record),
    settle: (intent) => void records.delete(intent),
    pending: async () => [...records.values()],
  }
}

/** A node that starts with the journal. */
function startNode(changes: Partial<ConnectPorts> = {}, own: Pick<Journal, 'pending' | 'unopened'> = journal): KeptExchanges {
  const exchange = { run: () => Promise.reject(new Error('no code is exchanged again')), settle: (intent: JournalRecord['intent']) => journal.settle(intent) }
  const connect = createConnectService({ ...bench.ports, exchange, ...changes })
  return new KeptExchanges({ connect, journal: own, clock: bench.ports.clock, decode: (body) => new TextDecoder().decode(body) })
}

const OTHER_NODE = { pending: async () => [] }

interface Crashed {
  readonly id: ConnectSessionId
  readonly owner: string
  /** The browser comes back with what it had. */
  readonly again: () => Promise<string>
}

/** The process ended with the answer in its journal, and nowhere else. */
async function crashed(owner: string, path = 'connect/sessions', asked: object = { integration: 'asks', owner, return_url: RETURN_URL }): Promise<Crashed> {
  const link = await api(bench, key, path, asked)
  const visitor = new Visitor(bench)
  const back = await visitor.consent(await visitor.start(String(link.body['url'])), owner)
  const parameters = new Map([...new URLSearchParams(back.split('?')[1])].map(([name, value]) => [name, [value]]))
  const input = { slug: 'asks', parameters, browserId: (visitor.cookie ?? '').split('=')[1] ?? '' }
  const endpoint = createTokenEndpoint({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: bench.ports.timers })
  const exchange = createCodeExchange({ ...bench.ports, endpoint, journal, times: protocolTimes(), observe: () => {} })
  await new Promise<void>((died) => {
    const ask = () => {
      died()
      return new Promise<never>(() => {})
    }
    void createConnectService({ ...bench.ports, exchange, ask }).callback(input)
  })
  endpoint.close()
  bench.advance(MINUTE)
  const again = async () => {
    const outcome = await bench.connect.callback(input)
    return outcome.kind === 'return' ? outcome.url : outcome.kind
  }
  return { id: link.body['id'] ?? 'cs_', owner, again }
}

const stateOf = async ({ id }: Crashed) => (await bench.store.connectSessions.load(id))?.state
const kept = async () => (await journal.pending()).length

async function complete({ owner, again }: Crashed) {
  const { searchParams } = new URL(await again())
  return api(bench, key, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner })
}

async function completed(session: Crashed): Promise<unknown> {
  const done = await complete(session)
  return [done.status, done.body['created']]
}

const noNetwork: Partial<ConnectPorts> = { ask: async () => ({ kind: 'not_sent', cause: 'ENETUNREACH' }) }
const resolve: ProviderDirectory['resolve'] = () => Promise.reject(new Fault('provider_unavailable', { detail: 'Discovery failed' }))

test.each([
  ['the network is away when the account is asked for', () => noNetwork],
  ['nothing comes back when the account is asked for', (): Partial<ConnectPorts> => ({ ask: async () => ({ kind: 'no_answer', cause: 'deadline' }) })],
  ['the discovery document is away', (): Partial<ConnectPorts> => ({ providers: { ...bench.ports.providers, resolve } })],
])('%s at the start: the session waits for its answer, and goes on within a minute of the return', async (_what, lacking) => {
  const session = await crashed(`back-${_what.length}`)
  const ports: { now: Partial<ConnectPorts> } = { now: lacking() }
  const node = startNode({
    ask: (...asked) => (ports.now.ask ?? bench.ports.ask)(...asked),
    providers: { ...bench.ports.providers, resolve: (...asked) => (ports.now.providers ?? bench.ports.providers).resolve(...asked) },
  })
  expect([await node.recover(0), await stateOf(session), await kept()]).toEqual([0, 'exchanging', 1])
  bench.advance(MINUTE)
  expect([await node.retry(), await stateOf(session), await kept()]).toEqual([0, 'exchanging', 1])
  ports.now = {}
  expect([await node.retry(), await stateOf(session), await kept()]).toEqual([1, 'staged', 0])
  expect(await completed(session)).toEqual([200, true])
  expect(bench.discarded).toEqual([])
})

test('an answer whose master key is away is waited for, and goes on when the key is back', async () => {
  const session = await crashed('locked')
  const [record] = await journal.pending()
  let locked = true
  const node = startNode(
    {},
    { pending: async () => (locked ? [] : journal.pending()), unopened: () => new Set(locked && record !== undefined ? [record.intent] : []) },
  )
  expect([await node.recover(0), await stateOf(session)]).toEqual([0, 'exchanging'])
  locked = false
  expect([await node.retry(), await stateOf(session)]).toEqual([1, 'staged'])
  expect(await completed(session)).toEqual([200, true])
})

test('a node that starts opens nothing that a living node waits to go on with, however long that takes', async () => {
  const session = await crashed('elsewhere')
  const holder = startNode(noNetwork)
  await holder.recover(5 * MINUTE)
  for (let minute = 0; minute < 10; minute++) {
    bench.advance(MINUTE)
    await holder.retry()
    await startNode({}, OTHER_NODE).recover(5 * MINUTE)
    expect(await stateOf(session)).toBe('exchanging')
  }
  expect([await startNode().retry(), await stateOf(session)]).toEqual([1, 'staged'])
})

test('an answer that is lost, with the node that had it or without, opens the session for another try', async () => {
  const [lost, silent] = [await crashed('lost'), await crashed('silent')]
  await startNode(noNetwork, { pending: async () => (await journal.pending()).filter(({ subject }) => subject.id === silent.id) }).recover(5 * MINUTE)
  await startNode({}, OTHER_NODE).recover(MINUTE / 2)
  expect([await stateOf(lost), await stateOf(silent)]).toEqual(['open', 'exchanging'])
  bench.advance(6 * MINUTE)
  await startNode({}, OTHER_NODE).recover(5 * MINUTE)
  expect(await stateOf(silent)).toBe('open')
  // The journal that comes back late has nothing to go on with any more.
  expect([await startNode().recover(5 * MINUTE), await kept()]).toEqual([2, 0])
})

test('an answer that the provider refuses to explain opens the session, and the tokens go back', async () => {
  const session = await crashed('refused')
  side.answer('/me', { status: 403, body: {} })
  const node = startNode()
  expect([await node.recover(0), await stateOf(session), await kept()]).toEqual([1, 'open', 0])
  expect((await bench.store.connectSessions.load(session.id))?.fault?.code).toBe('connect_failed')
  expect(bench.discarded).toHaveLength(1)
})

test('a waiting answer is told once an hour, and a store that is away stops no node', async () => {
  const session = await crashed('told')
  const told = () => bench.logs.filter((line) => line['session'] === session.id).length
  const node = startNode({ sessions: { ...bench.store.connectSessions, stage: () => Promise.reject(new Fault('store_unavailable')) } })
  await node.recover(0)
  for (let minute = 0; minute < 59; minute++) {
    bench.advance(MINUTE)
    await node.retry()
  }
  expect([told(), await stateOf(session)]).toEqual([1, 'exchanging'])
  bench.advance(MINUTE)
  await node.retry()
  expect(told()).toBe(2)
})

test('a reconnect that completes by itself does so from the journal, and waits for a renewal that is under way', async () => {
  const first = await crashed('again')
  await startNode().recover(0)
  const id: ConnectionId = (await complete(first)).body['connection_id'] ?? 'con_'
  const session = await crashed('again', `connections/${id}/reconnect`, { mode: 'link' })
  const withoutRefreshToken = async () => (await journal.pending()).map((record) => ({ ...record, body: without('refresh_token', record.body) }))
  const { connections, timers } = bench.ports
  let underWay = true
  const get: typeof connections.get = async (...asked) => {
    const row = await connections.get(...asked)
    if (row === undefined || !underWay) return row
    const { generation } = row.credential
    return { ...row, credential: { ...row.credential, intent: { id: 'itn_1', generation, at: bench.ports.clock.wall() } } }
  }
  const sleep = async () => {
    underWay = false
  }
  const node = startNode({ connections: { ...connections, get }, timers: { ...timers, sleep } }, { pending: withoutRefreshToken })
  expect([await node.recover(0), underWay, await stateOf(session), await kept()]).toEqual([1, false, 'completed', 0])
})

function without(name: string, body: Uint8Array): Uint8Array {
  const { [name]: _left, ...rest } = JSON.parse(new TextDecoder().decode(body))
  return new TextEncoder().encode(JSON.stringify(rest))
}
