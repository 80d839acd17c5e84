import { expect, test } from 'vitest'
import { systemEntropy } from '../system.ts'
import { freshKey } from './key-file.ts'
import { type KeyProvider, unwrapEntries, wrapEntries } from './key-provider.ts'

const ENTRY = freshKey('k1', systemEntropy)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const service = (changes: Partial<KeyProvider> = {}): KeyProvider => ({
  name: 'A service',
  wrap: async (key) => `wrapped:${hex(key)}`,
  unwrap: async (text) => Buffer.from(text.slice('wrapped:'.length), 'hex'),
  ...changes,
})

test('what a service wrapped it opens again, and plain keys stand beside wrapped ones', async () => {
  const wrapped = await wrapEntries([ENTRY], service())
  expect(wrapped).toMatchObject([{ id: 'k1', wrapped: expect.stringMatching(/^wrapped:[0-9a-f]{64}$/) }])
  const keys = await unwrapEntries([...wrapped, freshKey('k2', systemEntropy)], service())
  expect(keys.map(({ id }) => id)).toEqual(['k1', 'k2'])
  const [own] = await unwrapEntries([ENTRY], null)
  expect(hex(keys[0]?.key.reveal() ?? new Uint8Array())).toBe(hex(own?.key.reveal() ?? new Uint8Array([1])))
})

test('a wrapped key without a service is refused', async () => {
  await expect(unwrapEntries([{ id: 'k1', wrapped: 'wrapped:00' }], null)).rejects.toMatchObject({ code: 'invalid_request' })
})

test('what comes out of a service and is no key is refused by name, with the remedy', async () => {
  const opening = unwrapEntries([{ id: 'k7', wrapped: 'wrapped:00' }], service())
  await expect(opening).rejects.toMatchObject({ code: 'invalid_request', details: { field: 'EVERGRANT_MASTER_KEYS' } })
  await expect(opening).rejects.toThrow(/A service unwrapped master key k7.*evergrant keys wrap/)
})

test.each([
  ['gives another key back', service({ unwrap: async () => systemEntropy.bytes(32) })],
  [
    'wraps into a text with a comma, which stands between the keys of a list',
    service({ wrap: async (key) => `wrapped:${hex(key)},`, unwrap: async (text) => Buffer.from(text.slice('wrapped:'.length, -1), 'hex') }),
  ],
])('a service that %s changes nothing: a key that does not come back is every token lost', async (_what, broken) => {
  await expect(wrapEntries([ENTRY], broken)).rejects.toThrow(/did not give master key k1 back as it was: nothing was changed/)
})
