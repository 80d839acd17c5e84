import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../../packages/evergrant/src/cli/main.ts', import.meta.url))
const READY_MS = 60_000
const POLL_MS = 100

export interface EvergrantProcess {
  readonly url: string
  /** One command of its command line, as an operator types it; what it printed. @throws Error when it fails */
  readonly cli: (args: readonly string[], input?: string) => Promise<string>
  readonly stop: () => Promise<void>
  /** Again, after a stop: on the same port and data. */
  readonly start: () => Promise<void>
}

interface EvergrantProcessOptions {
  /** Default 0: any free port. */
  readonly port: number
  readonly dataDir: string
  readonly providersDir: string
}

export async function startEvergrant({ port, dataDir, providersDir }: EvergrantProcessOptions): Promise<EvergrantProcess> {
  const taken = port === 0 ? await freePort() : port
  const url = `http://127.0.0.1:${taken}`
  const env = {
    ...process.env,
    EVERGRANT_HOST: '127.0.0.1',
    EVERGRANT_PORT: String(taken),
    EVERGRANT_PUBLIC_URL: url,
    EVERGRANT_DATA_DIR: dataDir,
    EVERGRANT_PROVIDERS_DIR: providersDir,
    // Provider and weather service are on this machine, which Evergrant does not call unless somebody says so.
    EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1',
    EVERGRANT_LOG_LEVEL: 'error',
  }
  let server: ChildProcess | null = null
  const evergrant: EvergrantProcess = {
    url,
    cli: (args, input) => run(args, env, input ?? ''),
    start: async () => {
      server = await serve(env, url)
    },
    stop: async () => {
      const running = server
      server = null
      running?.kill('SIGTERM')
      if (running?.exitCode === null && running.signalCode === null) await once(running, 'exit')
    },
  }
  await evergrant.start()
  return evergrant
}

async function serve(env: NodeJS.ProcessEnv, url: string): Promise<ChildProcess> {
  const server = spawnCli(['serve'], env)
  let said = ''
  // Read, so that the pipes never fill; shown only when it does not start.
  for (const stream of [server.stdout, server.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-20_000)
    })
  if (await isReady(server, url)) return server
  server.kill('SIGKILL')
  throw new Error(`Evergrant did not start:\n${said}`)
}

function spawnCli(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args], { env, stdio: 'pipe' })
}

async function isReady(server: ChildProcess, url: string): Promise<boolean> {
  const deadline = performance.now() + READY_MS
  while (server.exitCode === null && performance.now() < deadline) {
    const answered = await fetch(`${url}/health/ready`).catch(() => null)
    if (answered?.ok === true) return true
    await pause(POLL_MS)
  }
  return false
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv, input: string): Promise<string> {
  const child = spawnCli(args, env)
  child.stdin?.end(input)
  let output = ''
  let complaint = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`evergrant ${args.slice(0, 2).join(' ')} ended with ${code}:\n${complaint}`)
  return output
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port could be found')
  return address.port
}
