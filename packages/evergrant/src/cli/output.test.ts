import { expect, test } from 'vitest'
import { formatFacts, Output } from './output.ts'

test('what providers and end users call themselves does not steer the terminal', () => {
  const shown = formatFacts({ label: '\u001b]0;owned\u0007\u001b[2J', owner: 'a\nb\u202eevil', account: { label: '\u009b31m' } })
  expect(shown).not.toMatch(/[\p{Cf}\u007f-\u009f]|\p{Cc}(?<!\n)/u)
  expect(shown.split('\n')).toHaveLength(3)
  const said: string[] = []
  new Output({ out: (text) => said.push(text), err: (text) => said.push(text), interactive: true }, false).failure('first\nsecond \u001b[31m', {})
  expect(said).toEqual(['first\nsecond \uFFFD[31m\n'])
})

test('progress rewrites its line on a terminal, is a line of its own elsewhere, and is silent where a program reads', () => {
  const told = (interactive: boolean, json: boolean) => {
    const said: string[] = []
    const output = new Output({ out: () => {}, err: (text) => said.push(text), interactive }, json)
    output.progressLine('one', false)
    output.progressLine('two', true)
    return said.join('')
  }
  expect(told(true, false)).toBe('\r\u001b[Kone\r\u001b[Ktwo\n')
  expect(told(false, false)).toBe('one\ntwo\n')
  expect(told(true, true)).toBe('')
})
