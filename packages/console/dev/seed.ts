// Fills a running development server with demo data that says so: `node packages/console/dev/seed.ts [--count 60] [--data data]`.
// Everything goes through the public API with the key of the server on this machine; nothing is written into a database.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { count: { type: 'string', default: '60' }, data: { type: 'string', default: 'data' } } })
const { url, key } = JSON.parse(readFileSync(join(values.data, 'server.json'), 'utf8')) as { readonly url: string; readonly key: string }
const HOUR = 3_600_000
const DAY = 24 * HOUR
const NAMES = ['ada', 'grace', 'alan', 'edsger', 'barbara', 'donald', 'radia', 'linus', 'margaret', 'ken', 'frances', 'tim'] as const
const INTEGRATIONS = [
  { slug: 'demo-google', name: 'Demo: Google', provider: 'google' },
  { slug: 'demo-slack', name: 'Demo: Slack', provider: 'slack' },
  { slug: 'demo-strava', name: 'Demo: Strava', provider: 'strava' },
  { slug: 'demo-hubspot', name: 'Demo: HubSpot', provider: 'hubspot' },
] as const

async function api(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const response = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: response.status === 204 ? {} : ((await response.json()) as Readonly<Record<string, unknown>>) }
}

for (const { slug, name, provider } of INTEGRATIONS) {
  const made = await api('POST', 'integrations', { slug, name, provider, client_id: 'demo-client', client_secret: 'demo-secret-of-no-one', scopes: [] })
  if (made.status >= 400 && made.status !== 409) console.error(`${slug}: ${String(made.body['detail'])}`)
}

const now = Date.now()
const rows = Array.from({ length: Number(values.count) }, (_, at) => {
  const name = NAMES[at % NAMES.length] ?? 'ada'
  // Long lives, so that nothing is asked of a real provider on behalf of nobody.
  return {
    integration: INTEGRATIONS[at % INTEGRATIONS.length]?.slug,
    owner: `demo-${name}-${Math.floor(at / NAMES.length)}`,
    account: `demo-account-${at}`,
    account_label: `${name}${at} (demo)`,
    access_token: `demo-access-${at}`,
    expires_at: new Date(now + 2 * DAY + at * 7 * HOUR).toISOString(),
    tags: at % 3 === 0 ? ['demo', 'gold'] : ['demo'],
    metadata: { demo: true },
  }
})
const imported = await api('POST', 'connections/import', rows)
console.log(
  JSON.stringify({
    imported: imported.body['imported'],
    already: imported.body['already'],
    refused: imported.body['refused'],
    status: imported.status,
    detail: imported.body['detail'],
  }),
)

const listed = (await api('GET', 'connections?limit=50&tag=gold')).body['items'] as readonly { readonly id: string }[]
for (const { id } of listed.slice(0, 3)) await api('POST', `connections/${id}/pause`)
