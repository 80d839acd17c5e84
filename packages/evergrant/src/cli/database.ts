import { existsSync } from 'node:fs'
import { makeDataDir } from '../compose-node.ts'
import type { Config } from '../config.ts'
import { databaseFile } from '../database-file.ts'
import type { Migrations } from '../store/contract.ts'
import * as store from '../store/index.ts'
import { refuseClosedFolder, refuseForeignFolder } from './foreign-folder.ts'

/**
 * Runs `work` on the schema. A change of the embedded database takes the data lock, so a running server is never surprised. Who only looks makes nothing: where
 * no database is, a backup can be restored.
 */
export async function withMigrations<Result>(config: Config, purpose: 'read' | 'change', work: (migrations: Migrations) => Promise<Result>): Promise<Result> {
  if (config.databaseUrl !== null) return work(store.postgresMigrations(config.databaseUrl.reveal()))
  refuseClosedFolder(config)
  const path = databaseFile(config)
  if (purpose === 'read') return work(store.sqliteMigrations(existsSync(path) ? path : ':memory:'))
  refuseForeignFolder(config)
  makeDataDir(config)
  const lock = store.takeDataLock(path)
  try {
    return await work(store.sqliteMigrations(path))
  } finally {
    lock.release()
  }
}
