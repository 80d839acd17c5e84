import { expect, test } from 'vitest'
import { readAnswer } from './api.ts'

const refused = (problem: object): string => {
  try {
    readAnswer({ status: 400, body: JSON.stringify({ code: 'invalid_request', ...problem }) })
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
  return ''
}

test('a refusal whose sentence does not name its field is told with the field', () => {
  const detail = 'It must be a plain https address.'
  expect(refused({ detail, field: '/settings/return_urls/0' })).toBe(`${detail} (invalid_request at /settings/return_urls/0)`)
})

test('a refusal that names its field, or that is about none, is told as it is', () => {
  expect(refused({ detail: '`return_url` is not listed.', field: '/return_url' })).toBe('`return_url` is not listed. (invalid_request)')
  expect(refused({ detail: 'Nothing fits.', field: '/' })).toBe('Nothing fits. (invalid_request)')
  expect(refused({ detail: 'Nothing fits.' })).toBe('Nothing fits. (invalid_request)')
})
