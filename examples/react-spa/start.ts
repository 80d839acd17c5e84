// npm run example: Evergrant with its practice provider, somebody who can sign in, the built page, and the application's API.
// Ports: --port (the application, 4500) and --evergrant-port (4400). Data: --data (data/ in this folder).
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'vite'
import { startApi } from './api/server.ts'

const CLI = fileURLToPath(new URL('../../packages/evergrant/src/cli/main.ts', import.meta.url))
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const PERSON = { email: 'ana@example.com', name: 'Ana', password: 'a quiet walk by the river' }
const INTEGRATION = 'field-notes'
const READY_MS = 60_000
const POLL_MS = 100

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4500' },
    'evergrant-port': { type: 'string', default: '4400' },
    data: { type: 'string', default: here('data') },
  },
})
const appUrl = `http://localhost:${values.port}`
const evergrantUrl = `http://localhost:${values['evergrant-port']}`
const env = {
  ...process.env,
  EVERGRANT_PORT: values['evergrant-port'],
  EVERGRANT_DATA_DIR: values.data,
  // The page is served from another origin than Evergrant, so Evergrant must know it.
  EVERGRANT_ALLOWED_ORIGINS: appUrl,
  EVERGRANT_LOG_LEVEL: 'warn',
}

const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, 'serve', '--development'], {
  env,
  stdio: ['ignore', 'ignore', 'inherit'],
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(0))
const notStarted = (): void => void stop(1)
server.once('exit', notStarted)
await ready(server)
await build({ configFile: here('vite.config.ts'), logLevel: 'warn' })
await somebodyToSignIn()
await somethingToConnect()
const api = await startApi({ port: Number(values.port), evergrantUrl, integration: INTEGRATION, pages: here('dist') })
// From here on the page stays without it, so that one can see what it says then.
server.off('exit', notStarted)
server.once('exit', () => console.log('Evergrant has ended, Field Notes goes on. Ctrl+C ends it, too; the same command starts both again, on the same data.'))
console.log(`Field Notes is at ${api.url}\nSign in as ${PERSON.email} with the password: ${PERSON.password}\nEvergrant is the process ${server.pid}`)
console.log(JSON.stringify({ url: api.url, evergrantUrl, evergrantPid: server.pid, email: PERSON.email, password: PERSON.password }))

async function ready(running: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_MS
  while (running.exitCode === null && performance.now() < deadline) {
    const answered = await fetch(`${evergrantUrl}/health/ready`).catch(() => null)
    if (answered?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error('Evergrant did not start; its words are above.')
}

/** Through the command line, as an operator would. Again and again is fine. */
async function somebodyToSignIn(): Promise<void> {
  const { email, name, password } = PERSON
  if ((await cli(['users', 'list'])).includes(email)) return
  await cli(['users', 'create', '--email', email, '--name', name, '--role', 'member', '--password-stdin'], password)
}

/** An integration with the practice provider, which may send people back to this application. */
async function somethingToConnect(): Promise<void> {
  const key = /"key":\s*"([^"]+)"/.exec(
    await cli(['api-keys', 'create', '--name', 'example', '--json', '--scope', 'integrations:read', 'integrations:write']),
  )?.[1]
  const made = await fetch(`${evergrantUrl}/api/v1/integrations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      slug: INTEGRATION,
      name: 'Practice notebook',
      provider: 'practice',
      client_id: 'practice',
      client_secret: 'practice-secret',
      scopes: ['openid', 'profile', 'email', 'offline_access', 'notes:read'],
      settings: { return_urls: [`${appUrl}/`] },
    }),
  })
  if (!made.ok && made.status !== 409) throw new Error(`The integration could not be made: ${made.status} ${await made.text()}`)
}

async function cli(args: readonly string[], input = ''): Promise<string> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(input)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`evergrant ${args.slice(0, 2).join(' ')} ended with ${code}`)
  return output
}

async function stop(code: number): Promise<void> {
  server.removeAllListeners('exit')
  server.kill('SIGTERM')
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  process.exit(code)
}
