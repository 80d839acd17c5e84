import { type Destination, destinationOf, removeOld, type WrittenFile, writeBackupFile } from '../../backup/backup-file.ts'
import { encrypted, type Readers } from '../../backup/envelope.ts'
import { BackupReader, type ReadBackup } from '../../backup/read-backup.ts'
import { backupBytes } from '../../backup/write-backup.ts'
import type { Config } from '../../config.ts'
import type { Snapshot } from '../../core/backup/database-copy.ts'
import { databaseFile } from '../../database-file.ts'
import { openPostgresSnapshot, openSqliteSnapshot, scratchCopy } from '../../store/index.ts'
import { systemClock } from '../../system.ts'
import { refuseClosedFolder } from '../foreign-folder.ts'
import { version } from '../version.ts'
import { type KeyFinding, keyIdOf, keysAtHand, tryKeys, usage } from './key-files.ts'

interface BackupRequest {
  readonly to: string
  readonly readers: Readers
  /** Backups that stay in a folder; null: all. */
  readonly keep: number | null
}

export interface MadeBackup {
  readonly destination: Destination
  readonly written: WrittenFile
  readonly restored: ReadBackup
  readonly keys: KeyFinding
  readonly removed: readonly string[]
}

/**
 * One moment of the database as an encrypted file. Every byte is restored into a throw-away database before it is encrypted: afterwards
 * this machine cannot read it any more. What fails leaves no file.
 * @throws Fault, BackupError
 */
export async function makeBackup(config: Config, { to, readers, keep }: BackupRequest): Promise<MadeBackup> {
  if (config.databaseUrl === null) refuseClosedFolder(config)
  const destination = await destinationOf(to, systemClock.wall(), config.dataDir)
  if (keep !== null && destination.folder === null) throw usage('--keep needs a folder in --to: only backups that were named by time are removed by it.')
  const ring = await keysAtHand(config)
  const snapshot = await openSnapshot(config)
  const scratch = scratchCopy(systemClock)
  try {
    const reader = new BackupReader(scratch)
    let restored: ReadBackup | null = null
    const proven = async function* (): AsyncGenerator<Uint8Array> {
      for await (const portion of backupBytes({ snapshot, program: version(), keyIdOf })) {
        await reader.take(portion)
        yield portion
      }
      restored = await reader.finish()
    }
    const written = await writeBackupFile(destination.path, await encrypted(proven(), readers))
    if (restored === null) throw new Error('the file ended before the backup did')
    const { end }: ReadBackup = restored
    const keys = await tryKeys(scratch, end.keys, ring)
    const removed = keep === null || destination.folder === null ? [] : await removeOld(destination.folder, keep)
    return { destination, written, restored, keys, removed }
  } finally {
    await snapshot.close()
    await scratch.abandon()
  }
}

function openSnapshot(config: Config): Promise<Snapshot> {
  return config.databaseUrl === null ? openSqliteSnapshot(databaseFile(config), systemClock) : openPostgresSnapshot(config.databaseUrl.reveal())
}
