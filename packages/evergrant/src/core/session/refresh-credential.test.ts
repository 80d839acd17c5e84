import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSeal } from '../../testing/seal.ts'
import type { SessionId } from '../ids.ts'
import { readRefreshCredential, refreshCredential } from './refresh-credential.ts'

const seal = testSeal()
const session: SessionId = 'ses_01980000-0000-7000-8000-000000000001'
const text = refreshCredential(session, 7, seal)

/** Counts the work that a text costs. */
function counting(): { readonly seal: { mac(purpose: string, data: string): string }; readonly macs: () => number } {
  let macs = 0
  const mac = (purpose: string, data: string) => {
    macs += 1
    return seal.mac(purpose, data)
  }
  return { seal: { mac }, macs: () => macs }
}

test('the same generation has the same bytes on every node with the key, and says what it is for', () => {
  expect(refreshCredential(session, 7, testSeal())).toBe(text)
  expect(text).toMatch(/^egr_1\.01980000-0000-7000-8000-000000000001\.7\.[A-Za-z0-9_-]{43}$/)
  expect(readRefreshCredential(text, seal)).toEqual({ session, generation: 7 })
})

test('every generation that the rule can issue is read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999_999_999 }), (generation) => {
      expect(readRefreshCredential(refreshCredential(session, generation, seal), seal)).toEqual({ session, generation })
    }),
  )
})

test('one changed character anywhere is refused (peers.md 4 row 11)', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom(...alphabet), (place, character) => {
      fc.pre(text[place] !== character)
      expect(readRefreshCredential(text.slice(0, place) + character + text.slice(place + 1), seal)).toBeNull()
    }),
    { numRuns: 2_000 },
  )
})

test('the MAC of one session, generation or purpose is none of another', () => {
  const mac = text.slice(-43)
  expect(readRefreshCredential(`egr_1.01980000-0000-7000-8000-000000000001.8.${mac}`, seal)).toBeNull()
  expect(readRefreshCredential(`egr_1.01980000-0000-7000-8000-000000000002.7.${mac}`, seal)).toBeNull()
  const other = seal.mac('connect flow', '01980000-0000-7000-8000-000000000001.7')
  expect(readRefreshCredential(`egr_1.01980000-0000-7000-8000-000000000001.7.${other}`, seal)).toBeNull()
})

test('what has not the shape costs no MAC, what has it costs one', () => {
  const { seal: counted, macs } = counting()
  const shapeless = ['', 'egr_1', 'egr_1...', text.slice(1), `${text}=`, text.replace('.7.', '.07.'), text.replace('.7.', '.0.'), text.replace('.7.', '.-7.')]
  for (const wrong of [...shapeless, text.replace('egr_1', 'egr_2'), 'x'.repeat(1_000_000), `egr_1.${'9'.repeat(100)}`, text.replace('.7.', '.1e3.')]) {
    expect(readRefreshCredential(wrong, counted)).toBeNull()
  }
  expect(macs()).toBe(0)
  expect(readRefreshCredential(text.replace('.7.', '.6.'), counted)).toBeNull()
  expect(macs()).toBe(1)
})

test('whatever somebody sends is read or refused, and never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (wrong) => readRefreshCredential(wrong, seal) === null))
})
