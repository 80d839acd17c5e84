// The lines of docs/guides/fetch-clients.md, each with the real package: five requests whose token has expired, five answers, one refresh.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { createTRPCClient, httpBatchLink, httpLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { Client, fetchExchange, gql as urqlGql } from '@urql/core'
import ky from 'ky'
import { createFetch } from 'ofetch'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import wretch from 'wretch'
import { bearerSession, createEvergrant, type Evergrant } from '../../packages/sdk/src/browser/index.ts'
import { openSessionLab, type SessionLab } from '../session-lab.ts'

/** Its type leaves out `undefined` where every other `fetch` allows it, which our strictest compiler setting minds. */
type TrpcFetch = NonNullable<Parameters<typeof httpLink>[0]['fetch']>

let lab: SessionLab
let client: Evergrant

beforeEach(async () => {
  lab = await openSessionLab()
  client = createEvergrant({ baseUrl: lab.url, session: bearerSession({ refreshToken: lab.refreshToken }), coordination: 'none' })
  await client.refresh()
  lab.expire()
})
afterEach(async () => {
  client.dispose()
  await lab.close()
})

/** Five at once; what they answered. */
const five = <Answer>(ask: () => Promise<Answer>): Promise<Answer[]> => Promise.all(Array.from({ length: 5 }, ask))

async function answersAll<Answer>(ask: () => Promise<Answer>, expected: unknown): Promise<void> {
  const before = lab.refreshes()
  for (const answer of await five(ask)) expect(answer).toMatchObject(expected as object)
  expect(lab.refreshes() - before).toBe(1)
  expect(lab.reuses()).toBe(0)
  expect(lab.seen.filter(({ status }) => status === 401)).toHaveLength(5)
}

describe('one refresh for five expired requests with', () => {
  test('ky', async () => {
    const api = ky.create({ fetch: client.fetch })
    await answersAll(() => api.get(`${lab.url}/things`).json(), { path: '/things' })
  })

  test('ky, posting', async () => {
    const api = ky.create({ fetch: client.fetch })
    await answersAll(() => api.post(`${lab.url}/things`, { json: { a: 1 } }).json(), { body: '{"a":1}' })
  })

  test('ofetch', async () => {
    const api = createFetch({ fetch: client.fetch })
    await answersAll(() => api(`${lab.url}/things`, { method: 'POST', body: { a: 1 } }), { body: '{"a":1}' })
  })

  test('wretch', async () => {
    const api = wretch(lab.url).fetchPolyfill(client.fetch)
    await answersAll(() => api.url('/things').post({ a: 1 }).json(), { body: '{"a":1}' })
  })

  const router = initTRPC.create().router
  const procedures = initTRPC.create().procedure
  const app = router({ ping: procedures.query(() => 'pong'), change: procedures.mutation(() => 'pong') })

  test('tRPC', async () => {
    const api = createTRPCClient<typeof app>({ links: [httpLink({ url: `${lab.url}/trpc`, fetch: client.fetch as TrpcFetch })] })
    await answersAll(async () => ({ query: await api.ping.query() }), { query: 'pong' })
  })

  test('tRPC, changing something', async () => {
    const api = createTRPCClient<typeof app>({ links: [httpLink({ url: `${lab.url}/trpc`, fetch: client.fetch as TrpcFetch })] })
    await answersAll(async () => ({ mutation: await api.change.mutate() }), { mutation: 'pong' })
  })

  test('Apollo', async () => {
    const link = new HttpLink({ uri: `${lab.url}/graphql`, fetch: client.fetch })
    const apollo = new ApolloClient({ link, cache: new InMemoryCache() })
    const query = gql`query Ping { ping }`
    await answersAll(() => apollo.query({ query, fetchPolicy: 'no-cache', context: { queryDeduplication: false } }), { data: { ping: 'pong' } })
  })

  test('urql', async () => {
    const urql = new Client({ url: `${lab.url}/graphql`, exchanges: [fetchExchange], fetch: client.fetch, preferGetMethod: false })
    let serial = 0
    const ask = () => {
      // Equal queries at the same time are one request to urql.
      serial += 1
      return urql.query(urqlGql(`query Ping${serial} { ping }`), {}).toPromise()
    }
    await answersAll(ask, { data: { ping: 'pong' } })
  })
})

test('a batch of tRPC is one request, refused once and answered whole', async () => {
  const app = initTRPC.create()
  const router = app.router({ ping: app.procedure.query(() => 'pong') })
  const batch = httpBatchLink({
    url: `${lab.url}/trpc`,
    fetch: async (input, init) => {
      const response = await client.fetch(input as string, init as RequestInit)
      return response.ok ? Response.json(Array.from({ length: 5 }, () => ({ result: { data: 'pong' } }))) : response
    },
  })
  const api = createTRPCClient<typeof router>({ links: [batch] })
  expect(await five(() => api.ping.query())).toEqual(['pong', 'pong', 'pong', 'pong', 'pong'])
  expect(lab.seen.map(({ status }) => status)).toEqual([401, 200])
})
