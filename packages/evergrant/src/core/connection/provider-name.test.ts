import { expect, test } from 'vitest'
import { providerNameOf } from './provider-name.ts'

test('people read the name that they know: without what tells records apart, and their own for what is only a protocol', () => {
  expect(providerNameOf({ id: 'shopify', name: 'Shopify (expiring offline tokens)' }, { name: 'Shops' })).toBe('Shopify')
  expect(providerNameOf({ id: 'strava', name: 'Strava' }, { name: 'Sports' })).toBe('Strava')
  expect(providerNameOf({ id: 'basic', name: 'User name and password (HTTP Basic)' }, { name: 'Old CRM' })).toBe('Old CRM')
  expect(providerNameOf(undefined, undefined)).toBe('the provider')
})
