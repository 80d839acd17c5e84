// @vitest-environment happy-dom
import { act, renderHook } from '@testing-library/react'
import { expect, test } from 'vitest'
import { useDraft } from './draft.tsx'

interface Stored {
  readonly name: string
  readonly limit: number
  readonly version: number
}

const fieldsOf = ({ name, limit }: Stored) => ({ name, limit })
const first: Stored = { name: 'weather', limit: 3, version: 1 }
const begin = () => renderHook(({ stored }) => useDraft(stored, fieldsOf), { initialProps: { stored: first } })

test('a form in which nothing was typed follows what is stored', () => {
  const { result, rerender } = begin()
  rerender({ stored: { name: 'weather', limit: 5, version: 2 } })
  expect(result.current).toMatchObject({ draft: { name: 'weather', limit: 5 }, base: { version: 2 }, isBehind: false })
})

test('what was typed outlives a change of what the form does not hold', () => {
  const { result, rerender } = begin()
  act(() => result.current.change({ name: 'forecast' }))
  rerender({ stored: { ...first, version: 2 } })
  expect(result.current).toMatchObject({ draft: { name: 'forecast', limit: 3 }, base: { version: 2 }, isBehind: false })
})

test('what was typed outlives a change by somebody else, who is not overwritten without a word', () => {
  const { result, rerender } = begin()
  act(() => result.current.change({ name: 'forecast' }))
  rerender({ stored: { name: 'weather', limit: 5, version: 2 } })
  expect(result.current).toMatchObject({ draft: { name: 'forecast', limit: 3 }, base: { version: 1 }, isBehind: true })
  act(() => result.current.catchUp())
  expect(result.current).toMatchObject({ draft: { name: 'forecast', limit: 5 }, base: { version: 2 }, isBehind: false })
})

test('a form that was saved shows what was stored, also while the answer from before is still there', () => {
  const { result, rerender } = begin()
  act(() => result.current.change({ name: ' forecast ' }))
  act(() => result.current.saved({ name: 'forecast', limit: 3, version: 2 }))
  expect(result.current).toMatchObject({ draft: { name: 'forecast', limit: 3 }, isBehind: false })
  rerender({ stored: { name: 'forecast', limit: 3, version: 2 } })
  expect(result.current).toMatchObject({ draft: { name: 'forecast', limit: 3 }, base: { version: 2 }, isBehind: false })
  rerender({ stored: { name: 'forecast', limit: 9, version: 3 } })
  expect(result.current.draft.limit).toBe(9)
})
