import { expect, test } from 'vitest'
import { DEFAULT_TYPES } from './endpoint.ts'
import { wantedTypeProblem } from './wanted-types.ts'

test.each(['*', 'connection.*', 'report.daily', ...DEFAULT_TYPES])('%s can be asked for', (type) => {
  expect(wantedTypeProblem(type)).toBeNull()
})

test('an event that there is not is refused with those that there are', () => {
  const problem = wantedTypeProblem('connection.expired')
  expect(problem).toMatch(/^There is no event `connection\.expired`\. There are: .*connection\.expires_soon, .*connection\.\*\.$/)
  expect(problem).not.toContain('connection.refreshed')
})

test('a misspelt beginning is refused with the beginnings that there are, also of a pattern', () => {
  for (const wanted of ['conection.*', 'conection.created'])
    expect(wantedTypeProblem(wanted)).toMatch(/^No event begins with `conection\.`\. Events begin with: .*connection, .*user/)
})

test('what no webhook is told of is refused, with the reason', () => {
  expect(wantedTypeProblem('connection.refreshed')).toBe('Refreshes that go well are not sent. Leave `connection.refreshed` out.')
  for (const wanted of ['webhook.*', 'webhook.tested']) expect(wantedTypeProblem(wanted)).toMatch(/Leave `webhook\.[a-z*]+` out\.$/)
})
