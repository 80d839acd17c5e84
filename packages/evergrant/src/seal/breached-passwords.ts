import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../core/fault/fault.ts'
import { type BreachedPasswords, normalPassword } from '../core/identity/passwords.ts'

/** So many hexadecimal digits of a hash name its file, as in the range API of Pwned Passwords: 1,048,576 files, `00000.txt` to `FFFFF.txt`. */
const RANGE_DIGITS = 5
const ENDS = ['00000', 'FFFFF']
/** `<the other 35 digits>:<how often it was seen>`. */
const ENTRY = /^[0-9A-F]{35}:\d+\r?$/m

/**
 * A copy of Pwned Passwords that the operator keeps, read one small file at a time: nothing leaves this machine and nothing stays in memory. The hashes are
 * SHA-1 because that list is; ours find a place in it and protect nothing.
 * @throws Fault `invalid_request` when the folder is none of range files
 */
export function openBreachedPasswords(folder: string): BreachedPasswords {
  for (const range of ENDS) requireRange(folder, range)
  return {
    has: async (password) => {
      const hash = createHash('sha1').update(normalPassword(password), 'utf8').digest('hex').toUpperCase()
      const range = hash.slice(0, RANGE_DIGITS)
      const text = await readFile(fileOf(folder, range), 'latin1').catch(() => '')
      if (!ENTRY.test(text))
        throw new Fault('password_list_unavailable', {
          // Which file it is would tell twenty bits of the password to every log that keeps answers.
          detail:
            'The list of breached passwords cannot be read here: one of its files is missing, unreadable or incomplete. Try again later, and tell an administrator.',
        })
      return isIn(text, hash.slice(RANGE_DIGITS))
    },
  }
}

/** An entry that was seen 0 times is padding, and stands for no password. */
function isIn(text: string, rest: string): boolean {
  const at = text.indexOf(`${rest}:`)
  return at >= 0 && text[at + rest.length + 1] !== '0'
}

function fileOf(folder: string, range: string): string {
  return join(folder, `${range}.txt`)
}

function requireRange(folder: string, range: string): void {
  if (ENTRY.test(readOr(fileOf(folder, range), ''))) return
  throw new Fault('invalid_request', {
    field: 'EVERGRANT_BREACHED_PASSWORDS_DIR',
    detail: `EVERGRANT_BREACHED_PASSWORDS_DIR is ${folder}, and ${range}.txt there is missing, unreadable or no range of hashes: download the list as individual files (\`haveibeenpwned-downloader <folder> -s false\`), or remove the key.`,
  })
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return otherwise
  }
}
