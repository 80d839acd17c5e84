import { expect, test } from 'vitest'
import { deathsFinding } from './server-findings.ts'

test('held ends are a problem with the command that decides; without them there is none', () => {
  expect(deathsFinding({ slug: 'google', deaths_held: null })).toEqual([])
  const [finding] = deathsFinding({ slug: 'google', deaths_held: { deaths: 7 } })
  expect(JSON.stringify(finding)).toContain('evergrant integrations deaths google confirm')
})
