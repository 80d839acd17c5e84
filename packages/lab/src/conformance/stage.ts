import { randomBytes } from 'node:crypto'
import { freePort } from '../free-port.ts'
import { JsonClient, textAt } from '../http.ts'
import { ServerProcess } from '../server-process.ts'
import { chromiumHost, PAGE, pageScript } from './chromium-host.ts'
import type { Host, HostKind } from './host.ts'
import { nodeHost } from './node-host.ts'
import { type ProtectedApi, startProtectedApi } from './protected-api.ts'
import { Recorder } from './recorder.ts'

/** Somebody who may sign in. */
export interface Person {
  readonly email: string
  readonly password: string
}

interface StageOptions {
  readonly hosts?: readonly HostKind[]
  /** PostgreSQL instead of the embedded database. */
  readonly databaseUrl?: string
  readonly env?: Readonly<Record<string, string>>
}

/**
 * The server as it is shipped, in a process of its own; an application's API that checks tokens offline; and the recorder in front of both, on one
 * origin: what a browser sees of a deployment.
 */
export class Stage {
  readonly server: ServerProcess
  readonly api: ProtectedApi
  readonly recorder: Recorder
  readonly #hosts = new Map<HostKind, Host>()
  readonly #people: Person[] = []
  #admin: Promise<JsonClient> | null = null

  private constructor(server: ServerProcess, api: ProtectedApi, recorder: Recorder) {
    this.server = server
    this.api = api
    this.recorder = recorder
  }

  static async start({ hosts = ['node'], databaseUrl, env = {} }: StageOptions = {}): Promise<Stage> {
    const script = hosts.includes('chromium') ? await pageScript() : ''
    const behind: { server: string; api: string } = { server: '', api: '' }
    const page = (path: string) =>
      path.startsWith('/kit/tab.js') ? { type: 'text/javascript; charset=utf-8', body: script } : { type: 'text/html; charset=utf-8', body: PAGE }
    const recorder = await Recorder.start({ server: () => behind.server, api: () => behind.api, page })
    const server = await ServerProcess.start({
      port: await freePort(),
      env: {
        EVERGRANT_PUBLIC_URL: recorder.url,
        EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        EVERGRANT_RATE_LIMIT_PER_ADDRESS: '10000000',
        EVERGRANT_LOG_LEVEL: 'warn',
        ...(databaseUrl === undefined ? {} : { EVERGRANT_DATABASE_URL: databaseUrl }),
        ...env,
      },
    })
    behind.server = server.url
    const api = await startProtectedApi(recorder.url, `${server.url}/.well-known/jwks.json`)
    behind.api = api.url
    const stage = new Stage(server, api, recorder)
    for (const kind of hosts) stage.#hosts.set(kind, kind === 'node' ? nodeHost() : await chromiumHost())
    return stage
  }

  host(kind: HostKind): Host {
    const host = this.#hosts.get(kind)
    if (host === undefined) throw new Error(`the stage has no host ${kind}`)
    return host
  }

  /** Person number `index`, made at first need. */
  async person(index = 0): Promise<Person> {
    this.#admin ??= this.server.client()
    const admin = await this.#admin
    for (let made = this.#people.length; made <= index; made += 1) this.#people.push(await makePerson(admin, `person-${made}@example.com`))
    return this.#people[index] as Person
  }

  /** Ends every session of the first person from another device, as they would. */
  async endSessions(): Promise<void> {
    const { email, password } = await this.person()
    const api = new JsonClient(`${this.server.url}/api/v1`)
    const signedIn = await api.post('/auth/login', { email, password, mode: 'bearer' })
    const ended = await api.post('/auth/logout', { scope: 'everywhere', refresh_token: textAt(signedIn, 'refresh_token') })
    if (ended.status !== 200) throw new Error(`the sessions did not end: ${ended.status} ${ended.text}`)
  }

  /** Forgets what the last scenario did. */
  clear(): void {
    this.recorder.clear()
    this.api.executed.length = 0
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.close()))
    await this.recorder.close()
    await this.api.close()
    await this.server.dispose()
  }
}

/** As a backend does it that has people of its own. */
async function makePerson(admin: JsonClient, email: string): Promise<Person> {
  const password = `lab ${randomBytes(12).toString('base64url')}`
  const made = await admin.post('/users', { email, name: 'Lab', role: 'member', password })
  if (made.status !== 201 && made.status !== 200) throw new Error(`no user could be made: ${made.status} ${made.text}`)
  return { email, password }
}
