import { ApiKeysService } from '../core/access/api-keys-service.ts'
import { OrganizationSettingsService } from '../core/access/settings-service.ts'
import { BROWSER } from '../core/connect/connect-event.ts'
import type { ConnectPorts, DiscardedGrant } from '../core/connect/connect-ports.ts'
import { type ConnectService, createConnectService } from '../core/connect/connect-service.ts'
import { repairLink } from '../core/connect/repair-link.ts'
import { ConnectionChecks } from '../core/connection/check-connection.ts'
import { ConnectionService } from '../core/connection/connection-service.ts'
import type { Integration, IntegrationSettings } from '../core/connection/integration.ts'
import { newId, type OrganizationId } from '../core/ids.ts'
import type { Log, LogFields } from '../core/log.ts'
import { BulkService } from '../core/observe/bulk-service.ts'
import { QuotaBook } from '../core/pacing/quota-book.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import { createPushService, type PushService } from '../core/push/push-service.ts'
import { createCodeExchange } from '../core/refresh/code-exchange.ts'
import { createRefreshEngine } from '../core/refresh/engine.ts'
import { TRUSTING } from '../core/refresh/high-water.ts'
import { NO_JOURNAL } from '../core/refresh/journal.ts'
import { ALONE } from '../core/refresh/liveness.ts'
import { protocolTimes } from '../core/refresh/protocol-times.ts'
import { createApp } from '../http/app.ts'
import { hostedRoutes } from '../http/connect/hosted-routes.ts'
import { connectSessionRoutes } from '../http/connect/session-routes.ts'
import type { App } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { createTryIt } from '../http/try-it/try-it.ts'
import { tryItRoutes } from '../http/try-it/try-it-routes.ts'
import { createAddressGuard } from '../outbound/address-guard.ts'
import { createProviderClient } from '../outbound/provider-client.ts'
import { createTokenEndpoint } from '../outbound/token-endpoint.ts'
import { type PracticeProvider, startPracticeProvider } from '../practice/index.ts'
import { createProviderDirectory } from '../providers/directory.ts'
import { catalogue } from '../providers/index.ts'
import { createKeySigner } from '../seal/key-signer.ts'
import { proofCipher } from '../seal/proof-cipher.ts'
import { openMemoryStore, type Store } from '../store/index.ts'
import { systemClock, systemEntropy, systemTimers } from '../system.ts'
import { testSeal } from './seal.ts'

interface BenchOptions {
  readonly publicUrl?: string
  /** Instead of the catalogue's records of the same id. */
  readonly records?: readonly ProviderRecord[]
  readonly ports?: Partial<ConnectPorts>
  /** Serves the development page for this organization's integration `practice`. */
  readonly tryItAs?: OrganizationId
}

/** Everything a connect flow needs, for real: memory store, seal, practice provider, outbound client, HTTP. */
export interface ConnectBench {
  readonly app: App
  readonly publicUrl: string
  readonly connect: ConnectService
  readonly store: Store
  readonly practice: PracticeProvider
  readonly logs: LogFields[]
  readonly discarded: DiscardedGrant[]
  readonly engine: ReturnType<typeof createRefreshEngine>
  /** What providers push comes in through the app; `work` does what was accepted. */
  readonly pushes: PushService
  readonly ports: ConnectPorts
  organization(name: string, id?: OrganizationId): Promise<{ readonly id: OrganizationId; readonly key: string }>
  integration(organization: OrganizationId, slug: string, more?: IntegrationChanges): Promise<Integration>
  /** Moves the server's wall clock forward. */
  advance(ms: number): void
  close(): Promise<void>
}

type IntegrationChanges = Partial<Omit<Integration, 'settings'>> & { readonly settings?: Partial<IntegrationSettings> }

const RETURN_URL = 'https://app.example.com/connected'

