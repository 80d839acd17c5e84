import { randomBytes } from 'node:crypto'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'
import { withPostgres } from '../postgres.ts'

export type Store = 'sqlite' | 'postgres'

/** A server of its own, where nobody is held back for asking often. */
export async function withServer<Result>(store: Store, work: (server: ServerProcess) => Promise<Result>): Promise<Result> {
  const run = async (database: Readonly<Record<string, string>>) => {
    const server = await ServerProcess.start({
      env: {
        EVERGRANT_LOG_LEVEL: 'warn',
        EVERGRANT_RATE_LIMIT_PER_ADDRESS: '10000000',
        EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        ...database,
      },
    })
    try {
      return await work(server)
    } finally {
      await server.dispose()
    }
  }
  return store === 'sqlite' ? await run({}) : await withPostgres((url) => run({ EVERGRANT_DATABASE_URL: url }))
}
