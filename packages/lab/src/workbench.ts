import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at, JsonClient, type JsonReply, textAt } from './http.ts'
import { type PracticeProcess, startPracticeProcess } from './practice-process.ts'
import { practiceRecord, type ReuseSetting } from './practice-record.ts'
import { ServerProcess } from './server-process.ts'

const PROFILES: Readonly<Record<string, ReuseSetting>> = { p0: 'P0', p1: 'P1:10', p2: 'P2', p3: 'P3', p4: 'P4' }

interface BenchOptions {
  /** Divides the waits of the refresh protocol; default 50. */
  readonly timeScale?: number
  readonly env?: Readonly<Record<string, string>>
  /** Practice profiles by name; each gets an integration with the same slug. Default: one for each reuse class. */
  readonly profiles?: Readonly<Record<string, ReuseSetting>>
  /** PostgreSQL instead of the embedded database. Needed for `addNode`. */
  readonly databaseUrl?: string
  /** How long a server may take until it is ready; 60 s by default. */
  readonly readyMs?: number
}

/** A further server on the same database. */
export interface BenchNode {
  readonly server: ServerProcess
  readonly api: JsonClient
}

/** A connection under test, and the grant behind it. */
export interface Held {
  readonly connection: string
  readonly profile: string
  readonly owner: string
  readonly account: string
  readonly grant: string
  /** What the provider handed out before Evergrant took over. */
  readonly accessToken: string
  readonly refreshToken: string
}

/** A server process and a practice process, with one integration for each reuse class. */
export class Workbench {
  readonly practice: PracticeProcess
  readonly server: ServerProcess
  readonly api: JsonClient
  readonly #providersDir: string
  readonly #env: Readonly<Record<string, string>>
  readonly #readyMs: number
  readonly #nodes: ServerProcess[] = []
  #owners = 0

  private constructor(
    practice: PracticeProcess,
    server: ServerProcess,
    api: JsonClient,
    providersDir: string,
    env: Readonly<Record<string, string>>,
    readyMs: number,
  ) {
    this.practice = practice
    this.server = server
    this.api = api
    this.#providersDir = providersDir
    this.#env = env
    this.#readyMs = readyMs
  }

  static async start({ timeScale = 50, env = {}, profiles = PROFILES, databaseUrl, readyMs = 60_000 }: BenchOptions = {}): Promise<Workbench> {
    const practice = await startPracticeProcess()
    const providersDir = mkdtempSync(join(tmpdir(), 'evergrant-lab-providers-'))
    let server: ServerProcess | null = null
    try {
      for (const [profile, reuse] of Object.entries(profiles)) {
        writeFileSync(join(providersDir, `practice-${profile}.json`), JSON.stringify(practiceRecord(practice.url, profile, reuse)))
        const [reuseClass, windowSeconds = '10'] = reuse.split(':')
        expectStatus(await practice.control.post(`/profiles/${profile}`, { reuse: reuseClass, window_seconds: Number(windowSeconds) }), 200)
      }
      const common = {
        EVERGRANT_PROVIDERS_DIR: providersDir,
        EVERGRANT_DANGEROUS_TIME_SCALE: String(timeScale),
        EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        ...(databaseUrl === undefined ? {} : { EVERGRANT_DATABASE_URL: databaseUrl }),
        ...env,
      }
      server = await ServerProcess.start({ env: common, readyMs })
      const bench = new Workbench(practice, server, await server.client(), providersDir, common, readyMs)
      for (const profile of Object.keys(profiles)) await bench.#integrate(profile)
      return bench
    } catch (error) {
      await server?.dispose()
      await practice.stop()
      rmSync(providersDir, { recursive: true, force: true })
      throw error
    }
  }

