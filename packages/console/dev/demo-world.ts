// A server in the middle of its life: connections in every state, machines, keys, webhooks that are refused, alerts. Everything goes through the public API
// with the key of the server on this machine, and the grants that live are those of the practice provider beside it.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AgentMachine } from '../../evergrant/src/testing/agent-machine.ts'
import { at, JsonClient, type JsonReply, textAt } from '../../lab/src/http.ts'
import { until } from '../../lab/src/until.ts'
import type { DemoServer } from './demo-server.ts'

const LIVE = [
  'ada@analytical-engines.example',
  'grace@cobol.example',
  'alan@bletchley.example',
  'radia@spanning-trees.example',
  'edsger@paths.example',
] as const
const ENDED = ['margaret@apollo.example', 'frances@compilers.example', 'ken@plan-nine.example'] as const
const WAITING = ['barbara@substitution.example', 'donald@literate.example'] as const
const SCOPES = ['openid', 'email', 'notes:read'] as const
const SECONDS_LEFT = 3_600

/** Ids that the pages of this world are opened with. */
export interface DemoWorld {
  readonly connection: string
  readonly broken: string
  readonly paused: string
  readonly integration: string
  readonly blocked: string
  readonly agent: string
  readonly installation: string
  readonly webhook: string
  close(): void
}

export function apiOf({ data }: Pick<DemoServer, 'data'>): JsonClient {
  const { url, key } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as { readonly url: string; readonly key: string }
  return new JsonClient(`${url}/api/v1`, { authorization: `Bearer ${key}` })
}

/** Fills a server that was just started. */
export async function fillWorld(server: DemoServer): Promise<DemoWorld> {
  const api = apiOf(server)
  const receiver = createServer((_request, response) => response.writeHead(503, { 'content-type': 'text/plain' }).end('We are being deployed.'))
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const hooks = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`
  const webhook = textAt(await done(api.post('/webhooks', { name: 'Application', url: hooks, types: ['connection.*', 'integration.*'] })), 'id')
  await channels(api, webhook)
  await seeded(server)
  const grants = await connectAll(server, api)
  const programs = await machines(server, api, grants.connection)
  await keys(api)
  await until('the first alerts', async () => (at((await api.get('/alerts?state=open')).body, 'items') as readonly unknown[]).length >= 2)
  return { ...grants, ...programs, webhook, close: () => receiver.close() }
}

async function done(asked: Promise<JsonReply>): Promise<JsonReply> {
  const reply = await asked
  if (reply.status >= 400) throw new Error(`the demo data was refused: ${reply.status} ${reply.text}`)
  return reply
}

function seeded({ data }: DemoServer): Promise<void> {
  const seed = fileURLToPath(new URL('./seed.ts', import.meta.url))
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', seed, '--data', data], { stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the seed ended with ${code}`))))
  })
}

/** Grants that live at the practice provider, of which some end, wait, or meet a client secret that is wrong. */
async function connectAll(
  { practiceUrl }: DemoServer,
  api: JsonClient,
): Promise<Pick<DemoWorld, 'connection' | 'broken' | 'paused' | 'integration' | 'blocked'>> {
  const control = new JsonClient(`${practiceUrl}/control`)
  const notes = { provider: 'practice', slug: 'notes', name: 'Field Notes', client_id: 'practice', client_secret: 'practice-secret', scopes: [...SCOPES] }
  const integration = textAt(await done(api.post('/integrations', notes)), 'id')
  const crm = { ...notes, slug: 'crm', name: 'Old CRM', client_secret: 'a secret that was rotated at the provider' }
  const blocked = textAt(await done(api.post('/integrations', crm)), 'id')
  const connect = async (slug: string, account: string, seconds = SECONDS_LEFT): Promise<{ readonly id: string; readonly grant: string }> => {
    const issued = await done(control.post('/grants', { profile: 'p4', account, access_seconds: seconds }))
    const [access_token, refresh_token] = [textAt(issued, 'access_token'), textAt(issued, 'refresh_token')]
    const expires_at = new Date(Date.now() + seconds * 1_000).toISOString()
    const owner = `customer-${account.split('@')[0]}`
    const grant = { integration: slug, owner, account, account_label: account, scopes: [...SCOPES], access_token, refresh_token, expires_at }
    return { id: textAt(await done(api.post('/connections', grant)), 'id'), grant: textAt(issued, 'grant') }
  }
  const live: string[] = []
  for (const account of LIVE) live.push((await connect('notes', account)).id)
  for (const id of live) await done(api.post(`/connections/${id}/refresh`))
  for (const id of live.slice(0, 3)) await done(api.get(`/connections/${id}/token`))
  const broken: string[] = []
  for (const account of ENDED) {
    const { id, grant } = await connect('notes', account)
    broken.push(id)
    await done(control.post('/revoke', { grant }))
    await api.post(`/connections/${id}/refresh`)
  }
  const refused = await connect('crm', 'tim@hypertext.example')
  await api.post(`/connections/${refused.id}/refresh`)
  await done(control.post('/faults', { profile: 'p4', step: 'token.refresh', kind: 'status', status: 503, times: null }))
  for (const account of WAITING) await api.post(`/connections/${(await connect('notes', account, 5)).id}/refresh`)
  const paused = live[4] ?? ''
  await done(api.post(`/connections/${paused}/pause`))
  return { connection: live[0] ?? '', broken: broken[0] ?? '', paused, integration, blocked }
}

