import { expect, test, vi } from 'vitest'
import { Told } from './told.ts'

test('what was said is not said again within its time, however much else is said, and is said again afterwards', () => {
  const told = new Told()
  expect(told.once('kept one', 0, 60_000)).toBe(true)
  for (let other = 0; other < 5_000; other += 1) expect(told.once(`kept other ${other}`, other, 1_000)).toBe(true)
  expect([told.once('kept one', 59_999, 60_000), told.once('kept one', 60_000, 60_000)]).toEqual([false, true])
})

test('however much is not to be said again yet, a new line looks through all of it only now and then', () => {
  const looks = vi.spyOn(Map.prototype, Symbol.iterator)
  const told = new Told()
  for (let line = 0; line < 20_000; line += 1) told.once(`kept ${line}`, line, 3_600_000)
  const count = looks.mock.calls.length
  looks.mockRestore()
  expect(count).toBeLessThan(10)
})

test('what lasts has lasted since it began, and a pause in between begins anew', () => {
  const told = new Told()
  expect([told.since('missed', 10, 100), told.since('missed', 100, 100), told.since('missed', 201, 100)]).toEqual([10, 10, 201])
  told.over('missed')
  expect(told.since('missed', 210, 100)).toBe(210)
})