  /** One more server with a data folder of its own. `env`: other values than the first server has. */
  async addNode(env: Readonly<Record<string, string>> = {}): Promise<BenchNode> {
    const server = await ServerProcess.start({ env: { ...this.#env, ...env }, readyMs: this.#readyMs })
    this.#nodes.push(server)
    return { server, api: new JsonClient(`${server.url}/api/v1`, this.api.headers) }
  }

  async #integrate(profile: string): Promise<void> {
    const body = {
      provider: `practice-${profile}`,
      slug: profile,
      name: profile,
      client_id: 'practice',
      client_secret: 'practice-secret',
      scopes: ['openid', 'notes:read'],
    }
    expectStatus(await this.api.post('/integrations', body), 201)
  }

  /** A new grant at the provider, taken over by the server. `accessSeconds`: what is left of its access token. */
  async hold(profile: string, accessSeconds = 3600): Promise<Held> {
    this.#owners += 1
    return this.#take({ profile, owner: `owner-${this.#owners}`, account: `account-${this.#owners}` }, accessSeconds, false)
  }

  /** The owner grants again: a new grant of the same account, stored into the same connection. */
  regrant(held: Held, accessSeconds = 3600): Promise<Held> {
    return this.#take(held, accessSeconds, true)
  }

  async #take(whose: Pick<Held, 'profile' | 'owner' | 'account'>, accessSeconds: number, replace: boolean): Promise<Held> {
    const { profile, owner, account } = whose
    const issued = expectStatus(await this.practice.control.post('/grants', { profile, account, access_seconds: accessSeconds }), 200)
    const [accessToken, refreshToken] = [textAt(issued, 'access_token'), textAt(issued, 'refresh_token')]
    const made = await this.api.post('/connections', {
      integration: profile,
      owner,
      account,
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_at: new Date(Date.now() + accessSeconds * 1000).toISOString(),
      replace,
    })
    expectStatus(made, 200, 201)
    return { connection: textAt(made, 'id'), profile, owner, account, grant: textAt(issued, 'grant'), accessToken, refreshToken }
  }

  async fault(profile: string, fault: Readonly<Record<string, unknown>>): Promise<void> {
    expectStatus(await this.practice.control.post('/faults', { profile, step: 'token.refresh', ...fault }), 200)
  }

  /** Clears every fault and lets hanging requests go on. */
  async heal(): Promise<void> {
    expectStatus(await this.practice.control.call('DELETE', '/faults'), 200)
    expectStatus(await this.practice.control.post('/release'), 200)
  }

  /** How many requests hang at the provider at this moment. */
  async hanging(): Promise<number> {
    return (await this.hangingProfiles()).length
  }

  /** The profiles of the requests that hang at this moment, one entry for each request. */
  async hangingProfiles(): Promise<readonly unknown[]> {
    const { body } = await this.practice.control.get('/state?profile=p0')
    const held = at(body, 'held')
    return Array.isArray(held) ? held.map((entry: unknown) => at(entry, 'profile')) : []
  }

  async truth(held: Held): Promise<unknown> {
    return (await this.practice.control.get(`/grants/${held.grant}`)).body
  }

  async counts(profile: string): Promise<{ refresh: number; api: number }> {
    const { body } = await this.practice.control.get(`/state?profile=${profile}`)
    return { refresh: Number(at(body, `counts.${profile}.refresh`)), api: Number(at(body, `counts.${profile}.api`)) }
  }

  token(held: Held, query = ''): Promise<JsonReply> {
    return this.api.get(`/connections/${held.connection}/token${query}`)
  }

  refresh(held: Held): Promise<JsonReply> {
    return this.api.post(`/connections/${held.connection}/refresh`)
  }

  show(held: Held): Promise<JsonReply> {
    return this.api.get(`/connections/${held.connection}`)
  }

  /** What the provider's API says to a token. */
  async works(profile: string, token: string): Promise<number> {
    return (await fetch(`${this.practice.url}/${profile}/api/me`, { headers: { authorization: `Bearer ${token}` } })).status
  }

  /** The id of the grant that a live token belongs to; undefined for a dead one. */
  async grantBehind(profile: string, token: string): Promise<unknown> {
    const reply = await new JsonClient(`${this.practice.url}/${profile}`, { authorization: `Bearer ${token}` }).get('/api/me')
    return at(reply.body, 'grant')
  }

  async dispose(): Promise<void> {
    await this.practice.stop()
    await Promise.all([this.server, ...this.#nodes].map((server) => server.dispose()))
    rmSync(this.#providersDir, { recursive: true, force: true })
  }
}

function expectStatus(reply: JsonReply, ...allowed: readonly number[]): JsonReply {
  if (!allowed.includes(reply.status)) throw new Error(`expected ${allowed.join(' or ')}, got ${reply.status}: ${reply.text.slice(0, 2000)}`)
  return reply
}
