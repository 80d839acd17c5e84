import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { at, JsonClient, type JsonReply, textAt } from '../../packages/lab/src/http.ts'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'
import { freshDatabase } from '../fresh-database.ts'
import { type Leak, type LeakyProvider, leakyRecord, startLeakyProvider } from './leaky-provider.ts'
import { SecretSearch } from './secret-search.ts'

const RETURN_URL = 'https://app.example.com/connected'
const { database, skip } = await freshDatabase()
const random = () => randomBytes(30).toString('base64')

/** A server whose every answer is kept, with a provider that repeats secrets in its errors. */
interface Scene {
  readonly search: SecretSearch
  readonly provider: LeakyProvider
  readonly server: ServerProcess
  readonly api: JsonClient
  /** Everything that is no token answer: problems, listings, pages, command output. */
  readonly said: Map<string, string>
}

const STORES = [
  { store: 'the embedded database', absent: false, why: '', url: null },
  { store: 'PostgreSQL', absent: database === null, why: skip ?? '', url: database?.url ?? null },
]

for (const { store, absent, why, url } of STORES) {
  test.skipIf(absent)(`no planted secret is found outside the token answers: ${store}${why}`, { timeout: 120_000 }, () => playAndSearch(url))
}

async function playAndSearch(url: string | null): Promise<void> {
  const providersDir = mkdtempSync(join(tmpdir(), 'evergrant-lab-providers-'))
  const search = new SecretSearch()
  const provider = await startLeakyProvider(search)
  writeFileSync(join(providersDir, 'leaky.json'), JSON.stringify(leakyRecord(provider.url)))
  const masterKey = search.plant('master key', randomBytes(32).toString('base64'))
  const env = {
    EVERGRANT_LOG_LEVEL: 'debug',
    EVERGRANT_PROVIDERS_DIR: providersDir,
    EVERGRANT_MASTER_KEYS: `k1:${masterKey}`,
    // Fifty times faster an answer would have 300 ms, and the provider is in this process, which a busy machine may stop for longer.
    EVERGRANT_DANGEROUS_TIME_SCALE: '5',
    ...(url === null ? {} : { EVERGRANT_DATABASE_URL: url }),
  }
  const server = await ServerProcess.start({ env })
  try {
    const api = await server.client()
    search.plant('API key', (api.headers['authorization'] ?? '').replace('Bearer egk_', ''))
    const scene: Scene = { search, provider, server, api, said: new Map() }
    for (const slug of ['leaky', 'crash', ...LEAKS.map(slugOf)]) await integrate(scene, slug)
    await connectByHand(scene)
    await importedAndRefused(scene)
    await crash(scene)
    await commands(scene)
    await failingStart(scene, env)
    await listings(scene)
    await searched(scene, url)
  } finally {
    await server.dispose()
    await provider.close()
    rmSync(providersDir, { recursive: true, force: true })
    if (url !== null) await database?.drop()
  }
}

/** What a refresh says to each bad answer: proof that the answer was really heard. */
const HEARD = {
  grant: null,
  html: 'provider_unavailable',
  oauth_error: 'connection_revoked',
  json_500: 'provider_unavailable',
  invalid_client: 'client_rejected',
  ok_with_error: 'outcome_unknown',
  rate_limited: 'provider_rate_limited',
} as const
const LEAKS = Object.keys(HEARD) as readonly (keyof typeof HEARD)[]

const slugOf = (leak: string): string => `leaky-${leak.replaceAll('_', '-')}`

/** One integration for each bad answer: what one does to its integration must not keep the others from being asked. */
async function integrate({ api, search, said }: Scene, slug: string): Promise<void> {
  const secret = search.plant('client secret', random())
  const made = await api.post('/integrations', {
    provider: 'leaky',
    slug,
    name: slug,
    client_id: 'the-client',
    client_secret: secret,
    scopes: ['read'],
    settings: { return_urls: [RETURN_URL] },
  })
  expect(made.status, made.text).toBe(201)
  said.set(`integration ${slug}`, made.text)
  const key = await api.post('/api-keys', { name: `planted-${slug}`, scopes: ['tokens:read'] })
  search.plant('second API key', textAt(key, 'key').replace('egk_', ''))
}

