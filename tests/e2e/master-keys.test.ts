import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { at, textAt } from '../../packages/lab/src/http.ts'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'
import { freshDatabase } from '../fresh-database.ts'

vi.setConfig({ testTimeout: 240_000 })

const { database, skip } = await freshDatabase()
afterAll(() => database?.drop())

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`

const GRANT = {
  integration: 'kept',
  owner: 'somebody',
  account: 'a',
  access_token: 'kept-token-1',
  refresh_token: 'kept-refresh-1',
  expires_at: '2099-01-01T00:00:00Z',
}

/** Starts on these keys and says what it printed; null when it came up. */
async function refusal(dataDir: string, env: Readonly<Record<string, string>>): Promise<string | null> {
  try {
    const server = await ServerProcess.start({ dataDir, env })
    // On a full machine somebody else may have its port by now, and answer for it: how the process itself ends decides.
    const { code } = await server.ended(15_000)
    return code === null || code === 0 ? null : server.output()
  } catch (error) {
    return String(error)
  }
}

describe.each([
  { store: 'the embedded database', url: '', runs: true },
  { store: `PostgreSQL${skip ?? ''}`, url: database?.url ?? '', runs: database !== null },
])('on $store', ({ url, runs }) => {
  test.skipIf(!runs)('a wrong or a missing master key stops the start with a remedy, and marks nothing (S79)', { timeout: 60_000 }, async () => {
    const right = key('k1')
    const env = (keys: string) => ({ EVERGRANT_MASTER_KEYS: keys, EVERGRANT_DATABASE_URL: url })
    const server = await ServerProcess.start({ env: env(right) })
    try {
      const api = await server.client()
      await api.post('/integrations', { provider: 'strava', slug: 'kept', name: 'Kept', client_id: 'c', client_secret: 's' })
      const made = await api.post('/connections', GRANT)
      const path = `/connections/${textAt(made, 'id')}`
      const before = (await api.get(path)).body
      await server.stop()
      const wrong = await refusal(server.dataDir, env(key('k1')))
      expect(wrong).toMatch(/Master key k1 does not open this database: it is another key under the same id.*Restore the original key/s)
      expect(wrong).toMatch(/Nothing was changed; no connection is lost/)
      expect(await refusal(server.dataDir, env(key('k2')))).toMatch(/sealed with master key k1, which is not in the keyring.*has k2.*Put that key back/s)
      if (url === '') expect(await refusal(server.dataDir, env(''))).toMatch(/not in the keyring|is gone|does not open/)
      await server.start()
      const after = (await api.get(path)).body
      expect({ ...(after as object), last_read_at: null }).toEqual({ ...(before as object), last_read_at: null })
      expect(at((await api.get(`${path}/token`)).body, 'access_token')).toBe('kept-token-1')
    } finally {
      await server.dispose()
    }
  })
})
