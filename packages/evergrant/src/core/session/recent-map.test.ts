import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecentMap } from './recent-map.ts'

test('what is used stays, what is not makes room', () => {
  const map = new RecentMap<number, string>(10)
  map.set(0, 'kept')
  for (let key = 1; key <= 1_000; key += 1) {
    map.set(key, String(key))
    expect(map.get(0)).toBe('kept')
  }
  expect(map.get(1)).toBeUndefined()
  expect(map.get(1_000)).toBe('1000')
})

test('it never holds more than it may, gives back only what was set last, and forgets what is deleted', () => {
  const command = fc.record({ key: fc.nat(30), act: fc.constantFrom('set', 'get', 'delete', 'deleteWhere', 'clear') })
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300 }), fc.integer({ min: 2, max: 20 }), (commands, capacity) => {
      const map = new RecentMap<number, number>(capacity)
      const truth = new Map<number, number>()
      for (const [turn, { key, act }] of commands.entries()) {
        if (act === 'set') {
          map.set(key, turn)
          truth.set(key, turn)
        } else if (act === 'delete') {
          map.delete(key)
          truth.delete(key)
        } else if (act === 'deleteWhere') {
          map.deleteWhere((value) => value % 2 === 0)
          for (const [known, value] of truth) if (value % 2 === 0) truth.delete(known)
        } else if (act === 'clear') {
          map.clear()
          truth.clear()
        } else {
          const found = map.get(key)
          if (found !== undefined) expect(found).toBe(truth.get(key))
        }
        expect(map.size).toBeLessThanOrEqual(capacity + 1)
      }
    }),
  )
})
