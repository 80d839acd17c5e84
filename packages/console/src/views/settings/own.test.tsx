// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { keyOf } from '../../api/queries.ts'
import { Own } from './own.tsx'

const KEY = keyOf('GET /api/v1/users/profile')
const stored = (name: string) => ({ id: 'usr_1', email: 'ada@example.com', name, role: 'owner', owner: 'ada' })
const field = () => screen.getByLabelText<HTMLInputElement>('Name')

afterEach(cleanup)

test('a name that is being typed stays when another tab, or an administrator, saves one, and the form keeps the focus', async () => {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
  client.setQueryData(KEY, stored('Ada'))
  render(
    <QueryClientProvider client={client}>
      <Own />
    </QueryClientProvider>,
  )
  client.setQueryData(KEY, stored('Ada B.'))
  await waitFor(() => expect(field().value).toBe('Ada B.'))
  field().focus()
  fireEvent.change(field(), { target: { value: 'Ada Lovelace' } })
  client.setQueryData(KEY, stored('Countess'))
  await screen.findByText('This was changed meanwhile')
  expect([field().value, document.activeElement === field()]).toEqual(['Ada Lovelace', true])
})
