import type { Seal } from '../seal/seal.ts'
import type { Entropy } from '../time.ts'

/** Without letters that are taken for others (Crockford's base 32). */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const RECOVERY_CODES = 10
/** 26 characters, 130 random bits (S61): they may be stored as a plain hash. */
const LENGTH = 26
const GROUP = 7

interface NewRecoveryCodes {
  /** Shown once, in groups. */
  readonly codes: readonly string[]
  readonly hashes: readonly string[]
}

export function newRecoveryCodes({ entropy, seal }: { readonly entropy: Entropy; readonly seal: Pick<Seal, 'digest'> }): NewRecoveryCodes {
  const plain = Array.from({ length: RECOVERY_CODES }, () => [...entropy.bytes(LENGTH)].map((byte) => ALPHABET[byte & 31] ?? '').join(''))
  return { codes: plain.map(grouped), hashes: plain.map((code) => seal.digest(code)) }
}

/** What a person typed, as it was made: case, spaces and dashes do not count, and `o`, `i`, `l` are what they look like. */
export function readRecoveryCode(text: string): string | null {
  const plain = text.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')
  return plain.length === LENGTH && [...plain].every((character) => ALPHABET.includes(character)) ? plain : null
}

function grouped(code: string): string {
  return code.match(new RegExp(`.{1,${GROUP}}`, 'g'))?.join('-') ?? code
}
