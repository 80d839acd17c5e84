import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { JsonClient } from '../http.ts'
import { ServerProcess } from '../server-process.ts'
import { TcpFaultProxy } from '../tcp-fault-proxy.ts'
import { PROFILES, providerFile } from './classes.ts'
import { FaultShim } from './fault-shim.ts'

interface NodeSetting {
  readonly name: string
  readonly practiceUrl: string
  /** PostgreSQL behind a link that can fail; null: the embedded database. */
  readonly database: { readonly host: string; readonly port: number; readonly url: (port: number) => string } | null
  readonly timeScale: number
  readonly masterKeys: string
  /** Whether the node's system calls can be made to fail and its clock be moved. */
  readonly shim: boolean
  readonly env?: Readonly<Record<string, string>>
  /** The command line of another version. */
  readonly main?: string
}

/** One server process with a link of its own to the database and to the provider, each of which can fail. */
export class ChaosNode {
  readonly name: string
  readonly server: ServerProcess
  readonly provider: TcpFaultProxy
  readonly database: TcpFaultProxy | null
  readonly shim: FaultShim | null
  readonly #folder: string
  #api: JsonClient | null = null

  private constructor(name: string, server: ServerProcess, links: Pick<ChaosNode, 'provider' | 'database' | 'shim'>, folder: string) {
    this.name = name
    this.server = server
    this.provider = links.provider
    this.database = links.database
    this.shim = links.shim
    this.#folder = folder
  }

  static async start(setting: NodeSetting): Promise<ChaosNode> {
    const folder = mkdtempSync(join(tmpdir(), `evergrant-chaos-${setting.name}-`))
    const practice = new URL(setting.practiceUrl)
    const provider = await TcpFaultProxy.start({ host: practice.hostname, port: Number(practice.port) })
    const database = setting.database === null ? null : await TcpFaultProxy.start(setting.database)
    const shim = setting.shim ? FaultShim.make(join(folder, 'shim')) : null
    const providersDir = join(folder, 'providers')
    mkdirSync(providersDir)
    for (const profile of PROFILES) {
      writeFileSync(join(providersDir, `practice-${profile.profile}.json`), JSON.stringify(providerFile(profile, setting.practiceUrl, provider.port)))
    }
    const dataDir = join(folder, 'data')
    mkdirSync(dataDir, { mode: 0o700 })
    const env = {
      EVERGRANT_PROVIDERS_DIR: providersDir,
      EVERGRANT_MASTER_KEYS: setting.masterKeys,
      EVERGRANT_NODE_ID: setting.name,
      EVERGRANT_DANGEROUS_TIME_SCALE: String(setting.timeScale),
      EVERGRANT_LOG_LEVEL: 'warn',
      ...(setting.database === null || database === null ? {} : { EVERGRANT_DATABASE_URL: setting.database.url(database.port) }),
      ...shim?.env,
      ...setting.env,
    }
    try {
      const server = await ServerProcess.start({
        dataDir,
        port: await freePort(),
        env,
        readyMs: 180_000,
        ...(setting.main === undefined ? {} : { main: setting.main }),
      })
      return new ChaosNode(setting.name, server, { provider, database, shim }, folder)
    } catch (error) {
      await provider.close()
      await database?.close()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** A client with the campaign's key. */
  get api(): JsonClient {
    if (this.#api === null) throw new Error('the node has no key yet')
    return this.#api
  }

  /** The key of another node of the same database, or a new one. */
  async useKey(from: ChaosNode | null): Promise<void> {
    this.#api = from === null ? await this.server.client() : new JsonClient(`${this.server.url}/api/v1`, from.api.headers)
  }

  get running(): boolean {
    return this.server.pid !== 0
  }

  get journalDir(): string {
    return join(this.server.dataDir, 'journal')
  }

  /** Every link healed, the clock right, the disk good. */
  heal(): void {
    this.provider.heal()
    this.database?.heal()
    this.shim?.heal()
  }

  async dispose(): Promise<void> {
    await this.server.dispose()
    await this.provider.close()
    await this.database?.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
