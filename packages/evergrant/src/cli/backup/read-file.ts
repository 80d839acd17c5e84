import { openBackupFile } from '../../backup/backup-file.ts'
import { decrypted, type Opener } from '../../backup/envelope.ts'
import { type ReadBackup, readBackup } from '../../backup/read-backup.ts'
import { restoredTrust } from '../../backup/restored-trust.ts'
import { makeDataDir } from '../../compose-node.ts'
import { embeddedHome } from '../../compose-trust.ts'
import type { Config } from '../../config.ts'
import type { DatabaseCopy, Declaration } from '../../core/backup/database-copy.ts'
import { newId } from '../../core/ids.ts'
import { databaseFile } from '../../database-file.ts'
import { postgresCopyAt, scratchCopy, sqliteCopyAt } from '../../store/index.ts'
import { systemClock, systemEntropy } from '../../system.ts'
import { refuseClosedFolder, refuseForeignFolder } from '../foreign-folder.ts'
import { type KeyFinding, keysAtHand, tryKeys } from './key-files.ts'

export interface CheckedBackup {
  readonly restored: ReadBackup
  readonly keys: KeyFinding
}

/** Restores a backup into a throw-away database. @throws BackupError with what is wrong with it */
export async function checkBackup(config: Config, path: string, opener: Opener): Promise<CheckedBackup> {
  const scratch = scratchCopy(systemClock)
  try {
    return await readInto(scratch, config, path, opener)
  } finally {
    await scratch.abandon()
  }
}

interface RestoredDatabase extends CheckedBackup {
  /** What it now says of itself; null: it never served. */
  readonly declared: Omit<Declaration, 'event'> | null
}

/**
 * Restores a backup into the database of this configuration, which must not exist yet (embedded) or be empty (PostgreSQL). Nobody sees
 * any of it before all of it is there and checked.
 * @throws BackupError, Fault
 */
export async function restoreBackup(config: Config, path: string, opener: Opener): Promise<RestoredDatabase> {
  const copy = await copyInPlace(config)
  try {
    const checked = await readInto(copy, config, path, opener)
    const declared = restoredTrust(checked.restored.header, await copy.home())
    await copy.commit(declared === null ? null : { ...declared, event: newId('evt', systemEntropy) })
    return { ...checked, declared }
  } finally {
    await copy.abandon()
  }
}

function copyInPlace(config: Config): DatabaseCopy | Promise<DatabaseCopy> {
  if (config.databaseUrl !== null) return postgresCopyAt(config.databaseUrl.reveal())
  refuseClosedFolder(config)
  refuseForeignFolder(config)
  makeDataDir(config)
  return sqliteCopyAt(databaseFile(config), () => embeddedHome(config), systemClock)
}

async function readInto(copy: DatabaseCopy, config: Config, path: string, opener: Opener): Promise<CheckedBackup> {
  const ring = await keysAtHand(config)
  const { head, bytes } = await openBackupFile(path)
  const restored = await readBackup(decrypted(bytes, head, opener), copy)
  return { restored, keys: await tryKeys(copy, restored.end.keys, ring) }
}