/** An agent with two machines, of which one was cut off, and one that is not accepted yet. */
async function machines({ url }: DemoServer, api: JsonClient, connection: string): Promise<Pick<DemoWorld, 'agent' | 'installation'>> {
  const people = await done(api.get('/users'))
  const owner = textAt(people, 'items.0.id')
  const made = await done(api.post('/agents', { name: 'weather-reports', owner, description: 'Writes the morning report for each customer.' }))
  const agent = textAt(made, 'id')
  await done(api.post('/agents', { name: 'invoice-importer', owner }))
  const policy = { access: ['token', 'proxy'], connections: [{ tag: 'gold' }, { integration: 'notes' }] }
  await done(api.call('PUT', `/agents/${agent}/policy`, { body: policy }))
  for (const host of ['web-1', 'web-2']) {
    const code = textAt(await done(api.post(`/agents/${agent}/enrolment-codes`, { name: host })), 'code')
    const machine = await machineAt(url)
    const answer = await machine.enrol({ code }, { hints: { host, platform: 'linux' } })
    if (answer.status !== 200) throw new Error(`the machine was not enrolled: ${answer.text}`)
    if (host === 'web-1') {
      await machine.refresh()
      for (let count = 0; count < 3; count += 1) await machine.call('GET', `/api/v1/connections/${connection}/token`)
    }
  }
  const installations = at((await done(api.get('/installations'))).body, 'items') as readonly { readonly id: string; readonly name: string }[]
  const [first, second] = [installations.at(-1)?.id ?? '', installations[0]?.id ?? '']
  await done(api.post(`/installations/${second}/cut-off`, {}))
  return { agent, installation: first }
}

function machineAt(url: string): Promise<AgentMachine> {
  return AgentMachine.make({
    publicUrl: url,
    now: () => Date.now(),
    send: async (method, path, { headers, body }) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const answer = await fetch(url + path, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...sent,
      })
      const text = await answer.text()
      return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json: text === '' ? null : JSON.parse(text) }
    },
  })
}

async function keys(api: JsonClient): Promise<void> {
  const make = async (name: string, scopes: readonly string[], days: number | null): Promise<string> => {
    const ends = days === null ? {} : { expires_at: new Date(Date.now() + days * 86_400_000).toISOString() }
    return textAt(await done(api.post('/api-keys', { name, scopes, ...ends })), 'id')
  }
  await make('Backend', ['connections:read', 'connections:write', 'tokens:read', 'connect'], null)
  await make('Nightly export', ['connections:read', 'events:read'], 90)
  const old = await make('Dashboard', ['connections:read'], null)
  await api.post(`/api-keys/${old}/rotate`, { overlap_seconds: 86_400 })
  await done(api.post('/users/invitations', { email: 'new.colleague@example.com', role: 'operator' }))
}

async function channels(api: JsonClient, webhook: string): Promise<void> {
  const quiet_hours = { from: '22:00', to: '07:00', time_zone: 'Europe/Berlin' }
  await done(api.post('/channels', { kind: 'email', name: 'On call', to: ['on-call@example.com'], quiet_hours }))
  await done(api.post('/channels', { kind: 'email', name: 'Morning letter', to: ['team@example.com', 'lead@example.com'], digest: true }))
  await done(api.post('/channels', { kind: 'webhook', name: 'Application', webhook }))
}
