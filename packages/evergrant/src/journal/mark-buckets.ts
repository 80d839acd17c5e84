import { open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectionId } from '../core/ids.ts'
import type { Mark } from '../core/refresh/high-water.ts'
import { encodeMark, scanMarks } from './mark-lines.ts'

/** A million marks are about 70 MB: in 256 files, so that merging holds a few thousand of them in memory, and the event loop for milliseconds. */
export const BUCKETS = 256

/** The last characters of an id are random in every kind of it. */
function bucketOf(connection: string): number {
  return Number.parseInt(connection.slice(-2), 16) || 0
}

/** The highest mark of each connection. */
class MarkTable {
  readonly #marks = new Map<ConnectionId, Mark>()

  raise(mark: Mark): void {
    const known = this.#marks.get(mark.connection)
    if (known === undefined || known.generation <= mark.generation) this.#marks.set(mark.connection, mark)
  }

  forget(connection: ConnectionId): void {
    this.#marks.delete(connection)
  }

  marks(): readonly Mark[] {
    return [...this.#marks.values()]
  }
}

const NAME = /^[0-9a-f]{2}\.marks$/
const fileOf = (folder: string, bucket: number) => join(folder, `${bucket.toString(16).padStart(2, '0')}.marks`)

export async function readBucket(folder: string, bucket: number): Promise<MarkTable> {
  const table = new MarkTable()
  const text = await readFile(fileOf(folder, bucket), 'latin1').catch(absent)
  for (const mark of scanMarks(text).marks) table.raise(mark)
  return table
}

function absent(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
  throw error
}

/** The whole bucket or the old one, whatever happens. */
export async function writeBucket(folder: string, bucket: number, table: MarkTable): Promise<void> {
  const path = fileOf(folder, bucket)
  const handle = await open(`${path}.new`, 'w', 0o600)
  try {
    await handle.writeFile(table.marks().map(encodeMark).join(''), 'latin1')
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.new`, path)
}

export async function removeBuckets(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (NAME.test(name)) await unlink(join(folder, name))
}

export async function forgetInBuckets(folder: string, forget: ReadonlySet<ConnectionId>): Promise<void> {
  for (const bucket of new Set([...forget].map(bucketOf))) {
    const table = await readBucket(folder, bucket)
    const known = table.marks().filter(({ connection }) => forget.has(connection))
    for (const { connection } of known) table.forget(connection)
    if (known.length > 0) await writeBucket(folder, bucket, table)
  }
}

/** Bytes of all buckets. */
export async function bucketBytes(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder)) if (NAME.test(name)) bytes += (await stat(join(folder, name))).size
  return bytes
}

/** Lines of a log by the bucket of their connection, not read yet. */
export function linesByBucket(text: string): ReadonlyMap<number, readonly string[]> {
  const buckets = new Map<number, string[]>()
  let at = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
    if (text.startsWith('m ', at)) {
      const line = text.slice(at, end)
      const bucket = bucketOf(line.slice(2, line.indexOf(' ', 2)))
      const lines = buckets.get(bucket)
      if (lines === undefined) buckets.set(bucket, [line])
      else lines.push(line)
    }
    at = end + 1
  }
  return buckets
}
