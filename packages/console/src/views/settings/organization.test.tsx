// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { keyOf } from '../../api/queries.ts'
import { OrganizationCard } from './organization.tsx'

const KEY = keyOf('GET /api/v1/organizations/current')
const stored = (...required: readonly string[]) => ({
  id: 'org_1',
  slug: 'acme',
  name: 'Acme',
  role: 'owner',
  created_at: '2026-11-22T10:00:00.000Z',
  require_second_factor: required,
})
const ticked = (): readonly string[] =>
  screen.getAllByRole<HTMLInputElement>('checkbox').flatMap(({ checked, labels }) => (checked ? (labels?.[0]?.textContent ?? '') : []))

afterEach(cleanup)

test('roles that a colleague asks a second factor of are ticked in a form that was open before, and beside what was ticked here it says so', async () => {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
  client.setQueryData(KEY, stored('owner'))
  render(
    <QueryClientProvider client={client}>
      <OrganizationCard />
    </QueryClientProvider>,
  )
  expect(ticked()).toEqual([expect.stringMatching(/^Owner/)])
  client.setQueryData(KEY, stored('admin', 'owner'))
  await waitFor(() => expect(ticked()).toEqual([expect.stringMatching(/^Owner/), expect.stringMatching(/^Admin/)]))

  fireEvent.click(screen.getByRole('checkbox', { name: /^Viewer/ }))
  client.setQueryData(KEY, stored('owner'))
  await screen.findByText('This was changed meanwhile')
})
