// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { system } from '../system.ts'
import { useTyped } from './use-typed.ts'

const REST_MS = 250

let rest: (() => void) | undefined
vi.spyOn(system, 'after').mockImplementation((_ms, run) => {
  rest = run
  return () => {
    if (rest === run) rest = undefined
  }
})
afterEach(() => {
  cleanup()
  rest = undefined
})

const told: string[] = []

function Field({ kept }: { readonly kept: string }) {
  const [text, type] = useTyped(kept, (next) => told.push(next), REST_MS)
  return <input aria-label="Search" value={text} onChange={(event) => type(event.target.value)} />
}

const field = () => screen.getByLabelText<HTMLInputElement>('Search')
const type = (text: string): void => {
  fireEvent.change(field(), { target: { value: text } })
}

test('what was typed on while the answer was under way is not taken back', () => {
  const { rerender } = render(<Field kept="" />)
  type('ada')
  rest?.()
  expect(told).toEqual(['ada'])
  type('ada l')
  rerender(<Field kept="ada" />)
  expect(field().value).toBe('ada l')
})

test('a blank between two words outlives a rest, although the address does not keep it', () => {
  const { rerender } = render(<Field kept="" />)
  type('ada ')
  rest?.()
  rerender(<Field kept="ada" />)
  expect(field().value).toBe('ada ')
})

test('what another control put there replaces what was typed, also what was not told yet', () => {
  const { rerender } = render(<Field kept="" />)
  type('ada')
  rest?.()
  rerender(<Field kept="ada" />)
  type('ada l')
  rerender(<Field kept="grace" />)
  expect(field().value).toBe('grace')
  expect(rest).toBeUndefined()
})
