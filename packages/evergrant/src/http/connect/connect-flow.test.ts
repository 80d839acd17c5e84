import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'

let bench: ConnectBench

beforeAll(async () => {
  bench = await startConnectBench()
})
afterAll(() => bench.close())

const RETURN_URL = 'https://app.example.com/connected'

test('a link, a consent and a completion make a connection with a working token', async () => {
  const { id, key } = await bench.organization('Acme Reports')
  await bench.integration(id, 'notes')
  const created = await api(bench, key, 'connect/sessions', { integration: 'notes', owner: 'user-1', return_url: RETURN_URL })
  expect(created.status).toBe(201)
  const visitor = new Visitor(bench)
  const landing = await visitor.get(new URL(created.body['url'] ?? '').pathname)
  expect(landing.status).toBe(200)
  expect(landing.body).toContain('Acme Reports')
  const consent = await visitor.start(created.body['url'] ?? '')
  const back = await visitor.follow(await visitor.consent(consent, 'ada'))
  expect(back.status).toBe(303)
  const { searchParams } = new URL(back.location ?? '')
  const done = await api(bench, key, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner: 'user-1' })
  expect(done).toMatchObject({ status: 200, body: { created: true, owner: 'user-1' } })
  const token = await bench.engine.token({ organization: id, connection: done.body['connection_id'] ?? 'con_', minTtlMs: 0, rejectedGeneration: null })
  expect(token.generation).toBe(1)
  const again = await api(bench, key, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner: 'user-1' })
  expect(again).toEqual(done)
})
