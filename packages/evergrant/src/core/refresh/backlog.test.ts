import { expect, test } from 'vitest'
import { Backlogs } from './backlog.ts'
import { protocolTimes } from './protocol-times.ts'

const INT = 'int_1'
const MINUTE = 60_000

/** `perSecond` requests a second for half an hour; returns when it ended. */
function ordinaryDay(backlogs: Backlogs, perSecond: number): number {
  const end = 30 * MINUTE
  for (let at = 0; at < end; at += 1_000 / perSecond) backlogs.sent(INT, at)
  return end
}

/** What a worker that asks every second is given. */
function releases(backlogs: Backlogs, from: number, seconds: number): number {
  let released = 0
  for (let second = 1; second <= seconds; second += 1) {
    const now = from + second * 1_000
    const allowed = backlogs.allowance(INT, now)
    for (let one = 0; one < allowed; one += 1) backlogs.sent(INT, now)
    released += allowed
  }
  return released
}

test('an integration without trouble has no backlog', () => {
  const backlogs = new Backlogs(protocolTimes())
  ordinaryDay(backlogs, 10)
  expect(backlogs.integrations).toEqual([])
  expect(backlogs.allowance(INT, 30 * MINUTE)).toBe(0)
})

test('closed gives nothing, open again gives one at a time until one is served', () => {
  const backlogs = new Backlogs(protocolTimes())
  const end = ordinaryDay(backlogs, 10)
  backlogs.closed(INT, end + 5_000, end)
  expect([end, end + 4_999, end + 5_000, end + 60_000].map((now) => backlogs.allowance(INT, now))).toEqual([0, 0, 1, 1])
})

test('a backlog leaves at twice the normal rate, whatever happened in the outage and after it', () => {
  const backlogs = new Backlogs(protocolTimes())
  const end = ordinaryDay(backlogs, 10)
  backlogs.closed(INT, end + 60 * MINUTE, end)
  for (let probe = 0; probe < 60; probe += 1) backlogs.sent(INT, end + probe * MINUTE)
  const open = end + 61 * MINUTE
  backlogs.served(INT, open)
  const released = releases(backlogs, open, 600)
  expect(released).toBeGreaterThan(11_000)
  expect(released).toBeLessThanOrEqual(12_100)
})

test('callers who are served meanwhile count: the background gives way', () => {
  const backlogs = new Backlogs(protocolTimes())
  const end = ordinaryDay(backlogs, 10)
  backlogs.closed(INT, end, end)
  backlogs.served(INT, end)
  for (let caller = 0; caller < 15; caller += 1) backlogs.sent(INT, end)
  expect(backlogs.allowance(INT, end + 500)).toBe(0)
  expect(releases(backlogs, end, 10)).toBeLessThanOrEqual(200 - 15)
})

test('after an outage, where nothing is known of the normal rate, it starts with ten a second and doubles by the minute', () => {
  const backlogs = new Backlogs(protocolTimes())
  backlogs.released(INT, 0)
  expect(releases(backlogs, 0, 59)).toBeLessThanOrEqual(600)
  const second = releases(backlogs, 59_000, 60)
  expect(second).toBeGreaterThan(900)
  expect(second).toBeLessThanOrEqual(1_250)
})

test('a hundred thousand that wait after an outage are gone within 25 minutes, with a normal rate of 38 a second and with none', () => {
  for (const normal of [38, null]) {
    const backlogs = new Backlogs(protocolTimes())
    const end = normal === null ? 0 : ordinaryDay(backlogs, normal)
    backlogs.closed(INT, end + 60 * MINUTE, end)
    backlogs.served(INT, end + 60 * MINUTE)
    expect(releases(backlogs, end + 60 * MINUTE, 25 * 60)).toBeGreaterThanOrEqual(100_000)
  }
})

test('a line that is only long is not paced, until the integration is closed', () => {
  const backlogs = new Backlogs(protocolTimes())
  const end = ordinaryDay(backlogs, 10)
  backlogs.waiting(INT, end)
  expect(backlogs.allowance(INT, end)).toBe(Number.POSITIVE_INFINITY)
  backlogs.closed(INT, end + 1_000, end)
  expect(backlogs.allowance(INT, end)).toBe(0)
  backlogs.served(INT, end + 2_000)
  expect(releases(backlogs, end + 2_000, 10)).toBeLessThanOrEqual(220)
})

test('an empty backlog is forgotten, and the ordinary day goes on where it stopped', () => {
  const backlogs = new Backlogs(protocolTimes())
  const end = ordinaryDay(backlogs, 10)
  backlogs.closed(INT, end + 1, end)
  backlogs.emptied(INT, end)
  expect(backlogs.integrations).toEqual([INT])
  backlogs.served(INT, end + 10_000)
  backlogs.emptied(INT, end + 60 * MINUTE)
  expect(backlogs.integrations).toEqual([])
  backlogs.released(INT, end + 60 * MINUTE)
  expect(releases(backlogs, end + 60 * MINUTE, 100)).toBeGreaterThan(1_800)
})

test('an integration whose connections have endpoints of their own is not closed by one of them', () => {
  const backlogs = new Backlogs(protocolTimes())
  expect(backlogs.onlyEndpoint(INT, 'a')).toBe(true)
  expect(backlogs.onlyEndpoint(INT, 'b')).toBe(false)
  expect(backlogs.onlyEndpoint(INT, 'a')).toBe(false)
})

test('an integration is closed until its time, and no longer once what closed it is over', () => {
  const backlogs = new Backlogs(protocolTimes())
  expect(backlogs.isClosed(INT, 0)).toBe(false)
  backlogs.reopened(INT)
  backlogs.closed(INT, 5_000, 0)
  expect([4_999, 5_000].map((now) => backlogs.isClosed(INT, now))).toEqual([true, false])
  backlogs.reopened(INT)
  expect(backlogs.isClosed(INT, 1)).toBe(false)
  expect(backlogs.integrations).toEqual([INT])
})

test('an endpoint is the only one until another is seen, and then for good', () => {
  const backlogs = new Backlogs(protocolTimes())
  expect(['a', 'a', 'b', 'b', 'a'].map((endpoint) => backlogs.onlyEndpoint(INT, endpoint))).toEqual([true, true, false, false, false])
})

test('nothing that is closed is emptied', () => {
  const backlogs = new Backlogs(protocolTimes())
  backlogs.closed(INT, 5_000, 0)
  backlogs.emptied(INT, 4_999)
  expect(backlogs.integrations).toEqual([INT])
  backlogs.emptied(INT, 5_000)
  expect(backlogs.integrations).toEqual([])
})
