import { expect, test } from 'vitest'
import { MINUTE } from '../time.ts'
import { ended, failedFault, waiting } from './caller-faults.ts'
import type { GrantRow } from './credentials.ts'

const AT = Date.UTC(2026, 0, 1)
const rowWith = (accessExpiresAt: number | null) => ({ credential: { accessExpiresAt } }) as GrantRow
const asked = { rejectedGeneration: null } as Parameters<typeof waiting>[3]
const SHORT = 'the stored token does not live as long as min_ttl asks'
const detailOf = (...args: Parameters<typeof waiting>) => waiting(...args).details.detail

test('whoever asks for more life than the stored token has left is told so while nothing can be sent', () => {
  const fault = waiting('provider_rate_limited', AT, rowWith(AT + MINUTE), asked)
  expect(fault).toMatchObject({ code: 'provider_rate_limited', details: { retryAt: AT, detail: SHORT } })
  expect(detailOf('provider_rate_limited', null, rowWith(AT + MINUTE), asked)).toBe(SHORT)
})

test.each([
  ['the token ends before anything can be sent', AT + MINUTE, rowWith(AT + MINUTE), asked],
  ['nobody knows when the token ends', AT, rowWith(null), asked],
  ['an API refused the token', AT, rowWith(AT + MINUTE), { ...asked, rejectedGeneration: 3 }],
])('nothing is said of min_ttl when %s', (_, until, row, request) => {
  expect(detailOf('provider_rate_limited', until, row, request)).toBeUndefined()
})

test('a time that nobody knows is not made up', () => {
  expect(waiting('provider_rate_limited', null, rowWith(null), asked).details.retryAt).toBeUndefined()
  const failed = { kind: 'failed', code: 'provider_unavailable', retryAt: null } as Parameters<typeof failedFault>[0]
  expect(failedFault(failed).details).not.toHaveProperty('retryAt')
  expect(failedFault({ ...failed, retryAt: AT, detail: 'in words' }).details).toMatchObject({ retryAt: AT, detail: 'in words' })
})

test('a grant that is over says what to do first, and then the words of its provider', () => {
  const over = (providerText: string | null) => ({ connection: { state: 'needs_reauth', fault: { evidence: { providerText } } } }) as GrantRow
  expect(ended('connection_revoked', over(null)).details.detail).toBeUndefined()
  expect(ended('connection_revoked', over('token is gone')).details.detail).toBe(
    "The provider refused the newest refresh token and says the grant is over. Have the owner reconnect, by the reconnect link or from the application; the connection keeps its id. In the provider's words: token is gone",
  )
})