export async function startConnectBench(options: BenchOptions = {}): Promise<ConnectBench> {
  const world = await openWorld(options)
  const { practice, store, clock, ports, connect, engine, pushes, seal, logs, discarded, endpoint } = world
  const apiKeys = new ApiKeysService({
    store: store.apiKeys,
    clock,
    timers: systemTimers,
    entropy: systemEntropy,
    digest: (text) => seal.digest(text),
    changesFresh: () => true,
    withoutStoreMs: 0,
  })
  const app = openApp(world, apiKeys, options.tryItAs)
  await app.ready()
  const actor = { kind: 'system' as const, id: null }
  const event = (organization: OrganizationId, type: 'organization.created' | 'integration.created') => {
    return { id: newId('evt', systemEntropy), organization, type, at: clock.wall(), actor, connection: null, subject: null, data: {} }
  }
  return {
    app,
    publicUrl: ports.publicUrl,
    connect,
    store,
    practice,
    logs,
    discarded,
    engine,
    pushes,
    ports,
    organization: async (name, id = newId('org', systemEntropy)) => {
      const slug = `${name.toLowerCase().replaceAll(/[^a-z]+/g, '-')}-${id.slice(-6)}`
      await store.organizations.insert({ id, name, slug, createdAt: clock.wall() }, event(id, 'organization.created'))
      const issued = await apiKeys.create(
        id,
        { name: 'test', scopes: ['connect', 'connections:read', 'connections:write', 'tokens:read'], expiresAt: null },
        actor,
      )
      return { id, key: issued.text }
    },
    integration: async (organization, slug, more = {}) => {
      const integration = integrationAt(organization, slug, `${practice.url}/p4`, { seal, now: clock.wall() }, more)
      await store.integrations.insert(integration, event(organization, 'integration.created'))
      return integration
    },
    advance: world.advance,
    close: async () => {
      await app.close()
      await practice.close()
      endpoint.close()
      await store.close()
    },
  }
}

type World = Awaited<ReturnType<typeof openWorld>>

async function openWorld(options: BenchOptions) {
  const practice = await startPracticeProvider()
  let ahead = 0
  const clock = { wall: () => systemClock.wall() + ahead, mono: () => systemClock.mono() + ahead }
  const store = await openMemoryStore({ clock, timers: systemTimers })
  const seal = testSeal()
  const logs: LogFields[] = []
  const guard = createAddressGuard({ allowPrivateHosts: [], development: true })
  const client = createProviderClient({ guard, timers: systemTimers })
  const endpoint = createTokenEndpoint({ guard, timers: systemTimers })
  const records = [...(options.records ?? []), ...catalogue.filter((record) => !options.records?.some((own) => own.id === record.id))]
  const directory = createProviderDirectory({ records, fetchJson: (url) => client.fetchJson(url), clock })
  const signing = { signer: createKeySigner(), now: () => clock.wall(), unique: () => systemEntropy.uuid() }
  const shared = { clock, timers: systemTimers, entropy: systemEntropy, seal, signing, log: keepingLog(logs) }
  const protocol = { ...shared, endpoint, journal: NO_JOURNAL, times: protocolTimes(), observe: () => {} }
  const engine = createRefreshEngine({
    ...protocol,
    credentials: store.credentials,
    integrations: store.integrations,
    directory,
    node: { id: 'bench', incarnation: '1' },
    trust: TRUSTING,
    nodes: store.nodes,
    liveness: ALONE,
    changesFresh: () => true,
    options: { cacheEntries: 1_000, backgroundFlights: 10, databaseFirst: false, withoutStoreMs: 0 },
    decode: (bytes) => new TextDecoder().decode(bytes),
  })
  const discarded: DiscardedGrant[] = []
  const ports: ConnectPorts = {
    ...shared,
    sessions: store.connectSessions,
    connections: store.connections,
    credentials: store.credentials,
    integrations: store.integrations,
    organizations: store.organizations,
    events: store.events,
    providers: directory,
    exchange: createCodeExchange(protocol),
    ask: (request, limits) => client.sendRequest(request, limits),
    discard: async (grant) => void discarded.push(grant),
    probe: (organization, connection) => void engine.refresh(organization, connection).catch(() => {}),
    publicUrl: options.publicUrl ?? 'http://localhost:3900',
    ...options.ports,
  }
  const advance = (ms: number) => {
    ahead += ms
  }
  const connect = createConnectService(ports)
  const pushes = benchPushes(ports, store, engine, connect)
  return { practice, store, clock, ports, connect, engine, pushes, seal, logs, discarded, endpoint, advance }
}

