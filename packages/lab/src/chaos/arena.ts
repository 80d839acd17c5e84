import { randomBytes } from 'node:crypto'
import { at, type JsonClient, type JsonReply, textAt } from '../http.ts'
import type { PostgresProcess } from '../postgres-process.ts'
import { type PracticeProcess, startPracticeProcess } from '../practice-process.ts'
import { comesTrue, until } from '../until.ts'
import { PROFILE_NAMES, PROFILES } from './classes.ts'
import { Ledger } from './ledger.ts'
import { ChaosNode } from './node.ts'

interface ArenaSetting {
  readonly postgres: PostgresProcess | null
  readonly nodes: number
  readonly timeScale: number
  readonly accessSeconds: number
  readonly perProfile: number
  /** False for servers that run as they come, with nothing preloaded. Default true. */
  readonly shim?: boolean
  /** The command line of another version, for every node. */
  readonly main?: string
  /** More configuration for one node. */
  readonly env?: (index: number) => Readonly<Record<string, string>>
}

/** A connection under test and the grants that stood behind it; the last is the present one. */
export interface Subject {
  readonly connection: string
  readonly profile: string
  readonly owner: string
  readonly account: string
  readonly grants: string[]
}

/** Something that was done to the world on purpose. Times are wall clock, milliseconds. */
export interface Disruption {
  readonly what: string
  readonly from: number
  to: number
}

const DATABASE = 'chaos'

/** Real processes: the practice provider, one or several servers, their links; and what is known about each of them. */
export class Arena {
  readonly practice: PracticeProcess
  readonly postgres: PostgresProcess | null
  readonly nodes: readonly ChaosNode[]
  readonly ledger: Ledger
  readonly subjects: Subject[] = []
  readonly disruptions: Disruption[] = []
  readonly setting: ArenaSetting
  kills = 0
  /** Nodes that are declared cut off from their database at this moment. */
  readonly cutOff = new Set<string>()

  private constructor(practice: PracticeProcess, nodes: readonly ChaosNode[], setting: ArenaSetting) {
    this.practice = practice
    this.nodes = nodes
    this.setting = setting
    this.postgres = setting.postgres
    this.ledger = new Ledger(practice.control)
  }

  static async open(setting: ArenaSetting): Promise<Arena> {
    const practice = await startPracticeProcess()
    const nodes: ChaosNode[] = []
    try {
      await describeProfiles(practice.control, setting.accessSeconds)
      const masterKeys = `k1:${randomBytes(32).toString('base64')}`
      const { postgres } = setting
      await postgres?.create(DATABASE)
      const database = postgres === null ? null : { host: '127.0.0.1', port: postgres.port, url: (port: number) => postgres.url(DATABASE, port) }
      for (let index = 1; index <= setting.nodes; index += 1) {
        const node = await ChaosNode.start({
          name: `node-${index}`,
          practiceUrl: practice.url,
          database,
          timeScale: setting.timeScale,
          masterKeys,
          shim: setting.shim ?? true,
          env: setting.env?.(index) ?? {},
          ...(setting.main === undefined ? {} : { main: setting.main }),
        })
        nodes.push(node)
        await node.useKey(nodes.length === 1 ? null : (nodes[0] ?? null))
      }
      const arena = new Arena(practice, nodes, setting)
      await arena.#populate()
      return arena
    } catch (error) {
      await Promise.all(nodes.map((node) => node.dispose()))
      await practice.stop()
      throw error
    }
  }

  get first(): ChaosNode {
    const node = this.nodes[0]
    if (node === undefined) throw new Error('there is no node')
    return node
  }

