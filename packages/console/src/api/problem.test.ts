import { expect, test } from 'vitest'
import { ApiError, problemFrom, problemOf } from './problem.ts'

const answer = (body: string, status: number, headers: Record<string, string> = {}) => new Response(body, { status, headers })

test('a problem keeps the words, the field and the request id of the server', async () => {
  const body = JSON.stringify({ title: 'Not allowed', detail: 'You may not.', code: 'forbidden', request_id: 'req-1', field: '/name' })
  expect(await problemFrom(answer(body, 403))).toMatchObject({
    title: 'Not allowed',
    detail: 'You may not.',
    code: 'forbidden',
    status: 403,
    requestId: 'req-1',
    field: '/name',
  })
})

test('an answer that Evergrant did not write is said to be one', async () => {
  const problem = await problemFrom(answer('<html>gateway</html>', 502, { 'request-id': 'edge-7' }))
  expect(problem).toMatchObject({ code: 'foreign_answer', status: 502, requestId: 'edge-7' })
})

test('whatever was thrown has words', () => {
  const problem = { title: 't', detail: 'd', code: 'c', status: 400, requestId: null, field: null, retryAt: null }
  expect(problemOf(new ApiError(problem))).toBe(problem)
  expect(problemOf(new TypeError('Failed to fetch')).code).toBe('connection_failed')
  expect(problemOf('a text').detail).toContain('unexpected')
})
