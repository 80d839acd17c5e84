import { Fault } from '../fault/fault.ts'
import { COMMON_PASSWORDS, COMMON_STEMS } from './common-passwords.ts'

/** Slow, memory-hard hashing of passwords. Bounded: beyond its queue it refuses with `overloaded`. */
export interface PasswordHasher {
  /** A PHC text. @throws Fault `overloaded` */
  hash(password: string): Promise<string>
  /** Costs one computation whatever is stored; null, the hash of nobody, matches nothing. @throws Fault `overloaded` */
  verify(password: string, stored: string | null): Promise<PasswordVerdict>
}

export interface PasswordVerdict {
  readonly matches: boolean
  /** Made with weaker parameters than today's: hash it again while the password is here. */
  readonly outdated: boolean
}

/** Passwords that were stolen elsewhere and made public. */
export interface BreachedPasswords {
  /** @throws Fault `password_list_unavailable`: what cannot be looked up is not taken for harmless */
  has(password: string): Promise<boolean>
}

export const PASSWORD_MIN = 8
const PASSWORD_MAX = 128
/** A password that is only this much more than a word that everybody can look up about this person is that word. */
const AROUND_CONTEXT = 4
const CONTEXT_WORD_MIN = 4

/** What is hashed and compared: composed (NFC), so that the same keys on another keyboard make the same password. */
export function normalPassword(text: string): string {
  return text.normalize('NFC')
}

/**
 * Refuses what an attacker tries first. No rule about kinds of characters: they make passwords worse (NIST SP 800-63B 3.1.1.2).
 * `context`: e-mail address, name, organization, words of the operator. @throws Fault `password_refused`
 */
export function checkPassword(text: string, context: readonly (string | null)[], field: string): void {
  const password = normalPassword(text)
  const length = [...password].length
  if (length < PASSWORD_MIN) throw refused(field, `This password has ${length} characters. Use at least ${PASSWORD_MIN}; four words are a good password.`)
  if (length > PASSWORD_MAX) throw refused(field, `This password has ${length} characters. Use at most ${PASSWORD_MAX}.`)
  if (isCommon(password)) throw refused(field, 'This password is one of those that everybody tries first. Use another; four words are a good password.')
  if (isAbout(password, context))
    throw refused(
      field,
      'This password is little more than your name, your address, the name of the application or a word that is known here. Use words that nobody connects with you.',
    )
}

/** Refuses what stands in the lists that attackers work through. @throws Fault `password_refused`, `password_list_unavailable` */
export async function checkBreached(password: string, breached: BreachedPasswords, field: string): Promise<void> {
  if (await breached.has(password))
    throw refused(
      field,
      'This password was stolen from somebody somewhere, and is in the lists that attackers try. Use another; four words are a good password.',
    )
}

function refused(field: string, detail: string): Fault {
  return new Fault('password_refused', { field, detail })
}

/** On the list, or a word of it with the usual decoration, or made of a pattern that takes no thought. */
export function isCommon(password: string): boolean {
  const lower = password.toLowerCase()
  if (COMMON_PASSWORDS.has(lower) || isPattern(lower)) return true
  const stem = lower.replace(/^[^\p{L}]{1,4}/u, '').replace(/[^\p{L}]{1,4}$/u, '')
  return [lower, stem, plainLetters(lower), plainLetters(stem)].some((text) => COMMON_PASSWORDS.has(text) || COMMON_STEMS.has(text))
}

const DISGUISES: Readonly<Record<string, string>> = { '@': 'a', '4': 'a', '3': 'e', '1': 'i', '!': 'i', '0': 'o', $: 's', '5': 's', '7': 't', '+': 't' }

function plainLetters(text: string): string {
  return [...text].map((character) => DISGUISES[character] ?? character).join('')
}

const ROWS = ['01234567890', '09876543210', 'abcdefghijklmnopqrstuvwxyz', 'zyxwvutsrqponmlkjihgfedcba', 'qwertyuiop', 'poiuytrewq', 'asdfghjkl', 'lkjhgfdsa']
const MORE_ROWS = ['zxcvbnm', 'mnbvcxz', 'qwertzuiop', 'azertyuiop', 'qsdfghjklm', '1qaz2wsx3edc4rfv5tgb6yhn', '1q2w3e4r5t6y7u8i9o0p', 'qazwsxedcrfvtgbyhn']

/** One piece repeated, or walks along the keyboard, the alphabet or the digits, and one key held down, joined together. */
function isPattern(password: string): boolean {
  for (let size = 1; size <= Math.min(4, password.length / 2); size++) {
    if (
      password ===
      password
        .slice(0, size)
        .repeat(Math.ceil(password.length / size))
        .slice(0, password.length)
    )
      return true
  }
  let rest = password
  while (rest.length > 0) {
    const walk = longestWalk(rest)
    if (walk < 3) return false
    rest = rest.slice(walk)
  }
  return true
}

function longestWalk(text: string): number {
  for (let length = text.length; length >= 3; length--) {
    const start = text.slice(0, length)
    if (start === text.charAt(0).repeat(length) || [...ROWS, ...MORE_ROWS].some((row) => row.includes(start))) return length
  }
  return 0
}

function isAbout(password: string, context: readonly (string | null)[]): boolean {
  const lower = password.toLowerCase()
  const forms = [lower, plainLetters(lower)]
  return wordsOf(context).some((word) => forms.some((form) => form.includes(word) && form.length - word.length <= AROUND_CONTEXT))
}

/** `ana.smith@example.com` gives the whole, the part before the @, and each word of it. */
function wordsOf(context: readonly (string | null)[]): string[] {
  const texts = context.filter((text) => text !== null).map((text) => text.toLowerCase().normalize('NFC'))
  const all = texts.flatMap((text) => [text, text.split('@')[0] ?? '', text.replace(/\s+/g, ''), ...text.split(/[^\p{L}\p{N}]+/u)])
  return [...new Set(all)].filter((word) => word.length >= CONTEXT_WORD_MIN)
}
