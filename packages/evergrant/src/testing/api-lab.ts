import { type AgentComposition, composeAgents } from '../compose-agents.ts'
import { type AlertComposition, type AlertParts, composeAlerts } from '../compose-alerts.ts'
import { composeIdentity, type IdentityComposition } from '../compose-identity.ts'
import { composeInstallations, type InstallationComposition } from '../compose-installations.ts'
import { composeObserve, countingUses } from '../compose-observe.ts'
import { composeOperate } from '../compose-operate.ts'
import { composeOperators } from '../compose-operators.ts'
import { composePeople, type PeopleParts } from '../compose-people.ts'
import { composeSessions, type SessionComposition } from '../compose-sessions.ts'
import type { ApiKeyScope } from '../core/access/api-key.ts'
import { ApiKeysService } from '../core/access/api-keys-service.ts'
import { IdempotentRequests } from '../core/access/idempotent-requests.ts'
import { OrganizationSettingsService } from '../core/access/settings-service.ts'
import { repairLink } from '../core/connect/repair-link.ts'
import { ConnectionChecks } from '../core/connection/check-connection.ts'
import { ConnectionService, connectionNotFound } from '../core/connection/connection-service.ts'
import { IntegrationService } from '../core/connection/integration-service.ts'
import { MachineConnections } from '../core/connection/machine-connections.ts'
import { ReuseProbes } from '../core/connection/reuse-probes.ts'
import type { Letter } from '../core/identity/letter.ts'
import { newId, type OrganizationId } from '../core/ids.ts'
import type { Log, LogFields } from '../core/log.ts'
import { HistoryCounter } from '../core/observe/history-counter.ts'
import { QuotaBook, quotaSubject } from '../core/pacing/quota-book.ts'
import type { PushedCodes } from '../core/push/push-ports.ts'
import { createPushService } from '../core/push/push-service.ts'
import type { Seal } from '../core/seal/seal.ts'
import { type Clock, DAY, type Entropy, type Timers } from '../core/time.ts'
import { type AppOptions, createApp } from '../http/app.ts'
import type { App } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { createAddressGuard } from '../outbound/address-guard.ts'
import { certificateProblem } from '../outbound/client-certificate.ts'
import { createProviderClient } from '../outbound/provider-client.ts'
import { createProxyTransport } from '../outbound/proxy-transport.ts'
import { createKeySigner } from '../seal/key-signer.ts'
import { proofCipher } from '../seal/proof-cipher.ts'
import type { Store } from '../store/index.ts'
import { systemEntropy, systemTimers } from '../system.ts'
import { createEngineLab, type EngineLab, type LabOptions } from './engine-lab.ts'
import { testSeal } from './seal.ts'

