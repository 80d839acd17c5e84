// Bulk import over HTTP, on the real embedded store.
import { beforeEach, expect, test } from 'vitest'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

const URL = '/api/v1/connections/import'
let api: ApiLab
beforeEach(async () => {
  api = await createApiLab({ reuse: 'P4' })
})

interface Item {
  readonly result: string
  readonly connection: string | null
  readonly code: string | null
  readonly field: string | null
  readonly detail: string | null
}

const grant = (n: number | string, more: object = {}) => ({
  integration: 'scripted',
  owner: `owner-${n}`,
  account: `account-${n}`,
  refresh_token: `secret-rt-${n}`,
  ...more,
})

async function send(body: unknown, query = '', headers: Readonly<Record<string, string>> = {}) {
  const answer = await api.call('POST', `${URL}${query}`, { body, headers })
  const items: readonly Item[] = answer.json?.items ?? []
  return { ...answer, items, results: items.map((item) => item.result) }
}

const live = async () => (await api.call('GET', '/api/v1/connections?limit=200')).json.items.length - 1

test('good grants are imported and bad ones refused by place, field and remedy, without a word of what they held', async () => {
  const sent = [
    grant(1),
    { ...grant(2), refresh_token: 7 },
    grant(3, { integration: 'nobody-knows' }),
    grant(4, { expires_at: '2026-02-30T00:00:00Z' }),
    grant(5, { variables: { shop: 'x' } }),
    grant(6, { account: 'secret-\u0000' }),
    { integration: 'scripted', owner: 'owner-7' },
    'no object',
    grant(8),
  ]
  const { status, json, items, results, text } = await send(sent)
  expect(status, text).toBe(200)
  expect(results).toEqual(['imported', 'refused', 'refused', 'refused', 'refused', 'refused', 'refused', 'refused', 'imported'])
  expect(json).toMatchObject({ imported: 2, replaced: 0, already: 0, refused: 7 })
  expect(items.map((item) => item.field)).toEqual([
    null,
    '/refresh_token',
    '/integration',
    '/expires_at',
    '/variables/shop',
    '/account',
    '/refresh_token',
    '/',
    null,
  ])
  expect(items.filter(({ result }) => result === 'refused').every(({ code, detail }) => code !== null && (detail ?? '').length > 20)).toBe(true)
  expect(text).not.toMatch(/secret-|nobody-knows/)
  expect(await live()).toBe(2)
})

test('the same call again imports nothing twice, also after the token was rotated, and after a disconnect', async () => {
  const first = await send([grant(1), grant(2), { ...grant(3), account: undefined }])
  const [rotated, ended] = [first.items[0]?.connection, first.items[1]?.connection]
  await api.call('POST', '/api/v1/connections', { body: grant(1, { refresh_token: 'secret-rt-rotated', replace: true }) })
  await api.call('POST', `/api/v1/connections/${ended}/disconnect`)
  const again = await send([grant(1), grant(2), { ...grant(3), account: undefined }], '?replace=true')
  expect(again.results).toEqual(['already', 'already', 'already'])
  expect(again.items.map((item) => item.connection)).toEqual(first.items.map((item) => item.connection))
  expect((await api.call('GET', `/api/v1/connections/${rotated}`)).json.generation).toBe(2)
  expect(await live()).toBe(3)
})

test('a grant never says where the client secret of its integration goes: not as a variable, not as a fact', async () => {
  const variable = (askedOf: 'integration' | 'connection' | 'provider', pattern: string) => ({ label: 'Host', pattern, example: 'one.example', askedOf })
  const variables = {
    host: { ...variable('integration', '[a-z.]+'), default: 'right.example' },
    shop: variable('connection', '[a-z]+'),
    centre: variable('provider', '(eu|us)\\.example'),
  }
  api = await createApiLab({ record: { variables, answer: { facts: { instance: 'instance' } } } })
  const sent = [
    grant(1, { variables: { host: 'evil.example' } }),
    grant(2, { facts: { host: 'evil.example' } }),
    grant(3, { facts: { shop: 'acme' } }),
    grant(4, { facts: { centre: 'eu.example.evil.example' } }),
    grant(5, { facts: { api_host: 'evil.example' } }),
    grant(6, { variables: { centre: 'eu.example' } }),
    grant(7, { variables: { host: 'right.example', shop: 'acme' }, facts: { centre: 'eu.example', instance: 'i-7' } }),
  ]
  const { items, results } = await send(sent)
  expect(results).toEqual(['refused', 'refused', 'refused', 'refused', 'refused', 'refused', 'imported'])
  expect(items.map(({ field }) => field)).toEqual([
    '/variables/host',
    '/facts/host',
    '/facts/shop',
    '/facts/centre',
    '/facts/api_host',
    '/variables/centre',
    null,
  ])
  const stored = (await api.store.connections.byOwner(api.organization, api.integration, 'owner-7'))[0]?.connection
  expect(stored).toMatchObject({ variables: { shop: 'acme' }, facts: { centre: 'eu.example', instance: 'i-7' } })
  expect(stored?.variables).not.toHaveProperty('host')
  const one = await api.call('POST', '/api/v1/connections', { body: sent[0] })
  expect([one.status, one.json.code, one.json.field]).toEqual([400, 'invalid_request', '/variables/host'])
})

