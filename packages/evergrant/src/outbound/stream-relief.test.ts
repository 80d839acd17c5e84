import { expect, test } from 'vitest'
import { StreamRelief } from './stream-relief.ts'

const MB = 1_024 * 1_024

test('buffers are collected once for every 8 MB that was read, by whatever stream', () => {
  let collected = 0
  const relief = new StreamRelief(() => {
    collected += 1
  })
  for (let piece = 0; piece < 7; piece += 1) relief.note(MB)
  expect(collected).toBe(0)
  relief.note(MB)
  expect(collected).toBe(1)
  for (let piece = 0; piece < 16; piece += 1) relief.note(MB)
  expect(collected).toBe(3)
})
