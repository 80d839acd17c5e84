import assert from 'node:assert/strict'
import {
  type ConnectionId,
  DEFAULT_SETTINGS,
  type EnginePorts,
  type Entropy,
  type GrantRow,
  type IntegrationId,
  type IntegrationSettings,
  MemoryHighWater,
  type NodeIdentity,
  newConnection,
  newCredential,
  newId,
  type OrganizationId,
  type ProtocolTimes,
  type ProviderRecord,
  protocolTimes,
  type ReuseClass,
  type Store,
} from '../../../../evergrant/src/engine.ts'
import {
  createProviderDirectory,
  defineProvider,
  openMemoryStore,
  openVolatileStore,
  type Snapshot,
  type VolatileStore,
} from '../../../../evergrant/src/engine-parts.ts'
import { Random } from '../random.ts'
import { SimSeal } from '../sim-seal.ts'
import { StageJournal, StageNode } from './stage-node.ts'
import type { StageConnection, StageParts } from './stage-parts.ts'
import { StageProvider } from './stage-provider.ts'
import { StageTime } from './stage-time.ts'

export interface StageOptions {
  readonly reuse: ReuseClass
  /** Of P1; 30 s by default. */
  readonly windowMs?: number
  readonly lifetimeSeconds?: number
  /** `sql`: the statements of the embedded database, in memory. */
  readonly store?: 'maps' | 'sql'
  readonly settings?: Partial<IntegrationSettings>
  readonly databaseFirst?: boolean
  readonly doubting?: boolean
  /** A suspect token is never presented again: the provider punishes other grants, too. */
  readonly neverProbe?: boolean
}

/** Where a scenario plays: one database, one provider, nodes, and time that stands still between two lines of the script. */
export class Stage implements StageParts {
  readonly time: StageTime
  readonly store: Store
  readonly provider: StageProvider
  readonly seal = new SimSeal()
  readonly entropy: Entropy
  readonly times: ProtocolTimes = protocolTimes()
  readonly directory: EnginePorts['directory']
  readonly databaseFirst: boolean
  readonly doubting: boolean
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  readonly #settings: IntegrationSettings
  readonly #record: ProviderRecord
  readonly #volatile: VolatileStore | null

