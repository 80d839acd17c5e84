import { expect, test } from 'vitest'
import { catalogue } from '../../providers/index.ts'
import type { ProviderRecord } from '../provider/record.ts'
import { identityIssuer } from './identity-issuer.ts'

const INTEGRATION = { id: 'int_1' } as const
const ENDPOINTS = { authorize: '', token: '', refresh: '', revoke: null, userinfo: null, issuerInCallback: false, pkce: true }

function recordOf(id: string): ProviderRecord {
  const record = catalogue.find((one) => one.id === id)
  if (record === undefined) throw new Error(`there is no record ${id}`)
  return record
}

test('an OpenID issuer vouches for its accounts, whichever integration asks', () => {
  const endpoints = { ...ENDPOINTS, issuer: 'https://id.example.com' }
  expect(identityIssuer({ record: recordOf('oidc'), endpoints }, INTEGRATION)).toBe('https://id.example.com')
})

test('a provider with fixed addresses is the same for everybody', () => {
  expect(identityIssuer({ record: recordOf('github'), endpoints: { ...ENDPOINTS, issuer: null } }, INTEGRATION)).toBe('provider:github')
})

test('where the operator chose the addresses, an account is known inside that integration alone', () => {
  const variable = catalogue.find(({ discovery, variables }) => discovery === null && Object.keys(variables).length > 0)
  expect(variable).toBeDefined()
  if (variable === undefined) return
  // Also when such a server calls itself by somebody else's name.
  expect(identityIssuer({ record: variable, endpoints: { ...ENDPOINTS, issuer: 'https://accounts.google.com' } }, INTEGRATION)).toBe('integration:int_1')
})
