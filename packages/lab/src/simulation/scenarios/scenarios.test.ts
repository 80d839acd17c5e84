import { describe, test } from 'vitest'
import { scenarios } from './index.ts'

describe.each(scenarios)('$name ($id)', ({ stores, run }) => {
  test.each([...(stores ?? ['maps'])])('on %s', (store) => run(store === 'sql' ? 'sql' : 'maps'))
})
