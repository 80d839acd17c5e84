import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type JsonClient, textAt } from '../../packages/lab/src/http.ts'
import { practiceRecord, type ReuseSetting } from '../../packages/lab/src/practice-record.ts'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'
import type { Grant, Peer } from './peer.ts'

interface EvergrantOptions {
  readonly databaseUrl: string
  readonly providersDir: string
  readonly practiceUrl: string
  readonly profile: string
  readonly reuse: ReuseSetting
  readonly nodes: number
  readonly name?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Our own server, in the same tests, through its own API. */
export async function startEvergrant(options: EvergrantOptions): Promise<Peer> {
  const { databaseUrl, providersDir, practiceUrl, profile, reuse, nodes } = options
  writeFileSync(join(providersDir, `practice-${profile}.json`), JSON.stringify(practiceRecord(practiceUrl, profile, reuse)))
  const env = {
    EVERGRANT_DATABASE_URL: databaseUrl,
    EVERGRANT_MASTER_KEYS: `k1:${Buffer.alloc(32, 'evergrant bench key').toString('base64')}`,
    EVERGRANT_PROVIDERS_DIR: providersDir,
    EVERGRANT_RATE_LIMIT_PER_KEY: '10000000',
    EVERGRANT_LOG_LEVEL: 'warn',
    ...options.env,
  }
  const servers: ServerProcess[] = []
  for (let node = 0; node < nodes; node += 1) servers.push(await ServerProcess.start({ env, readyMs: 120_000 }))
  const first = servers[0]
  if (first === undefined) throw new Error('at least one node')
  const api = await first.client()
  const integration = {
    provider: `practice-${profile}`,
    slug: profile,
    name: profile,
    client_id: 'practice',
    client_secret: 'practice-secret',
    scopes: ['openid'],
  }
  const made = await api.post('/integrations', integration)
  if (made.status !== 201 && made.status !== 409) throw new Error(made.text)
  return {
    name: options.name ?? `Evergrant${nodes > 1 ? `, ${nodes} processes` : ''}`,
    urls: servers.map((server) => server.url),
    pids: () => servers.map((server) => server.pid),
    hold: (grant) => hold(api, profile, grant),
    kill: async () => void (await Promise.all(servers.map((server) => server.kill()))),
    restart: async () => void (await Promise.all(servers.map((server) => server.start()))),
    stop: async () => void (await Promise.all(servers.map((server) => server.dispose()))),
  }
}

async function hold(api: JsonClient, profile: string, grant: Grant) {
  const imported = await api.post('/connections', {
    integration: profile,
    owner: grant.account,
    account: grant.account,
    access_token: grant.accessToken,
    refresh_token: grant.refreshToken,
    expires_at: grant.expiresAt,
  })
  if (imported.status !== 201) throw new Error(imported.text)
  return { method: 'GET' as const, path: `/api/v1/connections/${textAt(imported, 'id')}/token`, headers: api.headers, body: null }
}
