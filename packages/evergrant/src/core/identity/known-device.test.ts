import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { testSeal } from '../../testing/seal.ts'
import { knownDevice, rememberDevice } from './known-device.ts'

const seal = testSeal()
const ports = { seal, entropy: systemEntropy }
const account = (name: string, passwordChangedAt: number | null = 1) => ({ id: `usr_${name}` as const, passwordChangedAt })

test('a browser is known to the accounts that signed in there, to five of them, and to nobody else', () => {
  let text: string | null = null
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) text = rememberDevice(text, account(name), ports)
  const device = text?.split('.')[0]
  expect(knownDevice(text, account('f'), seal)).toBe(device)
  expect(knownDevice(text, account('b'), seal)).toBe(device)
  expect(knownDevice(text, account('a'), seal)).toBeNull()
  expect(knownDevice(text, account('g'), seal)).toBeNull()
  expect((text ?? '').length).toBeLessThanOrEqual(200)
})

test('a new password makes old marks void, and signing in again renews them without another one', () => {
  const text = rememberDevice(null, account('a'), ports)
  expect(knownDevice(text, account('a', 2), seal)).toBeNull()
  expect(rememberDevice(text, account('a'), ports)).toBe(text)
})

test('a text that was made up, cut or put together is no mark of ours', () => {
  const [one, other] = [rememberDevice(null, account('a'), ports), rememberDevice(null, account('a'), ports)]
  const mixed = `${one.split('.')[0]}.${other.split('.')[1]}`
  for (const text of [null, '', 'x', mixed, one.slice(0, -1), `${one}.${'A'.repeat(200)}`, '....', `${one.slice(0, 43)}`])
    expect(knownDevice(text, account('a'), seal), String(text)).toBeNull()
})