  private constructor(options: StageOptions, time: StageTime, store: Store, volatile: VolatileStore | null) {
    this.time = time
    this.store = store
    this.#volatile = volatile
    this.entropy = entropyOf(new Random(7), time)
    this.organization = newId('org', this.entropy)
    this.integration = newId('int', this.entropy)
    this.databaseFirst = options.databaseFirst ?? true
    this.doubting = options.doubting ?? false
    this.#settings = { ...DEFAULT_SETTINGS, ...options.settings }
    const windowMs = options.windowMs ?? 30_000
    this.provider = new StageProvider(options.reuse, windowMs, time)
    this.provider.lifetimeSeconds = options.lifetimeSeconds ?? 3_600
    this.#record = defineProvider({
      id: 'staged',
      name: 'Staged',
      authorize: { url: 'https://provider.example/authorize' },
      token: { url: 'https://provider.example/token' },
      reuse: {
        class: options.reuse,
        windowSeconds: options.reuse === 'P1' ? windowMs / 1_000 : 0,
        neverProbe: options.neverProbe ?? false,
        evidence: 'staged',
      },
    })
    this.directory = createProviderDirectory({
      records: [this.#record],
      fetchJson: () => Promise.reject(new Error('there is no discovery here')),
      clock: time.clock,
    })
  }

  static async open(options: StageOptions): Promise<Stage> {
    const time = new StageTime()
    const volatile = options.store === 'sql' ? null : openVolatileStore(time)
    const stage = new Stage(options, time, volatile ?? (await openMemoryStore(time)), volatile)
    await stage.#furnish()
    return stage
  }

  /** A node that runs. The same name again is its next start, with the same journal. */
  async node(name = 'node-1', earlier?: StageNode): Promise<StageNode> {
    const identity = { id: name, incarnation: newId('itn', this.entropy) }
    await this.#volatile?.nodes.join(identity, 0)
    const node = new StageNode(this, identity, earlier?.disk ?? { journal: new StageJournal(), marks: new MemoryHighWater() })
    await node.start()
    return node
  }

  snapshot(): Snapshot {
    assert.ok(this.#volatile !== null)
    return this.#volatile.snapshot()
  }

  /** The database is what it was, as after a restored backup or a failover to a copy that was behind. */
  restore(snapshot: Snapshot): void {
    this.#volatile?.restore(snapshot)
  }

  /** Its liveness lock is free: the process is gone, or cut off from the database. */
  lose(node: NodeIdentity): void {
    this.#volatile?.locks.drop(node)
  }

  /** A connection whose owner has just consented. */
  async connect(): Promise<StageConnection> {
    const id = newId('con', this.entropy)
    const now = this.time.clock.wall()
    const { family, credential } = this.#consented(id, 1)
    await this.store.connections.insert({
      connection: newConnection(now, { id, organization: this.organization, integration: this.integration, owner: `owner ${family}` }),
      credential,
      dueAt: credential.softAt,
      event: this.event('connection.created', id),
    })
    return { id, family }
  }

  /** The owner grants again, into the same connection. Returns the new family. */
  async reconnect(connection: StageConnection): Promise<StageConnection> {
    const { generation } = (await this.row(connection)).credential
    const { family, credential } = this.#consented(connection.id, generation + 1)
    const outcome = await this.store.connections.replaceGrant({
      organization: this.organization,
      connection: connection.id,
      expectedGeneration: generation,
      credential,
      account: null,
      accountLabel: null,
      scopes: null,
      variables: {},
      facts: {},
      consentedAt: this.time.clock.wall(),
      dueAt: credential.softAt,
      event: this.event('connection.reconnected', connection.id),
    })
    assert.equal(outcome.kind, 'replaced')
    return { id: connection.id, family }
  }

  async row(connection: StageConnection): Promise<GrantRow> {
    const row = await this.store.credentials.read(connection.id)
    assert.ok(row !== undefined)
    return row
  }

  refreshTokenOf({ connection, credential }: GrantRow): string {
    assert.ok(credential.refreshToken !== null)
    return this.seal.openText(credential.refreshToken, {
      organization: connection.organization,
      table: 'credential',
      row: `${connection.id}#${credential.generation}`,
      column: 'refresh_token',
    })
  }

  /** The stored refresh token is one that the provider honours, and the connection is not given up. */
  async assertAlive(connection: StageConnection): Promise<void> {
    const row = await this.row(connection)
    assert.equal(row.connection.state, 'active', `the connection is ${row.connection.state}: ${row.connection.fault?.code}`)
    assert.ok(this.provider.honours(this.refreshTokenOf(row)), 'the provider refuses the stored refresh token')
  }

  event(
    type: 'organization.created' | 'integration.created' | 'connection.created' | 'connection.reconnected' | 'connection.disconnected',
    about: ConnectionId | null,
  ) {
    return {
      id: newId('evt', this.entropy),
      organization: this.organization,
      type,
      at: this.time.clock.wall(),
      actor: { kind: 'system', id: null } as const,
      connection: about,
      subject: null,
      data: {},
    }
  }

  #consented(id: ConnectionId, generation: number) {
    const { family, refreshToken, accessToken } = this.provider.consent()
    const obtainedAt = this.time.clock.wall()
    const tokens = {
      accessToken,
      refreshToken,
      tokenType: 'Bearer',
      accessExpiresAt: obtainedAt + this.provider.lifetimeSeconds * 1_000,
      refreshExpiresAt: null,
    }
    const input = { organization: this.organization, connection: id, generation, tokens, obtainedAt, record: this.#record, settings: this.#settings }
    return { family, credential: newCredential(input, this.seal, this.entropy) }
  }

  async #furnish(): Promise<void> {
    const now = this.time.clock.wall()
    await this.store.organizations.insert({ id: this.organization, name: 'Stage', slug: 'stage', createdAt: now }, this.event('organization.created', null))
    await this.store.integrations.insert(
      {
        id: this.integration,
        organization: this.organization,
        slug: 'staged',
        name: 'Staged',
        provider: 'staged',
        clientId: 'client',
        clientSecret: null,
        scopes: [],
        variables: {},
        settings: this.#settings,
        blocked: null,
        deathsHeld: null,
        createdAt: now,
        updatedAt: now,
        version: 1,
      },
      this.event('integration.created', null),
    )
  }
}

function entropyOf(random: Random, time: StageTime): Entropy {
  let made = 0
  return {
    bytes: (length) => Uint8Array.from({ length }, () => random.next() & 0xff),
    uniform: () => random.uniform(),
    uuid: () => {
      made += 1
      const at = time.clock.wall().toString(16).padStart(12, '0')
      return `${at.slice(0, 8)}-${at.slice(8)}-7000-8000-${made.toString(16).padStart(12, '0')}`
    },
  }
}
