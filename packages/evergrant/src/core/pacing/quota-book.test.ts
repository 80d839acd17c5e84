import { beforeEach, expect, test } from 'vitest'
import { createManualTime, type ManualTime } from '../../testing/manual-time.ts'
import type { ConnectionId, IntegrationId } from '../ids.ts'
import { hasOwnHost } from '../provider/api.ts'
import type { QuotaFacts } from '../provider/record-around.ts'
import { type QuotaAdmission, QuotaBook, type QuotaSubject } from './quota-book.ts'
import type { QuotaState } from './quotas.ts'

const integration: IntegrationId = 'int_1'
const [ann, ben]: readonly [ConnectionId, ConnectionId] = ['con_ann', 'con_ben']
const MINUTE = 60_000

const quota = (changes: Partial<QuotaFacts> = {}): QuotaFacts => ({
  name: 'window',
  per: 'client',
  methods: [],
  limit: { header: 'limit', at: 0 },
  used: { header: 'used', at: 0 },
  remaining: null,
  reset: null,
  bucket: null,
  windowSeconds: 60,
  aligned: true,
  ...changes,
})
const subject = (changes: Partial<QuotaSubject> = {}): QuotaSubject => ({ integration, connection: ann, quotas: [quota()], reservePercent: 0, ...changes })
const told = (limit: number, used: number) => ({ headers: { limit: String(limit), used: String(used) }, throttled: false, retryAfterMs: null })
const throttled = (retryAfterMs: number | null = null) => ({ headers: {}, throttled: true, retryAfterMs })

let time: ManualTime
let stored: QuotaState[]
let writes: (readonly QuotaState[])[]
let away: boolean
const nodes: QuotaBook[] = []

/** Another node over the same table: every write is told to all of them. */
function node(): QuotaBook {
  const book = new QuotaBook({
    clock: time.clock,
    timers: time.timers,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    quotas: {
      put: async (states) => {
        if (away) throw new Error('away')
        writes.push(states)
        stored.push(...states)
        for (const each of nodes) for (const state of states) each.hear(state)
      },
      of: async () => {
        if (away) throw new Error('away')
        return stored
      },
    },
  })
  nodes.push(book)
  return book
}

const pass = (admission: QuotaAdmission) => {
  if (admission.kind !== 'go') throw new Error(`held by ${admission.quota}`)
  return admission.pass
}
const waits = (admission: QuotaAdmission): number | null => (admission.kind === 'go' ? null : admission.until - time.clock.wall())

beforeEach(() => {
  time = createManualTime(Date.UTC(2026, 10, 21, 12, 0, 10))
  stored = []
  writes = []
  away = false
  nodes.length = 0
})

test('a window that is used up holds requests until it ends, and is fresh then', async () => {
  const book = node()
  pass(book.enter(subject(), 'GET')).answered(told(100, 100))
  expect(waits(book.enter(subject(), 'GET'))).toBe(50_000)
  await time.advance(50_000)
  expect(waits(book.enter(subject(), 'GET'))).toBeNull()
})

test('requests under way count before they are answered, in a fresh window, too', async () => {
  const book = node()
  pass(book.enter(subject(), 'GET')).answered(told(3, 1))
  const under = [book.enter(subject(), 'GET'), book.enter(subject(), 'GET')].map(pass)
  expect(waits(book.enter(subject(), 'GET'))).toBe(50_000)
  under[0]?.failed(false)
  expect(waits(book.enter(subject(), 'GET'))).toBeNull()
  for (const one of under.slice(1)) one.failed(true)
  await time.advance(MINUTE)
  const fresh = [1, 2, 3].map(() => book.enter(subject(), 'GET'))
  expect(fresh.map((admission) => admission.kind).filter((kind) => kind === 'go').length).toBeLessThanOrEqual(3)
  expect(waits(book.enter(subject(), 'GET'))).toBe(50_000)
})

test('answers without headers are counted by ourselves', () => {
  const book = node()
  pass(book.enter(subject(), 'GET')).answered(told(2, 0))
  for (const _ of [1, 2]) pass(book.enter(subject(), 'GET')).answered({ ...told(0, 0), headers: {} })
  expect(waits(book.enter(subject(), 'GET'))).not.toBeNull()
})

test('within a window usage only grows, whatever order the answers come in; a raised limit counts at once', () => {
  const book = node()
  const [first, second] = [pass(book.enter(subject(), 'GET')), pass(book.enter(subject(), 'GET'))]
  second.answered(told(10, 10))
  first.answered(told(10, 4))
  expect(waits(book.enter(subject(), 'GET'))).not.toBeNull()
  book.hear({ integration, connection: null, name: 'window', limit: 20, remaining: 10, resetsAt: time.clock.wall() + 50_000, observedAt: time.clock.wall() })
  expect(waits(book.enter(subject(), 'GET'))).toBeNull()
})

