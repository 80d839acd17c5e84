const DAMAGED =
  'Change nothing in the data folder, copy it as a whole, then restore the newest backup (docs/guides/backup-and-restore.md): the journal brings forward what the backup lacks.'
const CLOSED = 'Look at the owner and the mode of evergrant.db and of its folder, and at the disk below it.'
const FULL = 'Make room on its disk, and on that of temporary files.'
const TAKEN = 'Another program has evergrant.db open: end it.'

/** By SQLite's own words: from the thread of the database an error brings nothing else. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['file is not a database', DAMAGED],
  ['database disk image is malformed', DAMAGED],
  ['unable to open database file', CLOSED],
  ['attempt to write a readonly database', CLOSED],
  ['disk I/O error', CLOSED],
  ['database or disk is full', FULL],
  ['database is locked', TAKEN],
])

/** What to do when SQLite cannot use the file of the embedded database; undefined for any other error. */
export function fileRemedy(error: unknown): string | undefined {
  return error instanceof Error ? REMEDIES.get(error.message) : undefined
}
