import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Exit, type RunningProcess, startNode } from './child-process.ts'
import { freePort } from './free-port.ts'
import { JsonClient, textAt } from './http.ts'
import { SERVER_MAIN } from './server-main.ts'

const POLL_MS = 50
const KEY_SCOPES = [
  'connections:read',
  'connections:write',
  'tokens:read',
  'proxy',
  'connect',
  'integrations:read',
  'integrations:write',
  'events:read',
  'api_keys:write',
  'admin',
]

interface ServerOptions {
  /** Default: a new folder that `dispose` removes. */
  readonly dataDir?: string
  readonly port?: number
  readonly development?: boolean
  /** More configuration, or other values than the lab's own. */
  readonly env?: Readonly<Record<string, string>>
  /** How long `/health/ready` may take after a start; default 60 s. */
  readonly readyMs?: number
  /** The command line of another version; default: the one of this tree. */
  readonly main?: string
}

/** A real Evergrant server in a process of its own, which can be killed and started again on the same data. */
export class ServerProcess {
  readonly url: string
  readonly dataDir: string
  readonly #options: ServerOptions
  readonly #env: Readonly<Record<string, string>>
  readonly #earlier: string[] = []
  #main: string
  #process: RunningProcess | null = null

  private constructor(options: ServerOptions, port: number) {
    this.#options = options
    this.#main = options.main ?? SERVER_MAIN
    this.url = `http://127.0.0.1:${port}`
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'evergrant-lab-'))
    this.#env = {
      NODE_ENV: 'test',
      EVERGRANT_HOST: '127.0.0.1',
      EVERGRANT_PORT: String(port),
      EVERGRANT_PUBLIC_URL: this.url,
      EVERGRANT_DATA_DIR: this.dataDir,
      ...options.env,
    }
  }

  /** Starts and waits until it is ready. Throws with everything it printed when it does not become so. */
  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(options, options.port ?? (await freePort()))
    try {
      await server.start()
      return server
    } catch (error) {
      await server.dispose()
      throw error
    }
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** What every run of this server printed, for greps. */
  output(): string {
    return [...this.#earlier, this.#process?.output() ?? ''].join('')
  }

  /** From the next start on it runs the code of another version; without one, that of this tree. */
  useVersion(main: string = SERVER_MAIN): void {
    this.#main = main
  }

  /** Earlier versions know the list of private hosts by the name it had before. */
  #environment(): Readonly<Record<string, string>> {
    const hosts = this.#main === SERVER_MAIN ? 'EVERGRANT_DANGEROUS_PRIVATE_HOSTS' : 'EVERGRANT_ALLOW_PRIVATE_HOSTS'
    return { [hosts]: '127.0.0.1,localhost', ...this.#env }
  }

  async start(): Promise<void> {
    if (this.#process) throw new Error('the server is already running')
    const flags = this.#options.development === true ? ['--development'] : []
    this.#process = startNode({ args: ['--disable-warning=ExperimentalWarning', this.#main, 'serve', ...flags], env: this.#environment() })
    await this.#ready(this.#process)
  }

  async #ready(running: RunningProcess): Promise<void> {
    let exit: Exit | undefined
    let said: string | null = 'nothing'
    void running.exited.then((ended) => {
      exit = ended
    })
    const deadline = performance.now() + (this.#options.readyMs ?? 60_000)
    while (performance.now() < deadline && exit === undefined) {
      said = await this.#readiness()
      if (said === null) return
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    const how = exit === undefined ? `did not become ready in time (readiness: ${said})` : 'ended'
    await this.kill()
    throw new Error(`the server ${how}; it printed:\n${this.output()}`)
  }

  /** Null when it is ready, else what it says instead. */
  async #readiness(): Promise<string | null> {
    try {
      const response = await fetch(`${this.url}/health/ready`)
      return response.ok ? null : await response.text()
    } catch {
      return 'no answer'
    }
  }

  /** SIGTERM: it drains, then ends. */
  async stop(graceMs?: number): Promise<Exit> {
    return await this.#end((running) => running.stop(graceMs))
  }

  /** SIGKILL. */
  async kill(): Promise<Exit> {
    return await this.#end((running) => running.kill())
  }

  /** Waits until it ends by itself; after `ms` it is killed. */
  async ended(ms: number): Promise<Exit> {
    return await this.#end(async (running) => {
      const impatience = setTimeout(() => void running.kill(), ms)
      const exit = await running.exited
      clearTimeout(impatience)
      return exit
    })
  }

  /** SIGSTOP and SIGCONT: a paused machine. */
  pause(): void {
    this.#process?.signal('SIGSTOP')
  }

  resume(): void {
    this.#process?.signal('SIGCONT')
  }

  async #end(how: (running: RunningProcess) => Promise<Exit>): Promise<Exit> {
    const running = this.#process
    if (!running) return { code: null, signal: null }
    const exit = await how(running)
    this.#process = null
    this.#earlier.push(running.output())
    return exit
  }

  /** Runs one command of the command line against this server's data; resolves with what it printed. */
  async cli(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
    const running = startNode({ args: ['--disable-warning=ExperimentalWarning', this.#main, ...args], env: this.#environment() })
    const { code } = await running.exited
    return { code, output: running.output() }
  }

  /** A client of the API with a new key that may do everything. */
  async client(scopes: readonly string[] = KEY_SCOPES): Promise<JsonClient> {
    const made = await this.#asItsCommandLine().post('/api-keys', { name: `lab-${randomBytes(4).toString('hex')}`, scopes })
    return new JsonClient(`${this.url}/api/v1`, { authorization: `Bearer ${textAt(made, 'key')}` })
  }

  /** What its command line does on this machine, without a process for it: the running server leaves its address and a key in its folder. */
  #asItsCommandLine(): JsonClient {
    const { url, key } = JSON.parse(readFileSync(join(this.dataDir, 'server.json'), 'utf8')) as { readonly url: string; readonly key: string }
    return new JsonClient(`${url}/api/v1`, { authorization: `Bearer ${key}` })
  }

  /** Kills it and removes the data folder that the lab made. */
  async dispose(): Promise<void> {
    await this.kill()
    if (this.#options.dataDir === undefined) rmSync(this.dataDir, { recursive: true, force: true })
  }
}
