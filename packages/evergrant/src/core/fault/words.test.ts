import { expect, test } from 'vitest'
import { Fault } from './fault.ts'
import { FAULTS } from './table.ts'
import { fillWords } from './words.ts'

test('a name with replacement patterns or places in it stays as it is', () => {
  expect(fillWords('{A} at {P}', { provider: 'A$&B', account: "$' {P} $$" })).toBe("$' {P} $$ at A$&B")
})

test('what is not known reads as a sentence, wherever it stands', () => {
  expect(fillWords('{P} needs {A}. {P} waits for {P}: {T}', {})).toBe('The provider needs your account. The provider waits for the provider: soon')
})

test('no place is left in any text of the table, nor in the message of a fault', () => {
  for (const [code, { title, endUser, operator }] of Object.entries(FAULTS)) {
    for (const text of [title, endUser, operator]) expect(fillWords(text, { provider: 'Notes', account: 'ada' }), code).not.toMatch(/\{[PAT]\}/)
  }
  expect(new Fault('connection_revoked').message).toBe('The provider access was removed')
})
