import { expect, test } from 'vitest'
import { completed, completionAt, withWord } from './query-words.ts'

const texts = (query: string, caret = query.length, known = {}) => completionAt(query, caret, known).suggestions.map(({ text }) => text)

test('an empty line offers every field, a begun word those that begin so', () => {
  expect(texts('')).toContain('connection:')
  expect(texts('co')).toEqual(['connection:', 'code:'])
})

test('a minus before a word stays before what is offered', () => {
  expect(texts('-ty')).toEqual(['-type:'])
  expect(texts('-type:connection.rec')).toEqual(['-type:connection.reconnected'])
})

test('after the colon the values are offered that are usual or were seen, but not what stands there already', () => {
  expect(texts('provider:g', undefined, { provider: ['github', 'slack'] })).toEqual(['provider:github'])
  expect(texts('provider:github', undefined, { provider: ['github'] })).toEqual([])
})

test('a field that is none offers nothing', () => {
  expect(texts('kind:')).toEqual([])
})

test('a value with a blank is offered in quotation marks', () => {
  expect(texts('owner:A', undefined, { owner: ['Ada Lovelace'] })).toEqual(['owner:"Ada Lovelace"'])
})

test('the word at the caret is replaced, not the last one, and a finished word gets a blank behind it', () => {
  const query = 'co after:2026-11-01'
  const completion = completionAt(query, 2)
  expect(completed(query, completion, { text: 'code:', explained: '' })).toEqual({ query: 'code: after:2026-11-01', caret: 5 })
  const value = completionAt('type:agent', 10)
  expect(completed('type:agent', value, { text: 'type:agent.*', explained: '' })).toEqual({ query: 'type:agent.* ', caret: 13 })
})

test('narrowing by a word that is there already changes nothing', () => {
  expect(withWord('type:a.b', 'type:a.b')).toBe('type:a.b')
  expect(withWord('', 'type:a.b')).toBe('type:a.b')
  expect(withWord('code:x', '-type:a.b')).toBe('code:x -type:a.b')
})
