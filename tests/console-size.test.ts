import { expect, test } from 'vitest'
import { consoleSizes } from '../scripts/console-sizes.mjs'

test('the console stays within what it may download, at first and for each page', () => {
  const sizes = consoleSizes()
  expect(sizes[0]?.name).toBe('console, at first')
  expect(sizes[0]?.compressed).toBeGreaterThan(50_000)
  expect(sizes.filter(({ compressed, budget }) => compressed > budget)).toEqual([])
})