function benchPushes(ports: ConnectPorts, store: Store, engine: ReturnType<typeof createRefreshEngine>, connect: ConnectService): PushService {
  const { clock, timers, log, providers } = ports
  const shared = { ...ports, engine, contexts: engine.contexts, connections: store.connections, events: store.events }
  const pacing = new QuotaBook({ clock, timers, quotas: store.quotas, log })
  const checks = new ConnectionChecks({ ...shared, checks: store.checks, pacing, sendRequest: (request) => ports.ask(request, { deadlineMs: 10_000 }) })
  const more = { pushes: store.pushes, checks, stored: store.checks, codes: connect, cipher: proofCipher, count: () => {} }
  return createPushService({ ...shared, ...more }, providers, ports.publicUrl)
}

function openApp(world: World, apiKeys: ApiKeysService, tryItAs: OrganizationId | undefined): App {
  const { store, clock, ports, connect, engine, pushes, logs } = world
  const { publicUrl, log } = ports
  const connections = new ConnectionService({ ...ports, connections: store.connections, checks: store.checks, integrations: store.integrations })
  const repairPage: Services['repairLink'] = ({ row, linkRepairs }) => (linkRepairs ? repairLink(row.connection, publicUrl, ports) : null)
  // The routes of integrations and of people are not asked here.
  const services = Object.assign({ identity: {} } as Services, {
    clock,
    timers: systemTimers,
    entropy: systemEntropy,
    engine,
    apiKeys,
    pushes,
    connections,
    bulks: new BulkService({ ...ports, observed: store.observed, connections, engine, repairLink: repairPage }),
    repairLink: repairPage,
    providers: ports.providers,
    organizations: store.organizations,
    settings: new OrganizationSettingsService({ ...ports, organizations: store.organizations }),
    events: store.events,
    health: { check: async () => [] },
    metrics: { tokenRead: () => {}, render: async () => '' },
    live: { close: () => {} },
    uses: { count: () => {}, countDay: () => {}, flush: async () => {} },
  })
  return createApp(services, {
    publicUrl,
    log,
    requestLog: (fields) => void logs.push(fields),
    routes: [
      (scope) =>
        hostedRoutes(scope, {
          connect,
          publicUrl,
          log,
          clock,
          giveUp: (connection) => connections.giveUp(connection, BROWSER),
        }),
      (scope) => connectSessionRoutes(scope, connect, connections),
      ...(tryItAs === undefined ? [] : [(scope: App) => tryItRoutes(scope, { tryIt: playing(world, tryItAs), publicUrl })]),
    ],
  })
}

function playing({ practice, store, ports, connect, engine, clock }: World, organization: OrganizationId) {
  const each = (account: string, act: (grant: string) => void): void => {
    for (const grant of practice.control.grants({ account })) if (grant.state === 'live') act(grant.id)
  }
  return createTryIt({
    organization,
    integration: 'practice',
    publicUrl: ports.publicUrl,
    connect,
    engine,
    integrations: store.integrations,
    connections: store.connections,
    events: store.events,
    clock,
    practice: {
      url: practice.url,
      expire: (account) => each(account, (id) => practice.control.expireAccess(id)),
      revoke: (account) => each(account, (id) => practice.control.revoke(id)),
    },
  })
}

function keepingLog(logs: LogFields[]): Log {
  const keep = (fields: LogFields, message: string) => void logs.push({ ...fields, message })
  return { info: keep, warn: keep, error: keep }
}

function integrationAt(
  organization: OrganizationId,
  slug: string,
  issuer: string,
  world: { seal: ReturnType<typeof testSeal>; now: number },
  more: IntegrationChanges,
): Integration {
  const id = newId('int', systemEntropy)
  return {
    id,
    organization,
    slug,
    name: slug,
    provider: 'oidc',
    clientId: 'practice',
    clientSecret: world.seal.seal('practice-secret', { organization, table: 'integration', row: id, column: 'client_secret' }),
    scopes: ['openid', 'email', 'offline_access', 'notes:read'],
    variables: { issuer },
    blocked: null,
    deathsHeld: null,
    createdAt: world.now,
    updatedAt: world.now,
    version: 1,
    ...more,
    settings: {
      renewal: 'auto',
      marginMs: null,
      redirectUri: null,
      returnUrls: [RETURN_URL],
      concurrency: 4,
      proxyReplays: 1,
      authorizeParameters: {},
      reuse: null,
      token: null,
      checkEveryMs: null,
      quotaReserve: 0,
      signIn: null,
      ...more.settings,
    },
  }
}
