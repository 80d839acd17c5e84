import { expect, test } from 'vitest'
import { depthOf, mergePatch } from './merge-patch.ts'

test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('RFC 7396 appendix A: %j + %j = %j', (target, patch, merged) => {
  expect(mergePatch(target, patch)).toEqual(merged)
})

test('depth is counted no further than asked', () => {
  expect([depthOf(1, 5), depthOf({}, 5), depthOf({ a: [{ b: 1 }] }, 5), depthOf({ a: { b: { c: 1 } } }, 1)]).toEqual([0, 1, 3, 2])
})
