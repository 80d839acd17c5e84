import { expect, test } from 'vitest'
import {
  alreadyThereLetter,
  factorLetter,
  factorsRemovedLetter,
  invitationLetter,
  passwordChangedLetter,
  resetLetter,
  signUpLetter,
  verifyLetter,
} from './letters.ts'

const SENDER = { publicUrl: 'https://evergrant.example', application: 'Acme Travel' }
const TOKEN = 'T'.repeat(43)
const TO = 'ana@example.com'

const LETTERS = [
  signUpLetter(TO, TOKEN, SENDER),
  alreadyThereLetter(TO, SENDER),
  verifyLetter(TO, TOKEN, SENDER),
  resetLetter(TO, TOKEN, SENDER),
  passwordChangedLetter(TO, SENDER),
  factorLetter(TO, 'added', 'Phone', SENDER),
  factorsRemovedLetter(TO, SENDER),
  invitationLetter(TO, TOKEN, { organization: 'Acme', role: 'operator', from: 'Ben' }, SENDER),
]

test('a token stands behind the fragment, so that no log and no scanner sees or spends it', () => {
  const links = LETTERS.flatMap(({ text }) => text.match(/https?:\S+/g) ?? [])
  expect(links.filter((link) => link.includes(TOKEN))).toEqual([
    `https://evergrant.example/auth/verify#${TOKEN}`,
    `https://evergrant.example/auth/verify#${TOKEN}`,
    `https://evergrant.example/auth/reset#${TOKEN}`,
    `https://evergrant.example/auth/invitation#${TOKEN}`,
  ])
  for (const link of links) expect(link).toMatch(/^https:\/\/evergrant\.example(\/|$)/)
})

test('every letter is short, in one piece, to one person, and says what happens when one does nothing', () => {
  for (const { to, subject, text } of LETTERS) {
    expect(to).toBe(TO)
    expect(subject.length).toBeLessThan(80)
    expect(text.split(/\s+/).length).toBeLessThan(90)
    expect(text).not.toMatch(/[<>]|undefined|null/)
  }
})

test('a name that somebody gave themselves cannot become a message of ours', () => {
  const name = 'You won!\r\nBcc: x@evil.example\nClick https://evil.example/now or www.evil.example and then read on and on and on and on'
  const { subject, text } = invitationLetter(TO, TOKEN, { organization: name, role: 'member', from: name }, SENDER)
  expect(subject).not.toMatch(/[\r\n]/)
  expect(`${subject}${text}`).not.toMatch(/https:\/\/evil|www\./)
  expect(text.split('\n')[0]?.length).toBeLessThan(200)
})
