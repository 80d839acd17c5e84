import { expect, test } from 'vitest'
import { missingScopes, scopesOfFlow } from './granted-scopes.ts'

const record = { authorize: { defaultScopes: ['read', 'activity:read'] } }

test("a link that says no scopes asks for those of its integration, else for the record's, and what was unticked of them is missing", () => {
  const asked = (link: readonly string[] | null, integration: readonly string[]) => scopesOfFlow({ scopes: link }, { scopes: integration }, record)
  expect(missingScopes(asked(null, []), ['read'])).toEqual(['activity:read'])
  expect(missingScopes(asked(null, ['read', 'profile:read_all']), ['read'])).toEqual(['profile:read_all'])
  expect(missingScopes(asked(['read'], ['profile:read_all']), ['read'])).toEqual([])
  expect(missingScopes(asked(null, []), null)).toEqual([])
})

test('an integration or a record that is gone leaves nothing missing', () => {
  expect(scopesOfFlow({ scopes: null }, undefined, undefined)).toEqual([])
  expect(scopesOfFlow({ scopes: ['read'] }, undefined, undefined)).toEqual(['read'])
})
