import type { Config } from '../config.ts'
import { databaseFile } from '../database-file.ts'
import { type FileApi, readAnswer, readFile } from './api.ts'
import { refuseForeignFolder } from './foreign-folder.ts'

/** The same routes in this process, over the store that nobody else has open. Nothing listens and nothing is refreshed by itself. */
export async function embeddedApi(config: Config): Promise<FileApi> {
  refuseForeignFolder(config)
  const { createEvergrant } = await import('../index.ts')
  const evergrant = await createEvergrant({ ...config, logLevel: config.logLevel === 'info' ? 'warn' : config.logLevel }, undefined, 'command')
  const { text } = evergrant.services.apiKeys.issueLocal(evergrant.organization)
  return {
    where: config.databaseUrl === null ? databaseFile(config) : 'the database of EVERGRANT_DATABASE_URL',
    async call(method, path, body) {
      const headers = { authorization: `Bearer ${text}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
      const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
      const answer = await evergrant.app.inject({ method, url: `/api/v1/${path}`, headers, ...payload })
      return readAnswer({ status: answer.statusCode, body: answer.payload })
    },
    async file(path, body) {
      const headers = { authorization: `Bearer ${text}`, 'content-type': 'application/json' }
      const answer = await evergrant.app.inject({ method: 'POST', url: `/api/v1/${path}`, headers, payload: JSON.stringify(body) })
      return readFile({ status: answer.statusCode, bytes: new Uint8Array(answer.rawPayload) })
    },
    close: () => evergrant.close(),
  }
}
