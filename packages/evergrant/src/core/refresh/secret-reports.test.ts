import { expect, test } from 'vitest'
import { HOUR, MINUTE } from '../time.ts'
import { countsFrom, newDoubt, SEEN_BY_PROXY, worthOf } from './secret-reports.ts'

const AT = Date.parse('2026-11-21T12:00:00Z')

test.each([
  ['a first report', null, 'key-1', 0, 'first'],
  ['the same caller, for hours', 'key-1', 'key-1', 9 * HOUR, 'again'],
  ['another caller in the same moment', 'key-1', 'key-2', 10 * MINUTE - 1, 'again'],
  ['another caller ten minutes later', 'key-1', 'key-2', 10 * MINUTE, 'agreed'],
  ['the proxy after a caller', 'key-1', SEEN_BY_PROXY, 10 * MINUTE, 'agreed'],
  ['a caller after the proxy', SEEN_BY_PROXY, 'key-1', 10 * MINUTE, 'agreed'],
  ['the proxy twice', SEEN_BY_PROXY, SEEN_BY_PROXY, 10 * MINUTE, 'agreed'],
  ['the proxy twice in the same moment', SEEN_BY_PROXY, SEEN_BY_PROXY, MINUTE, 'again'],
] as const)('%s', (_, before, reporter, laterMs, worth) => {
  const doubt = before === null ? null : newDoubt(before, AT)
  expect(worthOf(doubt, reporter, AT + laterMs)).toBe(worth)
  if (doubt !== null) expect(AT + laterMs >= countsFrom(doubt)).toBe(laterMs >= 10 * MINUTE)
})
