import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CAUSES_FILE, causesSource } from '../scripts/connect-words.ts'

test('the connect pages say of a connection what the React components say: the words have one source', () => {
  expect(readFileSync(CAUSES_FILE, 'utf8')).toBe(causesSource())
})
