import { expect, test } from 'vitest'
import { Secret } from '../core/seal/secret.ts'
import { systemEntropy } from '../system.ts'
import { createAesSeal, sealedWith } from './aes-seal.ts'
import type { MasterKey } from './keyring.ts'
import { LiveKeyring } from './live-keyring.ts'

const key = (id: string): MasterKey => ({ id, key: new Secret(systemEntropy.bytes(32)) })
const [k1, k2] = [key('k1'), key('k2')]
const place = { organization: '', table: 't', row: 'r', column: 'c' }
const sealOf = (keyring: LiveKeyring) => createAesSeal({ keyring, root: new Secret(systemEntropy.bytes(32)), entropy: systemEntropy })

test('which key seals changes while it runs, from the next value on', () => {
  const ring = new LiveKeyring([k2, k1], 'k1')
  const seal = sealOf(ring)
  expect(sealedWith(seal.seal('a', place))).toBe('k1')
  ring.use('k2')
  expect(sealedWith(seal.seal('a', place))).toBe('k2')
  ring.use('never')
  expect(ring.seals()).toBe('k2')
})

test('a key that was taken away seals nothing, and opens what this process still remembers', () => {
  const ring = new LiveKeyring([k1])
  const seal = sealOf(ring)
  const remembered = seal.seal('still in a cache', place)
  ring.replace([k2, k1])
  expect([ring.seals(), ring.ids()]).toEqual(['k1', ['k2', 'k1']])
  ring.replace([k2])
  expect([ring.seals(), ring.ids()]).toEqual(['k2', ['k2']])
  expect(sealedWith(seal.seal('a', place))).toBe('k2')
  expect(seal.openText(remembered, place)).toBe('still in a cache')
})

test('an id that suddenly stands for other bytes is refused, and changes nothing', () => {
  const ring = new LiveKeyring([k1])
  expect(() => ring.replace([key('k1')])).toThrow(/k1 now stands for other bytes/)
  expect(ring.find('k1')).toBe(k1)
})

test('it begins with the key that seals the root, where it has it', () => {
  expect(new LiveKeyring([k2, k1], 'k1').seals()).toBe('k1')
  expect(new LiveKeyring([k2, k1], 'gone').seals()).toBe('k2')
})