/** A browser's way through the flow, once refused by the provider and once granted. */
async function connectByHand(scene: Scene): Promise<void> {
  const { api, provider, search, said } = scene
  const run = async (leak: Leak): Promise<URL> => {
    const made = await api.post('/connect/sessions', { integration: 'leaky', owner: `owner-${leak}`, return_url: RETURN_URL })
    expect(made.status, made.text).toBe(201)
    const link = new URL(textAt(made, 'url'))
    search.plant('connect link', link.pathname.split('/').at(-1) ?? '')
    const visitor = new Visitor(scene, link.origin)
    const authorize = new URL((await visitor.request('POST', link.pathname)) ?? '')
    const state = search.plant('state', authorize.searchParams.get('state') ?? '')
    const code = search.plant('authorization code', random())
    provider.leak = leak
    return visitor.follow(`/connect/callback/leaky?${new URLSearchParams({ code, state })}`)
  }
  for (const leak of ['oauth_error', 'html', 'invalid_client'] as const) expect((await run(leak)).href).not.toContain(`${RETURN_URL}?session`)
  const done = await run('grant')
  expect(done.href).toContain(RETURN_URL)
  const proof = { session: done.searchParams.get('session'), code: search.plant('completion code', done.searchParams.get('code') ?? '') }
  const completed = await api.post('/connect/complete', { ...proof, owner: 'owner-grant' })
  expect(completed.status, completed.text).toBe(200)
  said.set('connect/complete', completed.text)
  const again = await api.post('/connect/complete', { ...proof, code: `${proof.code}x`, owner: 'owner-grant' })
  said.set('connect/complete refused', again.text)
}

class Visitor {
  readonly #scene: Scene
  readonly #origin: string
  #cookie = ''

  constructor(scene: Scene, origin: string) {
    this.#scene = scene
    this.#origin = origin
  }

  /** Answers where it is sent next. */
  async request(method: string, path: string): Promise<string | null> {
    const manners = method === 'POST' ? { 'sec-fetch-site': 'same-origin', origin: this.#origin, 'content-type': 'application/x-www-form-urlencoded' } : {}
    const cookie: Record<string, string> = this.#cookie === '' ? {} : { cookie: this.#cookie }
    const answer = await fetch(this.#origin + path, {
      method,
      redirect: 'manual',
      headers: { ...manners, ...cookie },
      ...(method === 'POST' ? { body: '' } : {}),
    })
    const set = answer.headers.getSetCookie()[0]?.split(';')[0]
    if (set !== undefined) this.#cookie = this.#scene.search.plant('browser cookie', set.slice(set.indexOf('=') + 1)) && set
    const page = await answer.text()
    if (method === 'GET') this.#scene.said.set(`page ${this.#scene.said.size}`, page)
    return answer.headers.get('location')
  }