test('a reserve is left to others', () => {
  const book = node()
  pass(book.enter(subject(), 'GET')).answered(told(100, 80))
  expect(waits(book.enter(subject({ reservePercent: 20 }), 'GET'))).toBe(50_000)
  expect(waits(book.enter(subject({ reservePercent: 19 }), 'GET'))).toBeNull()
})

test('a quota of some methods holds only those', () => {
  const book = node()
  const reads = subject({ quotas: [quota({ methods: ['GET'] })] })
  pass(book.enter(reads, 'GET')).answered(told(5, 5))
  expect([waits(book.enter(reads, 'HEAD')), waits(book.enter(reads, 'POST'))]).toEqual([50_000, null])
})

test('of two quotas that are used up the later one says when to come back', () => {
  const book = node()
  const two = subject({ quotas: [quota(), quota({ name: 'day', windowSeconds: 86_400 })] })
  pass(book.enter(two, 'GET')).answered(told(5, 5))
  expect(book.enter(two, 'GET')).toMatchObject({ kind: 'wait', quota: 'day', until: Date.UTC(2026, 10, 22) })
})

test('a quota of one grant holds nobody else', () => {
  const book = node()
  const own = subject({ quotas: [quota({ per: 'grant' })] })
  pass(book.enter(own, 'GET')).answered(told(5, 5))
  expect([waits(book.enter(own, 'GET')), waits(book.enter({ ...own, connection: ben }, 'GET'))]).toEqual([50_000, null])
  expect(book.shown(integration)).toMatchObject([{ connection: ann, name: 'window', limit: 5, remaining: 0 }])
})

test('Retry-After is silence for everybody of the client, or for the one grant where quotas are of grants', () => {
  const book = node()
  pass(book.enter(subject(), 'GET')).answered(throttled(30_000))
  expect([waits(book.enter(subject(), 'GET')), waits(book.enter(subject({ connection: ben }), 'POST'))]).toEqual([30_000, 30_000])
  const others = node()
  const own = subject({ quotas: [quota({ per: 'grant' })] })
  pass(others.enter(own, 'GET')).answered(throttled(30_000))
  expect([waits(others.enter(own, 'GET')), waits(others.enter({ ...own, connection: ben }, 'GET'))]).toEqual([30_000, null])
})

test('Retry-After of a tenant’s own host is silence for that connection alone', () => {
  const book = node()
  const own = subject({ quotas: [], ownHost: true })
  pass(book.enter(own, 'GET')).answered(throttled(86_400_000))
  expect([waits(book.enter(own, 'GET')), waits(book.enter({ ...own, connection: ben }, 'GET'))]).toEqual([86_400_000, null])
})

test.each([
  ['https://{shop}.example/api', true],
  ['{instance_url}/services', true],
  ['https://{domain}/api', false],
  ['https://api.example/{account}', false],
])('an API at %s is at a host of its own: %s', (base, own) => {
  const variable = (askedOf: 'integration' | 'connection') => ({ label: 'Host', pattern: '.+', example: 'x', default: null, askedOf, choices: null })
  const variables = { shop: variable('connection'), domain: variable('integration') }
  const api = { base, hosts: [], authorization: { header: 'authorization', prefix: 'Bearer ', query: null }, headers: {}, required: [], answers: [] }
  expect(hasOwnHost({ api, variables })).toBe(own)
})

test('throttling without a word doubles the pause each time it happens again, and starts anew once somebody is served', async () => {
  const book = node()
  const plain = subject({ quotas: [] })
  const together = [pass(book.enter(plain, 'GET')), pass(book.enter(plain, 'GET'))]
  for (const one of together) one.answered(throttled())
  expect(waits(book.enter(plain, 'GET'))).toBe(1_000)
  for (const wait of [2_000, 4_000, 8_000]) {
    await time.advance(wait / 2)
    pass(book.enter(plain, 'GET')).answered(throttled())
    expect(waits(book.enter(plain, 'GET'))).toBe(wait)
  }
  await time.advance(8_000)
  pass(book.enter(plain, 'GET')).answered({ ...throttled(), throttled: false })
  pass(book.enter(plain, 'GET')).answered(throttled())
  expect(waits(book.enter(plain, 'GET'))).toBe(1_000)
})

test('a 429 that its own headers explain causes no pause beside the window', () => {
  const book = node()
  const reads = subject({ quotas: [quota({ methods: ['GET'] })] })
  pass(book.enter(reads, 'GET')).answered({ ...told(5, 5), throttled: true })
  expect([waits(book.enter(reads, 'GET')), waits(book.enter(reads, 'POST'))]).toEqual([50_000, null])
})