export interface ApiLab extends EngineLab {
  /** What the chores of a node do. */
  readonly alertChores: AlertParts['alertChores']
  readonly app: App
  readonly services: Services
  readonly logged: { readonly fields: LogFields; readonly message: string }[]
  /** Every letter that was sent. */
  readonly letters: Letter[]
  /** A key of the lab's organization, or of another one. */
  keyFor(scopes: readonly ApiKeyScope[], organization?: OrganizationId): Promise<string>
  anotherOrganization(): Promise<OrganizationId>
  /** One request with JSON in and out. */
  call(method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', url: string, options?: CallOptions): Promise<ApiAnswer>
}

interface CallOptions {
  /** Null sends no key; without it, an `admin` key is used. */
  readonly key?: string | null
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
  readonly json: any
}

const PUBLIC_URL = 'https://evergrant.example'
const SESSIONS = {
  development: true,
  dangerousPrivateHosts: [],
  publicUrl: PUBLIC_URL,
  sessionIdleMs: 30 * DAY,
  sessionMs: 180 * DAY,
  serveWithoutDatabaseMs: 0,
  allowedOrigins: [],
  signUp: 'invited',
  organizationName: 'Example',
  passwordWords: [],
  breachedPasswordsDir: null,
  recovery: true,
  sdkTokenMs: 60 * DAY,
} as const

export interface ApiLabOptions extends LabOptions {
  readonly app?: Partial<AppOptions>
  readonly codes?: PushedCodes
  /** Of what is made through the API; the system's by default. */
  readonly entropy?: Entropy
  readonly identity?: Partial<
    Pick<IdentityComposition, 'derive'> & IdentityComposition['config'] & InstallationComposition['config'] & AgentComposition['config']
  >
}

/** One node with one key: what goes on between nodes is tested with real ones. */
const LAB_KEYS = {
  ring: { ids: () => ['k1'], seals: () => 'k1', use: () => {} },
  keyringWatch: { look: async () => [], lacking: () => [] },
  keyFile: null,
  node: { id: 'lab' },
}

const HEALTHY: Services['health'] = { check: async () => [{ name: 'store', ok: true, detail: null }] }
const METRICS: Services['metrics'] = { tokenRead: () => {}, render: async () => 'evergrant_up 1\n' }

/** The whole HTTP API over the real engine, the real embedded store and a scripted provider. */
export async function createApiLab(options: ApiLabOptions = {}): Promise<ApiLab> {
  const lab = await createEngineLab(options)
  const { time } = lab
  const counter = new HistoryCounter({ observed: lab.store.observed, clock: time.clock, incarnation: 'lab' })
  const store: Store = { ...lab.store, uses: countingUses(lab.store.uses, counter) }
  const seal = testSeal()
  const logged: { fields: LogFields; message: string }[] = []
  const letters: Letter[] = []
  const log = logInto(logged)
  const ports = { clock: time.clock, timers: time.timers, entropy: options.entropy ?? systemEntropy }
  const apiKeys = labKeys(store, seal, ports)
  store.changes.subscribe((change) => {
    if (change.kind === 'api_key') apiKeys.forget()
    if (change.kind === 'connection') lab.engine.forget(change.connection)
  })
  const pacing = new QuotaBook({ clock: time.clock, timers: time.timers, quotas: store.quotas, log })
  const probed = labConnections(lab, { ...ports, seal })
  const repairPage: Services['repairLink'] = ({ row, linkRepairs }) =>
    linkRepairs ? repairLink(row.connection, PUBLIC_URL, { seal, clock: time.clock }) : null
  const alerting = labAlerts(lab, { ...ports, seal, log, letters, counter, connections: probed.connections, repairLink: repairPage })
  const services: Services = {
    ...ports,
    engine: lab.engine,
    ...labPeople(lab, { ...ports, seal, log, connections: probed.connections, repairLink: repairPage }),
    ...labSignedIn(lab, { ...ports, seal, log, letters, config: { ...SESSIONS, ...options.identity } }),
    apiKeys,
    idempotency: new IdempotentRequests({ ...ports, store: store.idempotency, seal }),
    ...probed,
    machines: labMachines(lab, { ...ports, seal }),
    repairLink: repairPage,
    integrations: new IntegrationService({
      ...ports,
      integrations: store.integrations,
      providers: lab.directory,
      seal,
      signer: createKeySigner(),
      certificateProblem,
    }),
    ...labEvents(lab, { ...ports, seal, log, pacing, codes: options.codes ?? null }),
    providers: lab.directory,
    organizations: store.organizations,
    settings: new OrganizationSettingsService({ ...ports, organizations: store.organizations }),
    events: store.events,
    health: HEALTHY,
    upstream: labUpstream(lab, pacing),
    ...composeObserve({
      ...ports,
      store,
      engine: lab.engine,
      connections: probed.connections,
      repairLink: repairPage,
      providers: lab.directory,
      counter,
      historyMs: 30 * DAY,
      node: { id: 'lab', incarnation: 'lab' },
      log,
    }),
    ...composeOperate({ ...ports, store, engine: lab.engine, seal, log, ...LAB_KEYS }),
    ...alerting,
    metrics: METRICS,
  }
  const app = createApp(services, { publicUrl: PUBLIC_URL, log, ...options.app })
  const keyFor = async (scopes: readonly ApiKeyScope[], organization: OrganizationId = lab.organization): Promise<string> =>
    (await apiKeys.create(organization, { name: scopes.join(' '), scopes, expiresAt: null }, { kind: 'cli', id: null })).text
  const admin = await keyFor(['admin'])
  return {
    ...lab,
    app,
    services,
    alertChores: alerting.alertChores,
    logged,
    letters,
    keyFor,
    anotherOrganization: () => anotherOrganization(store, time.clock),
    call: callerOf(app, admin),
  }
}

function logInto(logged: { fields: LogFields; message: string }[]): Log {
  const note = (fields: LogFields, message: string): void => void logged.push({ fields, message })
  return { info: note, warn: note, error: note }
}

function labMachines(lab: EngineLab, ports: Pick<Services, 'clock' | 'entropy'> & { readonly seal: ReturnType<typeof testSeal> }): MachineConnections {
  return new MachineConnections({
    ...ports,
    connections: lab.store.connections,
    contexts: lab.engine.contexts,
    send: async (request) => (await lab.endpoint.open(request.url, { pooled: true })).send(request, 10_000),
    observe: (observation) => void lab.observed.push(observation),
  })
}

/** Sends a request to the app without a socket; by an administrator's key unless something else is said. */
function callerOf(app: ApiLab['app'], admin: string): ApiLab['call'] {
  return async (method, url, { key = admin, body, headers = {} } = {}) => {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await app.inject({
      method,
      url,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
    })
    const isJson = /json\b/.test(String(answer.headers['content-type'] ?? ''))
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: isJson && answer.body !== '' ? JSON.parse(answer.body) : null }
  }
}