  async #populate(): Promise<void> {
    for (const profile of PROFILE_NAMES) {
      const body = {
        provider: `practice-${profile}`,
        slug: profile,
        name: profile,
        client_id: 'practice',
        client_secret: 'practice-secret',
        scopes: ['notes:read'],
      }
      expectStatus(await this.first.api.post('/integrations', body), 201)
      for (let index = 1; index <= this.setting.perProfile; index += 1) {
        await this.#import({ profile, owner: `${profile}-owner-${index}`, account: `${profile}-account-${index}` }, false)
      }
    }
  }

  /** Its owner grants again: a new grant of the same account, stored into the same connection. */
  async regrant(subject: Subject): Promise<void> {
    await this.#import(subject, true)
  }

  async #import(whose: Pick<Subject, 'profile' | 'owner' | 'account'>, replace: boolean): Promise<void> {
    const { profile, owner, account } = whose
    const { accessSeconds } = this.setting
    const issued = expectStatus(await this.practice.control.post('/grants', { profile, account }), 200)
    const [grant, accessToken, refreshToken] = [textAt(issued, 'grant'), textAt(issued, 'access_token'), textAt(issued, 'refresh_token')]
    const known = this.subjects.find((subject) => subject.owner === owner)
    // Before it can be handed out: a reader may get the new token before this call returns.
    if (known !== undefined) this.ledger.owns(known.connection, grant)
    const made = await this.first.api.post('/connections', {
      integration: profile,
      owner,
      account,
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_at: new Date(Date.now() + accessSeconds * 1000).toISOString(),
      replace,
    })
    expectStatus(made, 200, 201)
    const connection = textAt(made, 'id')
    if (known === undefined) this.subjects.push({ connection, profile, owner, account, grants: [grant] })
    else known.grants.push(grant)
    this.ledger.owns(connection, grant)
  }

  of(profile: string): readonly Subject[] {
    return this.subjects.filter((subject) => subject.profile === profile)
  }

  /** Runs `act` as a declared disruption: what it may destroy is explained by it. */
  async disrupted<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
    const disruption: Disruption = { what, from: Date.now(), to: Number.POSITIVE_INFINITY }
    this.disruptions.push(disruption)
    try {
      return await act()
    } finally {
      disruption.to = Date.now()
    }
  }

  async fault(profile: string, fault: Readonly<Record<string, unknown>>): Promise<void> {
    expectStatus(await this.practice.control.post('/faults', { profile, step: 'token.refresh', ...fault }), 200)
  }

  /** Clears every fault of the provider and lets what it holds go on. */
  async calmProvider(): Promise<void> {
    expectStatus(await this.practice.control.call('DELETE', '/faults'), 200)
    expectStatus(await this.practice.control.post('/release'), 200)
  }

  /** The profiles of the requests that the provider holds at this moment. */
  async held(): Promise<readonly string[]> {
    const held = at((await this.practice.control.get('/held')).body, 'held')
    return Array.isArray(held) ? held.map((entry: unknown) => String(at(entry, 'profile'))) : []
  }

  async kill(node: ChaosNode): Promise<void> {
    if (!node.running) return
    this.kills += 1
    await node.server.kill()
  }

  /** Starts every node that does not run. */
  async restart(): Promise<void> {
    await Promise.all(this.nodes.filter((node) => !node.running).map((node) => node.server.start()))
  }

  /** Everything that can be mended from outside is mended; every node runs and says that it is ready. */
  async mend(): Promise<void> {
    for (const node of this.nodes) {
      node.heal()
      node.server.resume()
    }
    await this.calmProvider()
    await this.restart()
    await until('every node to be ready', () => this.#allReady(), { timeoutMs: 60_000, pollMs: 25 })
  }

  async #allReady(): Promise<boolean> {
    const answers = await Promise.all(this.nodes.map((node) => fetch(`${node.server.url}/health/ready`).catch(() => null)))
    return answers.every((answer) => answer?.ok === true)
  }

  /** True when the provider holds a request of one of these profiles before the time is over; waits a little for the others. */
  async holds(profiles: readonly string[]): Promise<boolean> {
    const one = await comesTrue(async () => (await this.held()).some((profile) => profiles.includes(profile)), { timeoutMs: 3_000, pollMs: 3 })
    const all = async () => {
      const held = await this.held()
      return profiles.every((profile) => held.includes(profile))
    }
    if (one) await comesTrue(all, { timeoutMs: 400, pollMs: 3 })
    return one
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.dispose()))
    await this.practice.stop()
  }
}

async function describeProfiles(control: JsonClient, accessSeconds: number): Promise<void> {
  for (const { profile, behaves, windowSeconds } of PROFILES) {
    const settings = { reuse: behaves, window_seconds: windowSeconds, access_seconds: accessSeconds }
    expectStatus(await control.post(`/profiles/${profile}`, settings), 200)
  }
}

function expectStatus(reply: JsonReply, ...allowed: readonly number[]): JsonReply {
  if (!allowed.includes(reply.status)) throw new Error(`expected ${allowed.join(' or ')}, got ${reply.status}: ${reply.text.slice(0, 2000)}`)
  return reply
}