test('other nodes know within a second, and a quota is written at most once a second', async () => {
  const [one, other] = [node(), node()]
  for (let used = 1; used <= 10; used += 1) {
    pass(one.enter(subject(), 'GET')).answered(told(10, used))
    await time.advance(50)
  }
  expect(waits(other.enter(subject(), 'GET'))).toBeNull()
  await time.advance(1_000)
  expect(waits(other.enter(subject(), 'GET'))).not.toBeNull()
  expect(writes.length).toBeLessThanOrEqual(2)
  const late = node()
  await late.ready(integration)
  expect([late.ready(integration), waits(late.enter(subject(), 'GET'))]).toEqual([null, waits(one.enter(subject(), 'GET'))])
})

test('what one connection has used is told to others only when it nears its end', async () => {
  const book = node()
  const own = subject({ quotas: [quota({ per: 'grant' })] })
  pass(book.enter(own, 'GET')).answered(told(100, 40))
  await time.advance(2_000)
  expect(writes).toEqual([])
  pass(book.enter(own, 'GET')).answered(told(100, 85))
  await time.advance(2_000)
  expect(writes).toMatchObject([[{ connection: ann, remaining: 15 }]])
})

test('a database that is away holds nobody back, and nothing that is past does', async () => {
  away = true
  const book = node()
  await book.ready(integration)
  pass(book.enter(subject(), 'GET')).answered(told(10, 3))
  await time.advance(2_000)
  expect(waits(book.enter(subject(), 'GET'))).toBeNull()
  away = false
  stored = [{ integration, connection: null, name: 'window', limit: 10, remaining: 0, resetsAt: time.clock.wall() - 1, observedAt: 1 }]
  await book.ready(integration)
  expect(waits(book.enter(subject(), 'GET'))).toBeNull()
  expect(book.shown(integration)).toMatchObject([{ name: 'window', remaining: 7 }])
})

test('of several buckets of one quota only the one that a call counts against holds it, once an answer has named it', () => {
  const book = node()
  const named = subject({ quotas: [quota({ bucket: 'X-Resource' })] })
  const answer = (resource: string, used: number) => ({ ...told(30, used), headers: { ...told(30, used).headers, 'x-resource': resource } })
  const [search, core] = ['https://api.example/search/issues?q=1', 'https://api.example/repos/one/two']
  pass(book.enter(named, 'GET', search)).answered(answer('search', 30))
  pass(book.enter(named, 'GET', core)).answered(answer('core', 4))
  expect([search, core, 'https://api.example/search/code'].map((url) => waits(book.enter(named, 'HEAD', url)))).toEqual([50_000, null, null])
  expect(book.shown(integration).map(({ name, remaining }) => [name, remaining])).toEqual([
    ['window search', 0],
    ['window core', 26],
  ])
  const paths = subject({ quotas: [quota({ name: 'each', bucket: 'path' })] })
  pass(book.enter(paths, 'GET', 'https://x.example/api/v1/users/7')).answered(told(5, 5))
  expect(['users', 'users/8', 'apps'].map((rest) => waits(book.enter(paths, 'GET', `https://x.example/api/v1/${rest}`)))).toEqual([50_000, 50_000, null])
})

test('a limit of nothing that has passed does not stop the request that finds out', async () => {
  const book = node()
  pass(book.enter(subject(), 'GET')).answered(told(0, 0))
  expect(waits(book.enter(subject(), 'GET'))).not.toBeNull()
  await time.advance(MINUTE)
  expect(waits(book.enter(subject(), 'GET'))).toBeNull()
})

test('what a clock that was far ahead counted and paused holds nobody once it is right again', async () => {
  const book = node()
  const right = time.clock.wall()
  time.setWall(right + 24 * 60 * MINUTE)
  pass(book.enter(subject(), 'GET')).answered(told(100, 100))
  pass(book.enter(subject({ quotas: [] }), 'GET')).answered(throttled())
  expect(waits(book.enter(subject(), 'GET'))).not.toBeNull()
  time.setWall(right)
  expect([waits(book.enter(subject(), 'GET')), book.shown(integration), book.stats().usedUp]).toEqual([null, [], 0])
  pass(book.enter(subject(), 'GET')).answered(throttled())
  expect(waits(book.enter(subject(), 'GET'))).toBeLessThanOrEqual(5 * MINUTE)
})

test('what another node says whose clock is far ahead holds nobody, and a clock that is a little ahead is believed', () => {
  const book = node()
  const said = (name: string, aheadMs: number): QuotaState => {
    const observedAt = time.clock.wall() + aheadMs
    return { integration, connection: null, name, limit: 100, remaining: 0, resetsAt: observedAt + MINUTE, observedAt }
  }
  for (const name of ['pause', 'window']) book.hear(said(name, 24 * 60 * MINUTE))
  expect(waits(book.enter(subject(), 'GET'))).toBeNull()
  book.hear(said('pause', 1_000))
  expect(waits(book.enter(subject(), 'GET'))).toBe(MINUTE + 1_000)
})