/** Senders that reach this machine; letters go into the list. */
function labAlerts(
  { store, organization }: EngineLab,
  {
    letters,
    ...ports
  }: Pick<AlertComposition, 'clock' | 'timers' | 'entropy' | 'seal' | 'log' | 'connections' | 'repairLink' | 'counter'> & { readonly letters: Letter[] },
): AlertParts {
  const guard = createAddressGuard({ allowPrivateHosts: [], development: true })
  const mailer = { send: async (letter: Letter) => void letters.push(letter) }
  const transport = createProxyTransport({ guard, timers: systemTimers })
  const config = { publicUrl: PUBLIC_URL, organizationName: 'Example' }
  return composeAlerts({ ...ports, store, organization, config, guard, transport, mailer, node: 'lab', facts: async () => ({ journal: 0, unopened: 0 }) })
}

function labUpstream({ store, engine }: EngineLab, pacing: QuotaBook): Services['upstream'] {
  const transport = createProxyTransport({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  return {
    send: (request) => transport.send(request),
    pacing,
    contextOf: async (organization, id) => {
      const row = await store.connections.get(organization, id)
      if (row === undefined) throw connectionNotFound(id)
      const context = await engine.contexts.of(row.connection.integration)
      return {
        context: await engine.contexts.provider(context, row.connection.variables, row.connection.facts),
        replays: context.integration.settings.proxyReplays,
        quota: quotaSubject(context, id),
      }
    },
  }
}

async function anotherOrganization(store: Store, clock: Clock): Promise<OrganizationId> {
  const id = newId('org', systemEntropy)
  const at = clock.wall()
  const actor = { kind: 'cli', id: null } as const
  const event = { id: newId('evt', systemEntropy), organization: id, type: 'organization.created' as const, at, actor, connection: null, subject: id, data: {} }
  await store.organizations.insert({ id, name: 'Other', slug: `other-${id.slice(-8)}`, createdAt: at }, event)
  return id
}

function labKeys(store: Store, seal: Seal, ports: { readonly clock: Clock; readonly timers: Timers; readonly entropy: Entropy }): ApiKeysService {
  return new ApiKeysService({
    ...ports,
    store: store.apiKeys,
    digest: (text) => seal.digest(text),
    changesFresh: () => store.changes.fresh(),
    withoutStoreMs: 0,
  })
}

/** Connections, and probes that call the record's own check for real. */
function labConnections(
  { store, engine, directory }: EngineLab,
  ports: { readonly clock: Clock; readonly entropy: Entropy; readonly seal: Seal },
): Pick<Services, 'connections' | 'probes'> {
  const { checks, integrations } = store
  const connections = new ConnectionService({ ...ports, connections: store.connections, checks, integrations, providers: directory })
  const client = createProviderClient({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  const probing = { engine, connections, providers: directory, siblings: store.connections }
  return { connections, probes: new ReuseProbes({ ...ports, ...probing, sendRequest: (request) => client.sendRequest(request) }) }
}

/** Sessions, and sign-in with letters that go into a list. */
function labSignedIn(
  { store, organization }: EngineLab,
  {
    letters,
    config,
    ...ports
  }: Pick<SessionComposition, 'clock' | 'timers' | 'entropy' | 'seal' | 'log'> & {
    readonly letters: Letter[]
    readonly config: SessionComposition['config'] &
      IdentityComposition['config'] &
      InstallationComposition['config'] &
      AgentComposition['config'] &
      Partial<Pick<IdentityComposition, 'derive'>>
  },
): ReturnType<typeof composeSessions> &
  ReturnType<typeof composeIdentity> &
  ReturnType<typeof composeInstallations> &
  ReturnType<typeof composeAgents> &
  ReturnType<typeof composeOperators> {
  const { derive } = config
  const parts = composeSessions({ ...ports, config, store, organization })
  const mailer: IdentityComposition['mailer'] = { send: async (letter) => void letters.push(letter) }
  const identity = composeIdentity({ ...ports, config, store, organization, sessions: parts.sessions, mailer, ...(derive === undefined ? {} : { derive }) })
  const installations = composeInstallations({ ...ports, ...parts, config, store })
  const client = createProviderClient({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  const agents = composeAgents({ ...ports, ...installations, config, store, client })
  return { ...parts, ...installations, ...agents, ...composeOperators({ ...ports, ...agents, config, store }), ...identity }
}

/** Users and owners. Grants are given back to the scripted provider; no connect flow runs here, so none waits for its confirmation. */
function labPeople(
  { store, directory, engine, endpoint }: EngineLab,
  ports: Pick<PeopleParts, 'clock' | 'timers' | 'entropy' | 'connections' | 'repairLink'> & { readonly seal: Seal; readonly log: Log },
): ReturnType<typeof composePeople> {
  const contextOf: PeopleParts['revocation']['contextOf'] = async ({ connection }) => {
    const context = await engine.contexts.of(connection.integration)
    return engine.contexts.provider(context, connection.variables, connection.facts)
  }
  const sendRequest: PeopleParts['revocation']['sendRequest'] = async (request) => (await endpoint.open(request.url, { pooled: true })).send(request, 10_000)
  const revocation = { ...ports, connections: store.connections, credentials: store.credentials, sendRequest, contextOf }
  return composePeople({ ...ports, store, providers: directory, engine, connect: { discard: async () => {} }, revocation })
}

/** Pushes and checks over the lab's engine. Checks call the scripted provider's address for real. */
function labEvents(
  lab: EngineLab,
  ports: {
    readonly clock: Clock
    readonly entropy: Entropy
    readonly seal: Seal
    readonly log: Log
    readonly pacing: QuotaBook
    readonly codes: PushedCodes | null
  },
): Pick<Services, 'pushes' | 'checks'> {
  const { store, engine, directory } = lab
  const client = createProviderClient({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  const checks = new ConnectionChecks({
    ...ports,
    checks: store.checks,
    connections: store.connections,
    engine,
    contexts: engine.contexts,
    sendRequest: (request) => client.sendRequest(request),
  })
  const { pushes, connections, events } = store
  const more = { contexts: engine.contexts, checks, stored: store.checks, engine, cipher: proofCipher, count: () => {} }
  return { checks, pushes: createPushService({ ...ports, pushes, connections, events, ...more }, directory, 'https://evergrant.example') }
}
