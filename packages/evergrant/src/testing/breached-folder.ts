import { createHash } from 'node:crypto'
import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** As the list has it: 40 digits, of which the first five are the name of the file. */
export function breachedHash(password: string): string {
  return createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase()
}

/** A folder of range files with these passwords and how often each was seen. A whole one has a million files, so the ranges of `asked` are there as well. */
export function breachedFolder(seen: Readonly<Record<string, number>>, asked: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'breached-'))
  const ranges = ['00000', 'FFFFF', ...[...Object.keys(seen), ...asked].map((password) => breachedHash(password).slice(0, 5))]
  for (const range of new Set(ranges)) writeFileSync(join(folder, `${range}.txt`), `${'0'.repeat(34)}A:3\r\n${'F'.repeat(34)}B:12`)
  for (const [password, count] of Object.entries(seen)) {
    const hash = breachedHash(password)
    appendFileSync(join(folder, `${hash.slice(0, 5)}.txt`), `\r\n${hash.slice(5)}:${count}`)
  }
  return folder
}
