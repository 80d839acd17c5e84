import { expect, test } from 'vitest'
import { defineProvider } from '../../providers/define.ts'
import { answerBytes, readAnswerBytes } from './answer-bytes.ts'

const draft = { id: 'kept', name: 'Kept', authorize: { url: 'https://k.example/a' }, token: { url: 'https://k.example/t' } }
const plain = defineProvider(draft)
const beside = defineProvider({ ...draft, answer: { paths: { accessToken: 'header:X-Token', refreshToken: 'cookie:renewal' } } })
const body = new TextEncoder().encode('{"a":1}')
const headers = { 'content-type': 'application/json', 'x-token': 'at-é', 'x-other': 'o', 'set-cookie': 'other=1\nrenewal=rt-1; Max-Age=5' }

test('the raw body alone is sealed where the record names nothing else, as it always was', () => {
  expect(answerBytes(plain, { headers, body })).toBe(body)
  expect(readAnswerBytes(body)).toEqual({ headers: {}, body })
})

test('what the record names beside the body comes back with it', () => {
  const kept = readAnswerBytes(answerBytes(beside, { headers, body }))
  expect(kept).toEqual({ headers: { 'x-token': 'at-é', 'set-cookie': 'renewal=rt-1; Max-Age=5' }, body })
})

test('a body that begins like a wrapped answer stays a body', () => {
  const odd = Uint8Array.from([0, 0x45, 0x56, 0x41, 0x31, 9, 9, 9, 9, 9])
  expect(readAnswerBytes(answerBytes(plain, { headers, body: odd }))).toEqual({ headers: {}, body: odd })
})
