import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { databaseFile } from '../database-file.ts'
import { keyFile } from '../seal/key-file.ts'
import { CommandFailure, EXIT } from './exit-code.ts'

interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Before a command writes into the data folder itself: what root makes there (a piece of the journal, a key file) the user of the server cannot read, and its next
 * start would fail. `user`: who runs this; undefined where users have no numbers (Windows).
 * @throws CommandFailure
 */
export function refuseForeignFolder({ dataDir }: Pick<Config, 'dataDir'>, user: number | undefined = process.getuid?.(), ownerOf = ownerOnDisk): void {
  if (user !== 0) return
  // A container whose root runs the server may have a folder of somebody else: then the files in it are root's, and nothing is wrong.
  const owner = [databaseFile({ dataDir }), keyFile(dataDir), join(dataDir, 'node-id'), dataDir].map(ownerOf).find((found) => found !== null)
  if (owner === undefined || owner === null || owner.uid === 0) return
  const { uid, gid } = owner
  const message =
    `${dataDir} belongs to user ${uid}, and you are root: what root writes there that user cannot read, and the server would not start any more. ` +
    `Run the command as that user, for example with setpriv --reuid=${uid} --regid=${gid} --clear-groups (under systemd: docs/guides/deploy/systemd.md, Commands).`
  throw new CommandFailure(EXIT.problem, message, { code: 'foreign_folder', uid, gid })
}

/**
 * Before a command looks into the data folder: one that this user may not enter looks as if nothing were in it, and no server had ever started.
 * @throws CommandFailure
 */
export function refuseClosedFolder({ dataDir }: Pick<Config, 'dataDir'>, enter = enterOnDisk): void {
  try {
    enter(dataDir)
  } catch (error) {
    // Also of a folder on the way to it, as `/var/lib/private` of systemd is.
    if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) return
    const message = `${dataDir} is closed to this user, so nothing can be said of what is in it: run the command as the user of the server.`
    throw new CommandFailure(EXIT.problem, message, { code: 'closed_folder' })
  }
}

function enterOnDisk(folder: string): void {
  if (statSync(folder).isDirectory()) accessSync(folder, constants.R_OK | constants.X_OK)
}

function ownerOnDisk(path: string): Owner | null {
  if (!existsSync(path)) return null
  const { uid, gid } = statSync(path)
  return { uid, gid }
}
