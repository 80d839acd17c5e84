import autocannon from 'autocannon'
import { ServerProcess } from '../packages/lab/src/server-process.ts'
import { startBareServer } from './bare-process.ts'
import { median, type Ratio } from './figures.ts'
import { withPostgres } from './postgres.ts'

const CONNECTIONS = 32
const TARGET = 0.6

/** `GET connections/{id}/token` with an API key, against a bare server that answers 300 bytes. */
export async function benchTokenRead(options: { readonly short: boolean; readonly stores: readonly ('sqlite' | 'postgres')[] }): Promise<readonly Ratio[]> {
  const shape = options.short ? { rounds: 2, seconds: 2 } : { rounds: 4, seconds: 3 }
  const bare = await startBareServer()
  const ratios: Ratio[] = []
  try {
    for (const store of options.stores) {
      const run = (databaseUrl: string | null) => sideBySide(bare.url, databaseUrl, shape)
      const figures = store === 'sqlite' ? await run(null) : await withPostgres(run)
      ratios.push({ name: `token-read ${store}`, ...figures, target: TARGET })
    }
  } finally {
    bare.stop()
  }
  return ratios
}

async function sideBySide(bareUrl: string, databaseUrl: string | null, shape: { readonly rounds: number; readonly seconds: number }) {
  const database: Readonly<Record<string, string>> =
    databaseUrl === null ? {} : { EVERGRANT_DATABASE_URL: databaseUrl, EVERGRANT_MASTER_KEYS: `k1:${Buffer.alloc(32, 'bench key 1').toString('base64')}` }
  const server = await ServerProcess.start({ env: { EVERGRANT_LOG_LEVEL: 'warn', EVERGRANT_RATE_LIMIT_PER_KEY: '10000000', ...database } })
  try {
    const { url, headers } = await importedConnection(server)
    const floors: number[] = []
    const ratios: number[] = []
    const measured: number[] = []
    for (let round = 0; round <= shape.rounds; round += 1) {
      const floor = await requestsPerSecond(`${bareUrl}/`, {}, shape.seconds)
      const read = await requestsPerSecond(url, headers, shape.seconds)
      if (round === 0) continue
      floors.push(floor)
      measured.push(read)
      ratios.push(read / floor)
    }
    return { floor: median(floors), measured: median(measured), ratio: median(ratios), cpu: null }
  } finally {
    await server.dispose()
  }
}

async function importedConnection(server: ServerProcess): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }> {
  const client = await server.client()
  const integration = await client.post('/integrations', { slug: 'bench', name: 'Bench', provider: 'google', client_id: 'bench', client_secret: 'bench' })
  if (integration.status !== 201) throw new Error(integration.text)
  const body = {
    integration: 'bench',
    owner: 'bench',
    access_token: 'ya29.0123456789abcdef0123456789abcdef',
    refresh_token: 'rt-bench',
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  }
  const imported = await client.post('/connections', body)
  if (imported.status !== 201) throw new Error(imported.text)
  const { id }: { id: string } = JSON.parse(imported.text)
  return { url: `${server.url}/api/v1/connections/${id}/token`, headers: client.headers }
}

async function requestsPerSecond(url: string, headers: Readonly<Record<string, string>>, seconds: number): Promise<number> {
  const result = await autocannon({ url, headers: { ...headers }, connections: CONNECTIONS, duration: seconds })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`)
  return result.requests.average
}