  async follow(path: string): Promise<URL> {
    let here = path
    for (;;) {
      const next = await this.request('GET', here)
      if (next === null || !next.startsWith('/')) return new URL(next ?? here, this.#origin)
      here = next
    }
  }
}

/** Every way in which a provider can hand our own secrets back to us. */
async function importedAndRefused(scene: Scene): Promise<void> {
  const { api, provider, search, said } = scene
  for (const leak of LEAKS) {
    provider.leak = leak
    const tokens = { access_token: search.plant('imported access token', random()), refresh_token: search.plant('imported refresh token', random()) }
    const body = { integration: slugOf(leak), owner: leak, account: leak, ...tokens, expires_at: new Date(Date.now() + 3_600_000).toISOString() }
    const made = await api.post('/connections', body)
    expect(made.status, made.text).toBe(201)
    said.set(`imported ${leak}`, made.text)
    said.set(`imported twice ${leak}`, (await api.post('/connections', body)).text)
    said.set(`import with a mistake ${leak}`, (await api.post('/connections', { ...body, expires_at: tokens.access_token })).text)
    const id = textAt(made, 'id')
    const refreshed = await api.post(`/connections/${id}/refresh`)
    expect(at(refreshed.body, 'code') ?? null, refreshed.text).toBe(HEARD[leak])
    said.set(`refresh ${leak}`, refreshed.text)
    if (refreshed.status === 200) expect(search.find('a token answer', (await api.get(`/connections/${id}/token`)).text)).not.toEqual([])
    said.set(`proxy ${leak}`, (await api.get(`/proxy/${id}/elsewhere`)).text)
    said.set(`shown ${leak}`, (await api.get(`/connections/${id}`)).text)
    said.set(`disconnect ${leak}`, (await api.post(`/connections/${id}/disconnect`)).text)
  }
  const foreign = new JsonClient(`${scene.server.url}/api/v1`, { authorization: `Bearer ${search.plant('unknown key', `egk_${random()}`)}` })
  said.set('unknown key', (await foreign.get('/connections')).text)
}

async function crash({ api, provider, search, server, said }: Scene): Promise<void> {
  const tokens = { access_token: search.plant('access token of a crash', random()), refresh_token: search.plant('refresh token of a crash', random()) }
  provider.leak = 'hang'
  const made = await api.post('/connections', { integration: 'crash', owner: 'crash', account: 'crash', ...tokens, expires_at: null })
  expect(made.status, made.text).toBe(201)
  const pending = api.post(`/connections/${textAt(made, 'id')}/refresh`).catch(() => null)
  await expect.poll(() => provider.hanging(), { timeout: 10_000 }).toBeGreaterThan(0)
  await server.kill()
  await pending
  provider.leak = 'json_500'
  await server.start()
  said.set('after the crash', (await api.get(`/connections/${textAt(made, 'id')}`)).text)
}

async function commands({ server, said }: Scene): Promise<void> {
  for (const line of [
    'doctor --json',
    'connections list --json',
    'integrations list --json',
    'api-keys list --json',
    'connections list',
    'integrations list',
  ]) {
    said.set(`evergrant ${line}`, (await server.cli(line.split(' '))).output)
  }
}

async function failingStart({ search, said, server }: Scene, env: Readonly<Record<string, string>>): Promise<void> {
  const password = search.plant('database password', randomBytes(24).toString('hex'))
  const starts: Record<string, Record<string, string>> = {
    'another key': { ...env, EVERGRANT_MASTER_KEYS: `k1:${search.plant('wrong key', randomBytes(32).toString('base64'))}` },
    'a damaged key': { ...env, EVERGRANT_MASTER_KEYS: `k1:${search.plant('damaged key', random())}!` },
    'no database': { ...env, EVERGRANT_DATABASE_URL: `postgres://evergrant:${password}@127.0.0.1:1/none` },
  }
  for (const [why, changed] of Object.entries(starts)) {
    // The embedded database takes one server at a time.
    await server.stop()
    const started = await ServerProcess.start({ dataDir: server.dataDir, env: changed, readyMs: 8_000 }).then(
      () => 'it started',
      (error: unknown) => String(error),
    )
    expect(started, why).toContain('it printed')
    said.set(`a start with ${why}`, started)
    await server.start()
  }
}

async function listings({ api, said }: Scene): Promise<void> {
  for (const path of ['/connections?limit=100', '/integrations', '/api-keys', '/providers']) said.set(path, (await api.get(path)).text)
  let cursor: unknown = ''
  for (let page = 1; typeof cursor === 'string'; page += 1) {
    const events: JsonReply = await api.get(`/events?limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    expect(events.status, events.text).toBe(200)
    said.set(`events, page ${page}`, events.text)
    cursor = at(events.body, 'cursor')
  }
}

async function searched({ search, server, said }: Scene, url: string | null): Promise<void> {
  const found: string[] = []
  for (const [where, text] of said) found.push(...search.find(where, text))
  found.push(...search.find('the output of the server', server.output()))
  const live = search.findInFiles(server.dataDir)
  found.push(...live.found)
  expect(live.files.some((file) => file.includes('journal'))).toBe(true)
  if (url === null)
    expect(live.files.map((file) => file.slice(server.dataDir.length + 1))).toEqual(expect.arrayContaining(['evergrant.db', 'evergrant.db-wal']))
  else found.push(...(await inTables(url, search)))
  expect(found).toEqual([])
  expect(search.size).toBeGreaterThan(30)
  expect(server.output().length + said.size).toBeGreaterThan(1_000)
  // The same search finds what is there.
  const canary = join(server.dataDir, 'canary')
  writeFileSync(canary, `x${Buffer.from(`user:${search.plant('canary', random())}`).toString('base64')}`)
  expect(search.findInFiles(server.dataDir).found).toEqual(['canary in canary'])
}

async function inTables(url: string, search: SecretSearch): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const tables = await client.query("select quote_ident(tablename) as name from pg_tables where schemaname = 'public'")
    expect(tables.rows.length).toBeGreaterThan(8)
    const found: string[] = []
    for (const { name } of tables.rows) {
      const { rows } = await client.query(`select * from ${name}`)
      for (const row of rows) {
        for (const [column, value] of Object.entries(row)) {
          const content = value instanceof Uint8Array ? value : typeof value === 'string' ? value : JSON.stringify(value)
          found.push(...search.find(`${name}.${column}`, content ?? ''))
        }
      }
    }
    return found
  } finally {
    await client.end()
  }
}

test('the search finds a value in every spelling and every piece of twelve characters, and nothing else', () => {
  const search = new SecretSearch()
  const secret = search.plant('value', `${random()}"\\%`)
  const spelled = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify({ secret }),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`ab${secret}`).toString('base64url'),
    Buffer.from(secret).toString('hex'),
    `cut ${secret.slice(7, 19)} off`,
  ]
  for (const text of spelled) expect(search.find('here', text), text.length.toString()).toEqual(['value in here'])
  expect(search.find('bytes', Buffer.concat([Buffer.alloc(50), Buffer.from(secret)]))).toEqual(['value in bytes'])
  expect(search.find('elsewhere', `${secret.slice(0, 11)} ${random()}`)).toEqual([])
})
