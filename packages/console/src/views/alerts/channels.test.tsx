// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { keyOf } from '../../api/queries.ts'
import { Channels } from './channels.tsx'

const KEY = keyOf('GET /api/v1/channels')
const stored = (name: string, to: string) => ({
  items: [
    { id: 'chn_1', kind: 'email', name, to: [to], host: null, webhook_id: null, enabled: true, digest: true, digest_when_well: false, quiet_hours: null },
  ],
})
const field = (label: string) => screen.getByLabelText<HTMLInputElement>(label, { exact: false })

afterEach(cleanup)

test('a channel that a colleague changes changes in the dialog that was open, and what was typed there stays', async () => {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
  client.setQueryData(KEY, stored('On call', 'a@example.com'))
  render(
    <QueryClientProvider client={client}>
      <Channels />
    </QueryClientProvider>,
  )
  fireEvent.click(screen.getByRole('button', { name: 'Change On call' }))
  await waitFor(() => expect(field('Name').value).toBe('On call'))
  client.setQueryData(KEY, stored('Night shift', 'a@example.com'))
  await waitFor(() => expect(field('Name').value).toBe('Night shift'))

  fireEvent.change(field('Name'), { target: { value: 'Day shift' } })
  client.setQueryData(KEY, stored('Night shift', 'b@example.com'))
  await screen.findByText('This was changed meanwhile')
  expect(field('Name').value).toBe('Day shift')
})

test('a channel that a colleague removes takes no dialog away, nor what was typed in it', async () => {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
  client.setQueryData(KEY, stored('On call', 'a@example.com'))
  render(
    <QueryClientProvider client={client}>
      <Channels />
    </QueryClientProvider>,
  )
  fireEvent.click(screen.getByRole('button', { name: 'Change On call' }))
  fireEvent.change(field('Name'), { target: { value: 'Day shift' } })
  client.setQueryData(KEY, { items: [] })
  await screen.findByText('Nobody is told yet', { exact: false })
  expect(field('Name').value).toBe('Day shift')
})
