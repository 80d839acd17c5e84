import { expect, test } from 'vitest'
import { createManualTime } from '../../testing/manual-time.ts'
import { StuckWrites, untilDurable } from './durable.ts'

function ports() {
  const time = createManualTime()
  const levels: string[] = []
  const log = { info: () => {}, warn: () => levels.push('warn'), error: () => levels.push('error') }
  const stuck = new StuckWrites()
  const entropy = { bytes: (length: number) => new Uint8Array(length), uniform: () => 0.5, uuid: () => 'id' }
  return { time, levels, stuck, timers: time.timers, entropy, log, times: { commitRetryBaseMs: 50, commitRetryCapMs: 5_000 } }
}

test('a write that keeps failing is shown after a few tries, goes on being tried, and is gone from view once it is durable', async () => {
  const world = ports()
  let tries = 0
  let broken = true
  const write = untilDurable(world, 'grant', () => {
    tries += 1
    return broken ? Promise.reject(new Error('a defect')) : Promise.resolve('stored')
  })
  await world.time.advance(300)
  expect(world.stuck.kinds()).toEqual({})
  await world.time.advance(600_000)
  expect(tries).toBeGreaterThan(100)
  expect(world.stuck.kinds()).toEqual({ grant: 1 })
  expect(new Set(world.levels.slice(0, 5))).toEqual(new Set(['warn']))
  expect(world.levels.at(-1)).toBe('error')
  broken = false
  await world.time.advance(10_000)
  expect(await write).toBe('stored')
  expect(world.stuck.kinds()).toEqual({})
})

test('a database that is away for a moment shows nothing', async () => {
  const world = ports()
  let tries = 0
  const write = untilDurable(world, 'failure', () => (++tries < 3 ? Promise.reject(new Error('away')) : Promise.resolve(1)))
  await world.time.advance(1_000)
  await write
  expect([world.stuck.kinds(), world.levels]).toEqual([{}, ['warn', 'warn']])
})

test('several are counted by kind', async () => {
  const world = ports()
  for (const what of ['grant', 'grant', 'release']) void untilDurable(world, what, () => Promise.reject(new Error('a defect')))
  await world.time.advance(600_000)
  expect(world.stuck.kinds()).toEqual({ grant: 2, release: 1 })
})
