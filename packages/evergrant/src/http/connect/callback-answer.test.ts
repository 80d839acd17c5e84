import { expect, test } from 'vitest'
import { parametersOf } from './callback-answer.ts'

test('every value of every name is kept, in order', () => {
  expect([...parametersOf('state=1&code=a&state=2&empty=&state=')]).toEqual([
    ['state', ['1', '2', '']],
    ['code', ['a']],
    ['empty', ['']],
  ])
})

test('an answer of nothing but one name costs no more than its length', () => {
  const took = (text: string): number => {
    const began = process.threadCpuUsage()
    parametersOf(text)
    const { user, system } = process.threadCpuUsage(began)
    return (user + system) / 1_000
  }
  took('a&'.repeat(100))
  expect(took('a&'.repeat(32_000))).toBeLessThan(400)
})
