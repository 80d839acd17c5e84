import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAnswerBody } from './answer-body.ts'
import { accountAt, conditionsHold, valuesAt } from './answer-path.ts'
import { decodeForm, encodeForm, encodeQuery, withQuery } from './form.ts'

test('forms and queries are read back by the platform as they were meant', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (fields) => {
      expect(Object.fromEntries(new URLSearchParams(encodeForm(fields)))).toEqual(Object.fromEntries(Object.entries(fields)))
      expect(Object.fromEntries(new URLSearchParams(encodeQuery(fields)))).toEqual(Object.fromEntries(Object.entries(fields)))
    }),
  )
})

test('half a surrogate pair becomes a replacement character instead of an exception', () => {
  expect(encodeForm({ a: '\uD800' })).toBe('a=%EF%BF%BD')
})

test.each([
  ['https://a.example/x', 'b=1', 'https://a.example/x?b=1'],
  ['https://a.example/x?c=2', 'b=1', 'https://a.example/x?c=2&b=1'],
  ['https://a.example/#/login', 'b=1', 'https://a.example/?b=1#/login'],
  ['https://a.example/x?', 'b=1', 'https://a.example/x?b=1'],
  ['https://a.example/x', '', 'https://a.example/x'],
])('%s with %s is %s', (url, query, expected) => {
  expect(withQuery(url, query)).toBe(expected)
})

test('a form-encoded answer is read only where one is expected', () => {
  const answer = { headers: {}, text: 'access_token=a%2Bb&scope=x+y' }
  expect(readAnswerBody(answer, true)).toEqual({ access_token: 'a+b', scope: 'x y' })
  expect(readAnswerBody(answer, false)).toBeNull()
  expect(readAnswerBody({ ...answer, headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } }, false)).toEqual({
    access_token: 'a+b',
    scope: 'x y',
  })
})

test.each(['<html>a=b</html>', '', 'plain words', '{"a":', 'a=%ZZ'])('%j is no form', (text) => {
  expect(decodeForm(text)).toBeNull()
})

test('a byte order mark before JSON does no harm; a list is no answer', () => {
  expect(readAnswerBody({ headers: {}, text: '\uFEFF{"a":1}' }, false)).toEqual({ a: 1 })
  expect(readAnswerBody({ headers: {}, text: '[1]' }, false)).toBeNull()
})

test('paths walk objects, lists and every element of a list, never a prototype', () => {
  const root = { a: { b: [{ c: 1 }, { c: 2 }] } }
  expect(valuesAt(root, 'a.b.1.c')).toEqual([2])
  expect(valuesAt(root, 'a.b.*.c')).toEqual([1, 2])
  expect(valuesAt(root, 'constructor.name')).toEqual([])
  expect(valuesAt(root, 'a.b.length')).toEqual([])
})

test('an account joins its parts, needs all of them, and does not depend on the order of a list', () => {
  expect(accountAt({ team: { id: 'T' }, user: { id: 7 } }, 'team.id + user.id')).toBe('T:7')
  expect(accountAt({ team: { id: 'T' } }, 'team.id + user.id')).toBeNull()
  expect(accountAt([{ id: 30 }, { id: 4 }, { id: 12 }], '*.id')).toBe('4')
  expect(accountAt([{ id: 12 }, { id: 30 }, { id: 4 }], '*.id')).toBe('4')
})

test('conditions know exact values, patterns, presence and membership', () => {
  const root = { codes: [1, 2], error: 'Bad Thing', ok: false, none: null }
  expect(conditionsHold(root, { codes: 2, error: '/bad/i', ok: false })).toBe(true)
  expect(conditionsHold(root, { error: '/bad/' })).toBe(false)
  expect(conditionsHold(root, { error: '*' })).toBe(true)
  expect(conditionsHold(root, { none: '*' })).toBe(false)
  expect(conditionsHold(root, { absent: '*' })).toBe(false)
})
