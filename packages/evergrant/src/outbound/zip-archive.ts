import { strToU8, type Zippable, zipSync } from 'fflate'
import type { Instant } from '../core/time.ts'

export interface ArchivedFile {
  /** Inside the folder, with `/`. */
  readonly path: string
  readonly text: string
}

/** Unix, in the upper half of the attributes: a regular file that its owner alone reads. One of them holds a code. */
const OWNER_ONLY = (0o100600 << 16) >>> 0
const UNIX = 3
/** The format counts from there. */
const FIRST_DATE = Date.UTC(1980, 0, 2)

/** A zip file (PKWARE APPNOTE 6.3) with one folder at its top. */
export function packZip(name: string, files: readonly ArchivedFile[], at: Instant): Uint8Array {
  const mtime = new Date(Math.max(at, FIRST_DATE))
  const entries: Zippable = {}
  for (const { path, text } of files) entries[`${name}/${path}`] = [strToU8(text), { os: UNIX, attrs: OWNER_ONLY, mtime }]
  return zipSync(entries, { level: 6 })
}
