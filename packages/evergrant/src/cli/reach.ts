import { loadConfig } from '../config.ts'
import type { FileApi } from './api.ts'
import { remoteApi } from './api.ts'
import { isAlive, readControlFile } from './control-file.ts'
import { embeddedApi } from './embedded-api.ts'

/** Runs `work` against the running server, or, with none, against the store itself. */
export async function withApi<Result>(work: (api: FileApi) => Promise<Result>): Promise<Result> {
  const config = loadConfig({ development: false })
  const control = readControlFile(config.dataDir)
  const api = control !== undefined && isAlive(control.pid) ? remoteApi(control.url, control.key) : await embeddedApi(config)
  try {
    return await work(api)
  } finally {
    await api.close()
  }
}
