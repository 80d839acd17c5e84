// @vitest-environment happy-dom
import { cleanup, render } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { system } from '../system.ts'
import { Time } from './time.tsx'

const MINUTE = 60_000
afterEach(cleanup)
const said = (at: number, past?: string) => render(<Time at={system.now() + at} {...(past === undefined ? {} : { past })} />).container.textContent

test('a plan whose time has come is due, and not something that was', () => {
  expect(said(-5 * MINUTE, 'due')).toBe('due')
  expect(said(-5 * MINUTE)).toMatch(/ago$/)
})

test('a plan is said with its time until then', () => {
  expect(said(10 * MINUTE, 'due')).toMatch(/^in \d+ min\.$/)
})
