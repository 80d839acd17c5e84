import { expect, test } from 'vitest'
import { curlOf, shortened } from './copy.tsx'

test('a request as curl carries no secret and survives quotes', () => {
  const text = curlOf({ method: 'POST', path: '/api/v1/connections/bulk', body: { tag: "it's" } }, 'https://evergrant.example.com')
  expect(text).toBe(
    `curl -sS -X POST 'https://evergrant.example.com/api/v1/connections/bulk' -H "Authorization: Bearer $EVERGRANT_API_KEY" -H 'Content-Type: application/json' -d '{"tag":"it'\\''s"}'`,
  )
})

test('a shortened id keeps its kind and its end', () => {
  expect(shortened('con_01a1ffa6-af64-77d5-b860-760fd28ff795')).toBe('con_…8ff795')
})
