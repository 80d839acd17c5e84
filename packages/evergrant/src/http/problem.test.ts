import { expect, test } from 'vitest'
import { fillWords } from './problem.ts'

test('a name with replacement patterns or places in it stays as it is', () => {
  expect(fillWords('{A} at {P}', { provider: 'A$&B', account: "$' {P} $$" })).toBe("$' {P} $$ at A$&B")
})
