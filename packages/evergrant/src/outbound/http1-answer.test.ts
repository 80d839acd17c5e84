import { expect, test } from 'vitest'
import { createAnswerReader, type ReadState } from './http1-answer.ts'

const LIMIT = 64 * 1024

function read(text: string | Buffer, limit = LIMIT, piece = Number.POSITIVE_INFINITY): ReadState {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  const reader = createAnswerReader(limit)
  let state: ReadState = { kind: 'more' }
  for (let at = 0; at < bytes.length && state.kind === 'more'; at += piece) state = reader.push(bytes.subarray(at, Math.min(bytes.length, at + piece)))
  return state.kind === 'more' ? reader.end() : state
}

function body(state: ReadState): string {
  return state.kind === 'whole' ? state.answer.body.toString('latin1') : `${state.kind}: ${state.kind === 'broken' ? state.cause : ''}`
}

const ANSWERS: readonly (readonly [string, string, string, boolean])[] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello', true],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n', 'hello', true],
  ['chunks with trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n', 'hello', true],
  ['the end of the connection', 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello', 'hello', false],
  [
    'interim answers before it',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    'hello',
    true,
  ],
  ['no content', 'HTTP/1.1 204 No Content\r\n\r\n', '', true],
  ['no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 'ok', true],
  ['a server that closes', 'HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok', 'ok', false],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 'ok', false],
  ['the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok', 'ok', true],
]

test.each(ANSWERS)('an answer with %s is read whole, however the bytes are split', (_name, text, expected, reusable) => {
  for (const piece of [1, 2, 3, 7, 64, Number.POSITIVE_INFINITY]) {
    const state = read(text, LIMIT, piece)
    expect(body(state)).toBe(expected)
    expect(state).toMatchObject({ reusable })
  }
})

test.each(ANSWERS)('an answer with %s that is cut anywhere is never taken for a whole one', (name, text) => {
  if (name === 'the end of the connection') return
  for (let end = 0; end < text.length; end += 1) expect(read(text.slice(0, end)).kind, `${end} bytes`).toBe('broken')
})

test.each([
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a space in a name', 'HTTP/1.1 200 OK\r\nX Y: 1\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n'],
  ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
  ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  ['an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['a chunk longer than it says', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}`],
])('%s is malformed', (_name, text) => {
  expect(read(text)).toEqual({ kind: 'broken', cause: 'malformed' })
})

test('bytes after the answer are not part of it, and end the connection', () => {
  const state = read('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n')
  expect(body(state)).toBe('ok')
  expect(state).toMatchObject({ reusable: false })
})

test('a success beyond the limit is no answer; an error is cut', () => {
  const long = 'x'.repeat(200)
  for (const framing of ['Content-Length: 200\r\n\r\n', 'Connection: close\r\n\r\n']) {
    expect(read(`HTTP/1.1 200 OK\r\n${framing}${long}`, 100)).toEqual({ kind: 'broken', cause: 'answer_too_large' })
    expect(body(read(`HTTP/1.1 503 No\r\n${framing}${long}`, 100))).toBe('x'.repeat(100))
  }
  expect(body(read(`HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n${long}\r\n0\r\n\r\n`, 100))).toBe('x'.repeat(100))
})

test('repeated fields are joined and names are lower-case', () => {
  expect(read('HTTP/1.1 200 OK\r\nRetry-After: 3\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n')).toMatchObject({
    answer: { headers: { 'retry-after': '3', 'x-a': '1, 2' } },
  })
})
