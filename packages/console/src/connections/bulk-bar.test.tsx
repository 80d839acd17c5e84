// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { BulkBar } from './bulk-bar.tsx'

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

const bodies: { readonly dry_run?: boolean; readonly ids: readonly string[] }[] = []
vi.stubGlobal('fetch', async (input: string | URL | Request, init?: RequestInit) => {
  const request = new Request(input, init)
  if (request.url.endsWith('/auth/refresh')) return Response.json({ ...SESSION, server_time: new Date().toISOString() })
  const body = (await request.json()) as (typeof bodies)[number]
  bodies.push(body)
  return Response.json({ count: body.ids.length, sample: body.ids.map((id) => ({ id })), results: [], bulk_id: null, undo_until: null })
})
afterEach(cleanup)

const bar = (...ids: readonly string[]) => (
  <QueryClientProvider client={new QueryClient()}>
    <BulkBar selected={new Set(ids)} filter={{}} total={9} onDone={() => undefined} />
  </QueryClientProvider>
)

test('what was counted is what is done, also when the list was read meanwhile and shows it no more', async () => {
  const { rerender } = render(bar('con_1', 'con_2'))
  fireEvent.click(screen.getByRole('button', { name: 'Pause' }))
  const deed = await screen.findByRole('button', { name: 'Pause: 2', hidden: true })
  rerender(bar())
  fireEvent.click(deed)
  await waitFor(() => expect(bodies).toHaveLength(2))
  expect(bodies.map(({ ids }) => ids)).toEqual([
    ['con_1', 'con_2'],
    ['con_1', 'con_2'],
  ])
})

test('nothing can be done with rows that are not shown any more', () => {
  render(bar())
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Disconnect' }).disabled).toBe(true)
})
