import { fileURLToPath } from 'node:url'
import { type RunningProcess, startNode } from '../../packages/lab/src/child-process.ts'
import { freePort } from '../../packages/lab/src/free-port.ts'
import type { Grant, Peer, TokenRequest } from './peer.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

interface Program {
  readonly name: string
  readonly file: string
  readonly env: Readonly<Record<string, string>>
  readonly nodes: number
  readonly hold: (url: string, grant: Grant) => Promise<TokenRequest>
}

/** Runs a program of this folder once for each node, each on a port that it keeps over restarts. */
async function startProgram({ name, file, env, nodes, hold }: Program): Promise<Peer> {
  const ports = await Promise.all(Array.from({ length: nodes }, freePort))
  const path = fileURLToPath(new URL(file, import.meta.url))
  let running: readonly RunningProcess[] = []
  const start = async () => {
    // One after the other: the first makes the tables.
    const started: RunningProcess[] = []
    for (const port of ports) {
      const program = startNode({ args: [path], env: { NODE_ENV: 'production', PORT: String(port), ...env } })
      await program.firstJsonLine()
      started.push(program)
    }
    running = started
  }
  await start()
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  return {
    name,
    urls,
    pids: () => running.map((program) => program.pid),
    hold: (grant) => hold(urls[0] ?? '', grant),
    kill: async () => void (await Promise.all(running.map((program) => program.kill()))),
    restart: start,
    stop: async () => void (await Promise.all(running.map((program) => program.kill()))),
  }
}

type Library = 'openid-client' | 'simple-oauth2'

export function startRecipe(options: {
  readonly library: Library
  readonly lock: boolean
  readonly nodes: number
  readonly databaseUrl: string
  readonly issuer: string
}): Promise<Peer> {
  const { library, lock, nodes, databaseUrl, issuer } = options
  return startProgram({
    name: `${library}${lock ? ' + own lock' : ''}${nodes > 1 ? `, ${nodes} processes` : ''}`,
    file: './recipe-server.mjs',
    env: { DATABASE_URL: databaseUrl, ISSUER: issuer, LIBRARY: library, LOCK: lock ? '1' : '0' },
    nodes,
    hold: async (url, grant) => {
      const stored = { access_token: grant.accessToken, refresh_token: grant.refreshToken, expires_at: grant.expiresAt }
      const path = `/token?id=${grant.id}`
      await posted(`${url}${path}`, stored, {})
      return { method: 'GET', path, headers: {}, body: null }
    },
  })
}

interface BetterAuthOptions {
  readonly databaseUrl: string
  readonly issuer: string
  readonly nodes: number
  /** Tokens encrypted at rest, as ours are; off is its default. */
  readonly encrypt: boolean
  /** Sessions answered from a signed cookie instead of the database. */
  readonly cookieCache: boolean
  /** Call the library in process, without a session, instead of its own endpoint. */
  readonly direct: boolean
}

export function startBetterAuth({ databaseUrl, issuer, nodes, encrypt, cookieCache, direct }: BetterAuthOptions): Promise<Peer> {
  const how = [encrypt ? 'encrypted' : 'plain text', ...(cookieCache ? ['cookie cache'] : []), ...(direct ? ['in process'] : [])].join(', ')
  return startProgram({
    name: `better-auth (${how})${nodes > 1 ? `, ${nodes} processes` : ''}`,
    file: './better-auth-server.mjs',
    env: { DATABASE_URL: databaseUrl, ISSUER: issuer, ENCRYPT: encrypt ? '1' : '0', COOKIE_CACHE: cookieCache ? '1' : '0' },
    nodes,
    hold: (url, grant) => holdBetterAuth(url, grant, direct),
  })
}

/** A new user signs up; the grant becomes an account of that user. */
async function holdBetterAuth(url: string, grant: Grant, direct: boolean): Promise<TokenRequest> {
  const signUp = { email: `${grant.account}@example.com`, password: 'bench-password-1', name: 'Bench' }
  const signed = await posted(`${url}/api/auth/sign-up/email`, signUp, { origin: url })
  const { user }: { user: { id: string } } = JSON.parse(signed.text)
  const stored = { user: user.id, account: grant.account, access_token: grant.accessToken, refresh_token: grant.refreshToken, expires_at: grant.expiresAt }
  const account = await posted(`${url}/bench/account`, stored, {})
  const { id }: { id: string } = JSON.parse(account.text)
  if (direct) return { method: 'GET', path: '/bench/token', headers: { 'x-account': id, 'x-user': user.id }, body: null }
  const headers = { ...JSON_TYPE, origin: url, cookie: signed.cookies }
  return { method: 'POST', path: '/api/auth/get-access-token', headers, body: JSON.stringify({ accountId: id }) }
}

async function posted(url: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<{ readonly text: string; readonly cookies: string }> {
  const response = await fetch(url, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`)
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
  return { text, cookies: cookies.join('; ') }
}
