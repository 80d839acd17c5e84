import { expect, test } from 'vitest'
import { explore, type Model } from './explorer.ts'
import { ask, VARIANTS } from './variants.ts'

test.each(VARIANTS.map((variant) => [variant.name, variant] as const))('the model says what it must of: %s', (_, variant) => {
  expect(ask(variant).complaints).toEqual([])
})

test('a search that is cut off says so', () => {
  expect(ask(VARIANTS[0] as (typeof VARIANTS)[0], 100).complaints).toContain('not explored to the end')
})

/** Counts to `last`; from the state before the last there is no way on. */
const counter = (last: number): Model<number> => ({
  initial: 0,
  key: String,
  moves: (state) =>
    state < last - 1
      ? [
          { name: `to ${state + 1}`, next: state + 1 },
          { name: 'jump', next: last },
        ]
      : [],
})

test('the shortest way to a broken property is shown', () => {
  const below = { name: 'below three', holds: (state: number) => state < 3 }
  const found = explore(counter(9), { properties: [below], targets: [], limit: 100 })
  expect(found.broken.get('below three')).toEqual(['jump'])
})

test('a target that cannot be met is not met, and a state without a way back to rest is found', () => {
  const found = explore(counter(5), {
    properties: [],
    targets: [{ name: 'ten', holds: (state: number) => state === 10 }],
    rest: (state) => state === 5,
    limit: 100,
  })
  expect(found.reached.size).toBe(0)
  expect(found.stuckTrace).toEqual(['to 1', 'to 2', 'to 3', 'to 4'])
})
