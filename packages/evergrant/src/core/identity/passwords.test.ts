import { expect, test } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { COMMON_PASSWORDS } from './common-passwords.ts'
import { checkPassword, isCommon, PASSWORD_MIN } from './passwords.ts'

const refusal = (password: string, context: readonly (string | null)[] = []): string | null => {
  try {
    checkPassword(password, context, '/password')
    return null
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    expect(error.code).toBe('password_refused')
    expect(error.details.field).toBe('/password')
    return error.message
  }
}

test('the list has more than 3,000 passwords that are long enough to be tried here (ASVS 6.2.4)', () => {
  expect([...COMMON_PASSWORDS].filter((password) => password.length >= PASSWORD_MIN).length).toBeGreaterThan(3_000)
})

test('passwords have 8 to 128 characters, counted as people see them', () => {
  expect(refusal('short42')).toContain('7 characters')
  expect(refusal('🐎🔋📎🌵🐎🔋📎')).toContain('7 characters')
  expect(refusal('🐎🔋📎🌵🐎🔋🎻📎')).toBeNull()
  expect(refusal(`${'kettle!!orbit'.repeat(9)}kettle!!orb`)).toBeNull()
  expect(refusal('kettle!!orbit'.repeat(10))).toContain('130 characters')
})

test('any characters are welcome, and no kind of them is asked for', () => {
  for (const password of ['correct kettle battery orbit', 'übermäßig viele Wörter', 'слон идёт домой рано', '昨日の電車は遅れました', 'zq8vk2mw', 'r3$7&*kdPw'])
    expect(refusal(password), password).toBeNull()
})

test('common passwords are refused in their usual disguises', () => {
  const common = [
    'password',
    'Password1',
    'P@ssw0rd!',
    'passw0rd123',
    'letmein1',
    'iloveyou',
    'Summer2024',
    'Winter2019!',
    'dragon12',
    'qwerty123',
    'Trustno1',
    'W3lcome1',
    '!!monkey!!',
    'superman99',
  ]
  for (const password of common) expect(isCommon(password), password).toBe(true)
})

test('what takes no thought is refused: repeats, rows of the keyboard, the alphabet, digits in order', () => {
  for (const password of [
    'aaaaaaaa',
    'abababab',
    '12345678',
    '87654321',
    '11112222',
    'abcdefgh',
    'qwertyuiop',
    'asdfghjkl',
    '1qaz2wsx',
    'abc123xyz',
    '123qweasd',
    'zxcvbnm1',
  ])
    expect(refusal(password), password).not.toBeNull()
})

test('a password that is little more than the address, the name or the application is refused', () => {
  const context = ['evergrant', 'Acme Travel', 'ana.kowalska@mailbox.example', 'Ana Kowalska']
  for (const password of ['kowalska1', 'Ana.Kowalska', 'ana.kowalska@mailbox.example', 'K0walska!!', 'evergrant12', 'acmetravel7', 'mailbox99'])
    expect(refusal(password, context), password).toContain('little more than')
  expect(refusal('kowalska eats green pears', context)).toBeNull()
})
