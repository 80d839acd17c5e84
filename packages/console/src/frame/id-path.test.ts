import { expect, test } from 'vitest'
import { pathOfId } from './id-path.ts'

const ID = 'con_01a1ffa6-af64-77d5-b860-760fd28ff795'

test('a pasted id leads to its page', () => {
  expect(pathOfId(`  ${ID}\n`)).toBe(`/connections/${ID}`)
})

test('an id inside a link or a line of a log is found', () => {
  expect(pathOfId(`https://api.example.com/api/v1/connections/${ID}/token`)).toBe(`/connections/${ID}`)
  expect(pathOfId(`connection="${ID}" failed`)).toBe(`/connections/${ID}`)
})

test('words that only begin like an id are a search', () => {
  expect(pathOfId('con_artists')).toBeNull()
  expect(pathOfId('ada@example.com')).toBeNull()
})
