import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemEntropy } from './system.ts'

/** The id in the file `name` of the data folder; drawn and written when there is none. */
export function storedId(dataDir: string, name: string): string {
  const path = join(dataDir, name)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    const id = systemEntropy.uuid()
    writeFileSync(path, `${id}\n`, { mode: 0o600 })
    return id
  }
}
