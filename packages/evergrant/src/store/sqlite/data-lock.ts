import { DatabaseSync } from 'node:sqlite'
import { Fault } from '../../core/fault/fault.ts'

/** The right to be the only process on a database file. */
export interface DataLock {
  release(): void
}

/**
 * Takes the data lock of a database file: an exclusive transaction, held open, on `<path>.lock` beside it. The kernel
 * lets go of it when the process ends, however it ends.
 * @throws Fault `store_unavailable` when another process has it
 */
export function takeDataLock(path: string): DataLock {
  const file = new DatabaseSync(`${path}.lock`, { timeout: 0 })
  try {
    file.exec('begin exclusive')
  } catch (error) {
    file.close()
    throw new Fault('store_unavailable', {
      detail: `another Evergrant process uses ${path}: stop it and try again. Several servers on one database need PostgreSQL.`,
      cause: error,
    })
  }
  let held = true
  return {
    release() {
      if (!held) return
      held = false
      file.exec('rollback')
      file.close()
    },
  }
}
