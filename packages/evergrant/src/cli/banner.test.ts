import { expect, test } from 'vitest'
import { banner } from './banner.ts'

test('from the sources the first start names commands that can be typed there', () => {
  const text = banner('0.1.0', {
    url: 'http://localhost:4400',
    database: 'data/evergrant.db',
    dataDir: './data',
    development: { tryUrl: 'http://localhost:4400/try', practiceUrl: 'http://127.0.0.1:4401' },
    setupUrl: 'http://localhost:4400/auth/setup#x',
  })
  expect(text).toContain('or on this machine: npm run evergrant -- users create --role owner')
  expect(text).toContain('A key for your backend: npm run evergrant -- api-keys create')
})
