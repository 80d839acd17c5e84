import type { IntegrationSettings } from '../core/connection/integration.ts'
import { DEFAULT_SETTINGS } from '../core/connection/integration.ts'
import { newConnection } from '../core/connection/new-connection.ts'
import { type ConnectionId, newId } from '../core/ids.ts'
import type { ProviderDirectory } from '../core/provider/context.ts'
import type { TokenEndpoint } from '../core/provider/wire.ts'
import type { GrantRow } from '../core/refresh/credentials.ts'
import { createRefreshEngine, type Engine } from '../core/refresh/engine.ts'
import type { EnginePorts, Observation } from '../core/refresh/engine-ports.ts'
import { TRUSTING } from '../core/refresh/high-water.ts'
import type { Journal, JournalRecord, KeptAnswer } from '../core/refresh/journal.ts'
import { ALONE } from '../core/refresh/liveness.ts'
import { newCredential } from '../core/refresh/new-credential.ts'
import { protocolTimes } from '../core/refresh/protocol-times.ts'
import { defineProvider } from '../providers/define.ts'
import { createProviderDirectory } from '../providers/directory.ts'
import { createKeySigner } from '../seal/key-signer.ts'
import { openMemoryStore, type Store } from '../store/index.ts'
import { systemEntropy } from '../system.ts'
import { createManualTime, type ManualTime } from './manual-time.ts'
import { refreshTokenOf, type ScriptedClass, ScriptedProvider } from './scripted-provider.ts'
import { testSeal } from './seal.ts'

export const SETTINGS = DEFAULT_SETTINGS

/** The real engine on the real embedded store, a scripted provider and a clock that stands still. */
export interface EngineLab {
  readonly time: ManualTime
  readonly store: Store
  readonly provider: ScriptedProvider
  /** The scripted provider, unless the options brought another. */
  readonly endpoint: TokenEndpoint
  readonly journal: MemoryJournal
  readonly engine: Engine
  readonly observed: Observation[]
  readonly directory: ProviderDirectory
  readonly organization: `org_${string}`
  readonly integration: `int_${string}`
  readonly connection: ConnectionId
  row(): Promise<GrantRow>
  /** Another engine on the same database and journal: this node after a restart, or another node. */
  another(change?: Partial<EnginePorts>): Engine
  read(minTtlMs?: number, rejectedGeneration?: number | null): ReturnType<Engine['token']>
}

class MemoryJournal implements Journal {
  readonly records: JournalRecord[] = []
  readonly settled = new Set<string>()
  broken = false

  append(record: JournalRecord): Promise<void> {
    if (this.broken) return Promise.reject(new Error('disk full'))
    this.records.push(record)
    return Promise.resolve()
  }

  settle(intent: string): void {
    this.settled.add(intent)
  }

  pending(): Promise<readonly JournalRecord[]> {
    return Promise.resolve(this.records.filter((record) => !this.settled.has(record.intent)))
  }

  async *answers(): AsyncIterable<readonly KeptAnswer[]> {
    yield this.records.map((record) => ({ record, settled: this.settled.has(record.intent) }))
  }

