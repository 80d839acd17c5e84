import { expect, test } from 'vitest'
import { createManualTime } from '../testing/manual-time.ts'
import { StreamRelief } from './stream-relief.ts'

const MB = 1_024 * 1_024

function memory() {
  const state = { bytes: 10 * MB, collected: 0 }
  const ports = {
    bytes: () => state.bytes,
    collect: () => {
      state.collected += 1
      state.bytes = 10 * MB
    },
  }
  return { state, ports }
}

test('while a body streams, buffers that grew by more than 12 MB are collected, and again when they grow again', async () => {
  const time = createManualTime()
  const { state, ports } = memory()
  const over = new StreamRelief(time.timers, ports).begin()
  state.bytes += 13 * MB
  await time.advance(20)
  expect(state.collected).toBe(1)
  await time.advance(1_000)
  expect(state.collected).toBe(1)
  state.bytes += 13 * MB
  await time.advance(20)
  expect(state.collected).toBe(2)
  over()
})

test('nobody looks while nothing streams, and a second end of one body counts once', async () => {
  const time = createManualTime()
  const { state, ports } = memory()
  const relief = new StreamRelief(time.timers, ports)
  const first = relief.begin()
  const second = relief.begin()
  first()
  first()
  state.bytes += 13 * MB
  await time.advance(20)
  expect(state.collected).toBe(1)
  second()
  await time.advance(20)
  state.bytes += 100 * MB
  await time.advance(1_000)
  expect(state.collected).toBe(1)
})
