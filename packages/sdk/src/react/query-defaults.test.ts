import { expect, test } from 'vitest'
import { ReconnectRequiredError, RefreshUnavailableError, SignedOutError } from '../browser/index.ts'
import { evergrantQueryDefaults } from './query-defaults.ts'
import { createWorld } from './testing/world.tsx'

const world = createWorld()
const { client } = world
const { defaultOptions, bridge } = evergrantQueryDefaults(client)
const { retry, retryDelay } = defaultOptions.queries

test('what only a person can mend is not tried again', () => {
  expect(retry(0, new SignedOutError({ code: 'session_expired', status: 401, action: 'sign_in' }))).toBe(false)
  expect(retry(0, new ReconnectRequiredError({ code: 'connection_revoked', status: 409, action: 'reconnect' }))).toBe(false)
})

test('what mends itself is tried three times more, and everything else, too', () => {
  const error = new RefreshUnavailableError({ code: 'refresh_unavailable', status: 0, action: 'wait' })
  expect([0, 1, 2, 3].map((failures) => retry(failures, error))).toEqual([true, true, true, false])
  expect(retry(0, new TypeError('network'))).toBe(true)
})

test('it waits until the time that the error names, at most 30 s, and otherwise longer each time', () => {
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString()
  const named = (ms: number): number => retryDelay(0, new RefreshUnavailableError({ code: 'x', status: 0, action: 'wait', retry_at: at(ms) }))
  expect(named(12_000)).toBeGreaterThan(11_000)
  expect([named(-5), named(600_000)]).toEqual([1_000, 30_000])
  expect([0, 1, 2].map((failures) => retryDelay(failures, new Error('x')))).toEqual([1_000, 2_000, 4_000])
})

test('queries pause while the session cannot be refreshed, and go on when it can', async () => {
  const online: boolean[] = []
  let stop: (() => void) | undefined
  bridge({
    setEventListener: (setup) => {
      stop = setup((value) => online.push(value))
    },
  })
  await client.refresh()
  expect(online.at(-1)).toBe(true)
  world.refresh = { status: 503 }
  await client.refresh({ force: true })
  await expect.poll(() => online.at(-1)).toBe(false)
  world.refresh = { status: 200 }
  await client.refresh({ force: true })
  await expect.poll(() => online.at(-1)).toBe(true)
  stop?.()
  client.dispose()
})