  healthy(): boolean {
    return true
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

export interface LabOptions {
  readonly reuse?: ScriptedClass
  readonly settings?: Partial<IntegrationSettings>
  readonly ports?: (ports: EnginePorts) => Partial<EnginePorts>
  /** In memory by default. */
  readonly store?: (time: ManualTime) => Promise<Store>
  readonly lifetimeMs?: number
  /** Null: the provider gave none. */
  readonly refreshToken?: null
  readonly noopAboveSeconds?: number | null
  /** More facts of the scripted provider: its API, its revocation. */
  readonly record?: Partial<Parameters<typeof defineProvider>[0]>
  /** Instead of the scripted provider. */
  readonly endpoint?: TokenEndpoint
  /** Of the integration; none by default. */
  readonly clientSecret?: string
}

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

export async function createEngineLab(options: LabOptions = {}): Promise<EngineLab> {
  const time = createManualTime()
  const store = await (options.store?.(time) ?? openMemoryStore({ clock: time.clock, timers: time.timers }))
  const seal = testSeal()
  const reuse = options.reuse ?? 'P4'
  const provider = new ScriptedProvider(reuse, time)
  const journal = new MemoryJournal()
  const observed: Observation[] = []
  const record = defineProvider({
    id: 'scripted',
    name: 'Scripted',
    authorize: { url: 'https://provider.example/authorize' },
    token: { url: 'https://provider.example/token' },
    reuse: { class: reuse, windowSeconds: reuse === 'P1' ? 30 : 0, evidence: 'scripted' },
    lifetimes: { noopAboveSeconds: options.noopAboveSeconds ?? null },
    account: [{ from: 'answer', path: 'account' }],
    ...options.record,
  })
  const ports: EnginePorts = {
    clock: time.clock,
    timers: time.timers,
    entropy: systemEntropy,
    seal,
    log: quiet,
    credentials: store.credentials,
    integrations: store.integrations,
    directory: createProviderDirectory({ records: [record], fetchJson: () => Promise.reject(new Error('no discovery here')), clock: time.clock }),
    endpoint: options.endpoint ?? provider,
    signing: { signer: createKeySigner(), now: time.clock.wall, unique: () => systemEntropy.uuid() },
    journal,
    node: { id: 'node-1', incarnation: 'first' },
    nodes: store.nodes,
    liveness: ALONE,
    trust: TRUSTING,
    changesFresh: () => store.changes.fresh(),
    times: protocolTimes(),
    options: { cacheEntries: 1_000, backgroundFlights: 50, databaseFirst: false, withoutStoreMs: 60_000 },
    observe: (observation) => observed.push(observation),
    decode: (bytes) => new TextDecoder().decode(bytes),
  }
  const ids = await seed(store, time, ports, { ...SETTINGS, ...options.settings }, record, {
    lifetimeMs: options.lifetimeMs ?? 3_600_000,
    refreshToken: options.refreshToken === null ? null : refreshTokenOf(1),
    clientSecret: options.clientSecret ?? null,
  })
  const build = (change: Partial<EnginePorts>): Engine => {
    const engine = createRefreshEngine({ ...ports, ...options.ports?.(ports), ...change })
    store.changes.subscribe((change) => {
      if (change.kind === 'connection') engine.forget(change.connection)
      if (change.kind === 'integration') {
        engine.contexts.forget(change.integration)
        engine.forget('all')
      }
    })
    return engine
  }
  const engine = build({})
  return {
    time,
    store,
    provider,
    endpoint: ports.endpoint,
    journal,
    engine,
    observed,
    directory: ports.directory,
    ...ids,
    row: async () => {
      const row = await store.credentials.read(ids.connection)
      if (row === undefined) throw new Error('the connection is gone')
      return row
    },
    another: (change = {}) => build(change),
    read: (minTtlMs = 0, rejectedGeneration = null) =>
      engine.token({ organization: ids.organization, connection: ids.connection, minTtlMs, rejectedGeneration }),
  }
}

async function seed(
  store: Store,
  time: ManualTime,
  ports: EnginePorts,
  settings: IntegrationSettings,
  record: ReturnType<typeof defineProvider>,
  grant: { readonly lifetimeMs: number; readonly refreshToken: string | null; readonly clientSecret: string | null },
): Promise<Pick<EngineLab, 'organization' | 'integration' | 'connection'>> {
  const now = time.clock.wall()
  const event = (organization: `org_${string}`, type: 'organization.created' | 'integration.created' | 'connection.created') => ({
    id: newId('evt', systemEntropy),
    organization,
    type,
    at: now,
    actor: { kind: 'system', id: null } as const,
    connection: null,
    subject: null,
    data: {},
  })
  const organization = newId('org', systemEntropy)
  await store.organizations.insert({ id: organization, name: 'Acme', slug: 'acme', createdAt: now }, event(organization, 'organization.created'))
  const integration = newId('int', systemEntropy)
  await store.integrations.insert(
    {
      id: integration,
      organization,
      slug: 'scripted',
      name: 'Scripted',
      provider: 'scripted',
      clientId: 'client',
      clientSecret:
        grant.clientSecret === null
          ? null
          : ports.seal.seal(grant.clientSecret, { organization, table: 'integration', row: integration, column: 'client_secret' }),
      scopes: [],
      variables: {},
      settings,
      blocked: null,
      deathsHeld: null,
      createdAt: now,
      updatedAt: now,
      version: 1,
    },
    event(organization, 'integration.created'),
  )
  const connection = newId('con', systemEntropy)
  const tokens = { accessToken: 'at-1', refreshToken: grant.refreshToken, tokenType: 'Bearer', accessExpiresAt: now + grant.lifetimeMs, refreshExpiresAt: null }
  const credential = newCredential({ organization, connection, generation: 1, tokens, obtainedAt: now, record, settings }, ports.seal, ports.entropy)
  await store.connections.insert({
    connection: newConnection(now, { id: connection, organization, integration, owner: 'owner-1', account: 'ada' }),
    credential,
    dueAt: credential.softAt,
    event: event(organization, 'connection.created'),
  })
  return { organization, integration, connection }
}
