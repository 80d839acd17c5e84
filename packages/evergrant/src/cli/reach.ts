import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadConfig } from '../config.ts'
import { databaseFile } from '../database-file.ts'
import type { FileApi } from './api.ts'
import { remoteApi } from './api.ts'
import { isAlive, readControlFile } from './control-file.ts'
import { embeddedApi } from './embedded-api.ts'
import { refuseClosedFolder } from './foreign-folder.ts'
import type { Output } from './output.ts'

/**
 * Runs `work` against the running server, or, with none, against the store itself. `output` hears of a database that was made on the way: whoever is in a wrong
 * folder would go away with a key that their server does not know.
 */
export async function withApi<Result>(work: (api: FileApi) => Promise<Result>, output?: Pick<Output, 'note'>): Promise<Result> {
  const config = loadConfig({ development: false })
  refuseClosedFolder(config)
  const control = readControlFile(config.dataDir)
  const runs = control !== undefined && isAlive(control.pid)
  const isNew = !runs && config.databaseUrl === null && !existsSync(databaseFile(config))
  const api = runs ? remoteApi(control.url, control.key) : await embeddedApi(config)
  try {
    const result = await work(api)
    if (isNew) output?.note(newDatabase(config.dataDir))
    return result
  } finally {
    await api.close()
  }
}

function newDatabase(dataDir: string): string {
  return `No server runs on ${resolve(dataDir)}, and no database was there: a new one was made. If your server has another data folder, name it in EVERGRANT_DATA_DIR and do this again.`
}
