// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, renderHook, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { readAgain, useList } from './queries.ts'

const USER = {
  id: 'usr_1',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada',
  owner: 'ada',
  role: 'owner',
  organization: { id: 'org_1', name: 'Acme' },
}
const SESSION = { access_token: 'token', expires_in: 900, generation: 1, session: { id: 'ses_1' }, user: USER }

/** What was asked for, and how to answer. */
let asked: { readonly cursor: string | null; readonly answer: (cursor: string | null, ...rows: readonly (readonly [string, string])[]) => void }[] = []
vi.stubGlobal('fetch', (input: string | URL | Request) => {
  const url = new URL(input instanceof Request ? input.url : input)
  if (url.pathname.endsWith('/auth/refresh')) return Promise.resolve(Response.json({ ...SESSION, server_time: new Date().toISOString() }))
  return new Promise<Response>((resolve) =>
    asked.push({
      cursor: url.searchParams.get('cursor'),
      answer: (cursor, ...rows) => resolve(Response.json({ cursor, items: rows.map(([id, status]) => ({ id, status, updated_at: '' })) })),
    }),
  )
})
afterEach(() => {
  cleanup()
  asked = []
})

function list() {
  const client = new QueryClient()
  const wrapper = ({ children }: { readonly children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>
  const { result } = renderHook(() => useList('GET /api/v1/alerts', { query: { limit: 50 } }), { wrapper })
  return {
    client,
    more: () => result.current.more(),
    shows: (...rows: readonly string[]) =>
      waitFor(() => expect(result.current.items?.map((row) => `${row.id} ${(row as unknown as { readonly status: string }).status}`)).toEqual(rows)),
  }
}
const requests = (count: number) => waitFor(() => expect(asked).toHaveLength(count))

test('who asks for more while the list is read again gets both', async () => {
  const { client, more, shows } = list()
  await requests(1)
  asked[0]?.answer('next', ['alr_1', 'open'])
  await shows('alr_1 open')
  readAgain(client, ['GET /api/v1/alerts'])
  await requests(2)
  more()
  asked[1]?.answer('next', ['alr_1', 'over'])
  await requests(3)
  expect(asked.map(({ cursor }) => cursor)).toEqual([null, null, 'next'])
  asked[2]?.answer(null, ['alr_2', 'open'])
  await shows('alr_1 over', 'alr_2 open')
})

test('a row that moved to a later page before that was read stands once, as it is now', async () => {
  const { more, shows } = list()
  await requests(1)
  asked[0]?.answer('next', ['alr_1', 'open'], ['alr_2', 'open'])
  await shows('alr_1 open', 'alr_2 open')
  more()
  await requests(2)
  asked[1]?.answer(null, ['alr_1', 'over'], ['alr_3', 'open'])
  await shows('alr_1 over', 'alr_2 open', 'alr_3 open')
})

test('a deed leaves nothing that is not on the screen to be shown later as it was', async () => {
  const client = new QueryClient()
  client.setQueryData(['GET /api/v1/agents', {}, 'list'], 'left a second ago')
  readAgain(client, ['GET /api/v1/installations'])
  expect(client.getQueryState(['GET /api/v1/agents', {}, 'list'])?.isInvalidated).toBe(true)
})