test('a connection that is there is overwritten only when that is asked for', async () => {
  const made = await send([grant(1)])
  const older = grant(1, { refresh_token: 'secret-rt-older' })
  const kept = await send([older])
  expect(kept.items[0]).toMatchObject({ result: 'refused', code: 'already_exists', field: '/account', connection: made.items[0]?.connection })
  expect((await send([older], '?replace=true&dry_run=true')).results).toEqual(['replaced'])
  expect((await api.call('GET', `/api/v1/connections/${made.items[0]?.connection}`)).json.generation).toBe(1)
  expect((await send([older], '?replace=true')).results).toEqual(['replaced'])
  expect((await api.call('GET', `/api/v1/connections/${made.items[0]?.connection}`)).json.generation).toBe(2)
  expect((await send([older], '?replace=true')).results).toEqual(['already'])
})

test('one refresh token is not given to two owners where that would end its grant', async () => {
  const { items } = await send([grant(1), grant(2, { refresh_token: 'secret-rt-1' })])
  expect(items[1]).toMatchObject({ result: 'refused', code: 'already_exists', field: '/refresh_token' })
  const shareable = await createApiLab({ reuse: 'P0' })
  const body = [grant(1), grant(2, { refresh_token: 'secret-rt-1' })]
  expect((await shareable.call('POST', URL, { body })).json).toMatchObject({ imported: 2, refused: 0 })
})

test('a dry run says what would happen and writes nothing', async () => {
  const { results, items } = await send([grant(1), grant(1), { ...grant(2), owner: '' }], '?dry_run=true')
  expect(results).toEqual(['imported', 'already', 'refused'])
  expect(items[0]?.connection).toBe(null)
  expect(await live()).toBe(0)
})

test('NDJSON is taken line by line, and a line that is none is refused by itself', async () => {
  const body = `${JSON.stringify(grant(1))}\n{"owner": secret-\n\n${JSON.stringify(grant(2))}\n`
  const { results, status, text } = await send(body, '', { 'content-type': 'application/x-ndjson' })
  expect(status, text).toBe(200)
  expect(results).toEqual(['imported', 'refused', 'imported'])
  expect(text).not.toContain('secret-')
  expect((await api.call('POST', '/api/v1/connections', { body, headers: { 'content-type': 'application/x-ndjson' } })).status).toBe(415)
})

test.each([[[]], [{ items: [] }], [Array.from({ length: 501 }, (_, n) => grant(n))], ['']])(
  'anything but 1 to 500 grants is refused as a whole',
  async (body) => {
    const { status, json } = await send(body)
    expect([status, json.code]).toEqual([400, 'invalid_request'])
  },
)

test('the first renewals of many grants do not fall on one instant, and a strict provider sees none of them unasked', async () => {
  const strict = await send(Array.from({ length: 50 }, (_, n) => grant(n)))
  const now = api.time.clock.wall()
  const dueOf = async (lab: ApiLab, ids: readonly (string | null)[]) => {
    const dues: number[] = []
    for (const id of ids) dues.push(Date.parse((await lab.call('GET', `/api/v1/connections/${id}`)).json.due_at))
    return dues
  }
  const dues = await dueOf(
    api,
    strict.items.map((item) => item.connection),
  )
  expect(Math.min(...dues)).toBeGreaterThan(now + 40 * 3_600_000)
  expect(new Set(dues).size).toBeGreaterThan(40)
  const lax = await createApiLab({ reuse: 'P0' })
  const answer = await lax.call('POST', `${URL}?spread_seconds=600`, { body: Array.from({ length: 50 }, (_, n) => grant(n)) })
  const ids: readonly string[] = answer.json.items.map((item: Item) => item.connection)
  const spread = await dueOf(lax, ids)
  expect(new Set(spread).size).toBeGreaterThan(40)
  const start = lax.time.clock.wall()
  expect(Math.min(...spread)).toBeGreaterThanOrEqual(start)
  expect(Math.max(...spread)).toBeLessThan(start + 600_000)
  expect(Math.max(...spread) - Math.min(...spread)).toBeGreaterThan(100_000)
})

test('five hundred grants with much to remember are one call, though other routes take no body of that size', async () => {
  const body = Array.from({ length: 500 }, (_, n) => grant(n, { metadata: { note: 'x'.repeat(2_000) } }))
  expect((await send(body)).json).toMatchObject({ imported: 500, refused: 0 })
  expect((await api.call('POST', '/api/v1/connections', { body: { ...grant(1), metadata: { note: 'x'.repeat(1_000_000) } } })).status).toBe(413)
})

test('a key without the right to write connections imports nothing', async () => {
  const key = await api.keyFor(['connections:read'])
  expect((await api.call('POST', URL, { body: [grant(1)], key })).status).toBe(403)
})
