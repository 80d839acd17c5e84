import { type AgentParts, composeAgents } from './compose-agents.ts'
import { type AlertComposition, type AlertParts, composeAlerts, feedAlerts } from './compose-alerts.ts'
import { composeIdentity, composeMailer, type IdentityParts } from './compose-identity.ts'
import { composeInstallations, type InstallationParts } from './compose-installations.ts'
import { keyFileDoor } from './compose-keys.ts'
import type { NodeParts } from './compose-node.ts'
import type { Metrics } from './compose-observability.ts'
import { composeObserve, type ObserveParts } from './compose-observe.ts'
import { composeOperate, type OperateParts } from './compose-operate.ts'
import { composeOperators, type OperatorParts } from './compose-operators.ts'
import { composePeople } from './compose-people.ts'
import { composeProviderEvents } from './compose-provider-events.ts'
import { composeSessions, type SessionParts } from './compose-sessions.ts'
import { composeSignIn, type SignInParts } from './compose-sign-in.ts'
import { countedStreams } from './compose-watched-node.ts'
import type { Config } from './config.ts'
import { ApiKeysService } from './core/access/api-keys-service.ts'
import { IdempotentRequests } from './core/access/idempotent-requests.ts'
import { OrganizationSettingsService } from './core/access/settings-service.ts'
import type { NodeFacts } from './core/alert/node-report.ts'
import { BROWSER } from './core/connect/connect-event.ts'
import type { ConnectPorts } from './core/connect/connect-ports.ts'
import { type ConnectService, createConnectService } from './core/connect/connect-service.ts'
import { repairLink } from './core/connect/repair-link.ts'
import { ConnectionService, connectionNotFound } from './core/connection/connection-service.ts'
import { IntegrationService } from './core/connection/integration-service.ts'
import { MachineConnections, type MachinePorts } from './core/connection/machine-connections.ts'
import { ReuseProbes } from './core/connection/reuse-probes.ts'
import type { RevocationPorts } from './core/connection/revocation-worker.ts'
import type { RoutineChecks } from './core/connection/routine-checks.ts'
import type { DriftWatch } from './core/drift/drift-watch.ts'
import type { OrganizationId } from './core/ids.ts'
import type { Log } from './core/log.ts'
import type { HistoryCounter } from './core/observe/history-counter.ts'
import { QuotaBook, quotaSubject } from './core/pacing/quota-book.ts'
import type { ProviderDirectory } from './core/provider/context.ts'
import type { SigningPorts } from './core/provider/signing.ts'
import { revokeRequest } from './core/provider/token-request.ts'
import type { ProviderRequest } from './core/provider/wire.ts'
import type { GrantRow } from './core/refresh/credentials.ts'
import type { Engine } from './core/refresh/engine.ts'
import type { CodeExchange } from './core/refresh/exchange.ts'
import type { RestoreService } from './core/refresh/restore-service.ts'
import type { Tracing } from './core/tracing.ts'
import { createApp } from './http/app.ts'
import type { HostedOptions } from './http/connect/hosted-options.ts'
import { hostedRoutes } from './http/connect/hosted-routes.ts'
import { connectSessionRoutes } from './http/connect/session-routes.ts'
import { consoleFiles, consoleFromRoot } from './http/console-files.ts'
import { ownerPageRoute } from './http/pages/owner-page-route.ts'
import { PageDesk } from './http/pages/page-desk.ts'
import { pageRoutes } from './http/pages/page-routes.ts'
import { connectPeople } from './http/pages/provider-routes.ts'
import type { Upstream } from './http/proxy/upstream.ts'
import { perMinute } from './http/rate-limit.ts'
import type { RequestWatch } from './http/request-watch.ts'
import { restoreRoutes } from './http/routes/restore.ts'
import type { App } from './http/schema.ts'
import type { HealthSource, Services } from './http/services.ts'
import type { AddressGuard } from './outbound/address-guard.ts'
import { certificateProblem } from './outbound/client-certificate.ts'
import type { ProviderClient } from './outbound/provider-client.ts'
import { createProxyTransport, type ProxyTransport } from './outbound/proxy-transport.ts'
import { StreamRelief } from './outbound/stream-relief.ts'
import { collectYoungBuffers, systemEntropy, systemTimers } from './system.ts'

/** The services behind the routes, and what the chores of a node need of them. */
export interface ComposedServices
  extends Omit<Services, keyof SessionParts | keyof InstallationParts | keyof AgentParts | keyof ObserveParts | keyof OperateParts | keyof AlertParts>,
    SessionParts,
    IdentityParts,
    InstallationParts,
    AgentParts,
    ObserveParts,
    OperateParts,
    AlertParts {
  readonly signIns: SignInParts
  readonly connect: ConnectService
  readonly revocation: RevocationPorts
  readonly proxy: ProxyTransport
  readonly restore: RestoreService
  readonly routineChecks: RoutineChecks
}

interface ServiceParts {
  /** What this node knows of itself that is worth an alert. */
  readonly nodeFacts: () => Promise<NodeFacts>
  readonly config: Config
  readonly node: NodeParts
  /** The organization that exists from the start. */
  readonly organization: OrganizationId
  readonly engine: Engine
  readonly exchange: CodeExchange
  readonly signing: SigningPorts
  readonly directory: ProviderDirectory
  readonly client: ProviderClient
  readonly guard: AddressGuard
  readonly log: Log
  readonly metrics: Metrics
  readonly tracing?: Tracing | null
  readonly counter: HistoryCounter
  readonly drift: DriftWatch
  readonly health: HealthSource
  readonly restore: RestoreService
}

export function composeServices(parts: ServiceParts): ComposedServices {
  const { node, engine, directory } = parts
  const { store, seal } = node
  const ports = { clock: node.clock, entropy: systemEntropy, timers: systemTimers }
  const apiKeys = new ApiKeysService({
    ...ports,
    store: store.apiKeys,
    digest: (text) => seal.digest(text),
    changesFresh: () => store.changes.fresh(),
    withoutStoreMs: parts.config.serveWithoutDatabaseMs,
  })
  store.changes.subscribe((change) => {
    if (change.kind === 'api_key' || change.kind === 'unknown') apiKeys.forget()
  })
  const contextOf = async (row: GrantRow) => {
    const context = await engine.contexts.of(row.connection.integration)
    return engine.contexts.provider(context, row.connection.variables, row.connection.facts)
  }
  const connectPorts = composeConnectPorts(parts)
  const connect = createConnectService(connectPorts)
  const signedIn = composeSignedIn(parts)
  const pacing = composePacing(parts)
  const proxy = createProxyTransport({ guard: parts.guard, timers: systemTimers, relief: new StreamRelief(collectYoungBuffers) })
  const connections = new ConnectionService({
    ...ports,
    connections: store.connections,
    checks: store.checks,
    integrations: store.integrations,
    providers: directory,
    seal,
  })
  const sendRequest = (request: ProviderRequest) => parts.client.sendRequest(request)
  const revocation = { ...ports, connections: store.connections, credentials: store.credentials, seal, log: parts.log, sendRequest, contextOf }
  const repairPage: Services['repairLink'] = ({ row, linkRepairs }) =>
    linkRepairs ? repairLink(row.connection, parts.config.publicUrl, { seal, clock: node.clock }) : null
  const observed = composeObserved(parts, connections, repairPage)
  return {
    ...ports,
    ...signedIn,
    signIns: composeSignIn({ store, connect: connectPorts, identity: signedIn.identity, sessions: signedIn.sessions, organization: parts.organization }),
    ...composePeople({ ...ports, store, providers: directory, seal, engine, connections, connect, revocation, repairLink: repairPage }),
    engine,
    apiKeys,
    idempotency: new IdempotentRequests({ ...ports, store: store.idempotency, seal }),
    connections,
    probes: new ReuseProbes({ engine, connections, providers: directory, siblings: store.connections, sendRequest, clock: node.clock }),
    machines: composeMachines(parts),
    repairLink: repairPage,
    integrations: new IntegrationService({
      ...ports,
      integrations: store.integrations,
      providers: directory,
      seal,
      signer: parts.signing.signer,
      certificateProblem,
    }),
    providers: directory,
    organizations: store.organizations,
    settings: new OrganizationSettingsService({ ...ports, organizations: store.organizations }),
    events: store.events,
    health: parts.health,
    restore: parts.restore,
    metrics: parts.metrics,
    connect,
    proxy,
    upstream: composeUpstream(parts, proxy, pacing),
    revocation,
    ...observed,
    ...composeAlerting(parts, { connections, repairLink: repairPage, transport: proxy, live: observed.live }),
    ...composeOperate({ ...ports, store, engine, seal, ...masterKeys(parts), log: parts.log }),
    ...composeProviderEvents({ ...parts, pacing, codes: connect }),
  }
}

function masterKeys({ config, node }: ServiceParts) {
  const { keyring: ring, keyringWatch, identity } = node
  return { ring, keyringWatch, keyFile: keyFileDoor(config, ring), node: identity }
}

function composeAlerting(
  { config, node, organization, guard, log, nodeFacts: facts, tracing, counter }: ServiceParts,
  around: Pick<AlertComposition, 'connections' | 'repairLink' | 'transport'> & Pick<Services, 'live'>,
): AlertParts {
  const { store, seal, clock } = node
  const ports = { store, seal, clock, timers: systemTimers, entropy: systemEntropy, log }
  const alerting = composeAlerts({
    ...ports,
    ...around,
    config,
    guard,
    mailer: composeMailer(config, ports),
    node: node.identity.id,
    organization,
    facts,
    counter,
    tracing,
  })
  feedAlerts({ ...ports, live: around.live, alertLinks: alerting.alertLinks })
  return alerting
}

function composeObserved(
  { config, node, engine, directory, counter, log, metrics }: ServiceParts,
  connections: ConnectionService,
  repairLink: Services['repairLink'],
) {
  const ports = { clock: node.clock, timers: systemTimers, entropy: systemEntropy, log }
  const { historyMs } = config
  const about = { counter, historyMs, node: node.identity }
  const observed = composeObserve({ ...ports, store: node.store, engine, connections, repairLink, providers: directory, ...about })
  return { ...observed, live: countedStreams(observed.live, metrics.meters) }
}

/** Sessions, and the proofs of identity that open them. */
function composeSignedIn({
  config,
  node,
  log,
  organization,
  client,
}: ServiceParts): SessionParts & IdentityParts & InstallationParts & AgentParts & OperatorParts {
  const { store, seal, clock } = node
  const ports = { config, store, seal, clock, timers: systemTimers, entropy: systemEntropy, log, organization }
  const parts = composeSessions(ports)
  const installations = composeInstallations({ ...ports, ...parts })
  const agents = composeAgents({ ...ports, ...installations, client })
  const operators = composeOperators({ ...ports, ...agents })
  return {
    ...parts,
    ...installations,
    ...agents,
    ...operators,
    ...composeIdentity({ ...ports, sessions: parts.sessions, mailer: composeMailer(config, ports) }),
  }
}

function composeMachines({ node, engine, client, metrics }: ServiceParts): MachineConnections {
  const { store, seal, clock } = node
  const send: MachinePorts['send'] = (request) => client.sendRequest(request)
  const observe: MachinePorts['observe'] = (observation) => metrics.observe(observation)
  return new MachineConnections({ connections: store.connections, contexts: engine.contexts, send, observe, seal, clock, entropy: systemEntropy })
}

function composePacing({ node, log, metrics }: ServiceParts): QuotaBook {
  const { store, clock } = node
  const pacing = new QuotaBook({ clock, timers: systemTimers, quotas: store.quotas, log })
  store.changes.subscribe((change) => {
    if (change.kind === 'quota') pacing.hear(change.state)
    if (change.kind === 'unknown') pacing.doubt()
  })
  metrics.watchQuotas(() => pacing.stats())
  return pacing
}

function composeUpstream({ node, engine }: ServiceParts, proxy: ProxyTransport, pacing: QuotaBook): Upstream {
  const { store } = node
  return {
    send: (request) => proxy.send(request),
    pacing,
    contextOf: async (organization, id) => {
      const row = await store.connections.get(organization, id)
      if (row === undefined) throw connectionNotFound(id)
      const { integration, variables, facts } = row.connection
      const context = await engine.contexts.of(integration)
      const { proxyReplays: replays } = context.integration.settings
      return { context: await engine.contexts.provider(context, variables, facts), replays, quota: quotaSubject(context, id) }
    },
  }
}

function composeConnectPorts(parts: ServiceParts): ConnectPorts {
  const { config, node, directory, log } = parts
  const { store, seal } = node
  return {
    sessions: store.connectSessions,
    connections: store.connections,
    credentials: store.credentials,
    integrations: store.integrations,
    organizations: store.organizations,
    events: store.events,
    providers: directory,
    exchange: parts.exchange,
    ask: (request, { deadlineMs }) => parts.client.sendRequest(request, { deadlineMs }),
    discard: async ({ context, tokens }) => {
      const request = revokeRequest(context, tokens)
      const outcome = request === null ? null : await parts.client.sendRequest(request)
      if (outcome !== null && outcome.kind !== 'answered')
        log.warn({ provider: context.record.id, outcome: outcome.kind }, 'an unused grant could not be given back; it ends by itself')
    },
    probe: (organization, connection) => {
      // Its outcome, good or bad, is recorded by the engine itself.
      parts.engine
        .refresh(organization, connection)
        .catch((error: unknown) => log.info({ connection, error: String(error) }, 'a connection was looked at before its time'))
    },
    seal,
    signing: parts.signing,
    clock: node.clock,
    timers: systemTimers,
    entropy: systemEntropy,
    log,
    publicUrl: config.publicUrl,
  }
}

export function composeApp(config: Config, services: ComposedServices, log: Log, more: readonly ((app: App) => void)[], watch?: RequestWatch): App {
  const { publicUrl, trustedProxies, allowedOrigins } = config
  const desk = new PageDesk({ services, ...services.signIns, connect: services.connect, publicUrl, allowedOrigins, log })
  return createApp(services, {
    publicUrl,
    allowedOrigins,
    log,
    trustedProxies,
    bodyLimit: config.bodyLimitBytes,
    keyLimit: perMinute(config.rateLimitPerKey),
    failureLimit: perMinute(config.rateLimitPerAddress),
    proxyTimeoutMs: config.proxyTimeoutMs,
    ...(watch === undefined ? {} : { watch }),
    ...(config.logLevel === 'debug' ? { requestLog: (fields) => log.info(fields, 'a request was answered') } : {}),
    routes: [
      (app) => restoreRoutes(app, services.restore),
      (app) => connectSessionRoutes(app, services.connect, services.connections),
      (app) => hostedRoutes(app, { ...connectPages(services), publicUrl, log, people: connectPeople(desk) }),
      (app) => pageRoutes(app, desk),
      (app) => ownerPageRoute(app, services.signIns.visits),
      (app) => consoleFiles(app, { publicUrl }),
      (app) => consoleFromRoot(app),
      ...more,
    ],
  })
}

/** What the hosted pages may do. Whoever gives a connection up there is a browser with a link, not a person whom we know. */
function connectPages({ connect, connections, clock }: ComposedServices): Pick<HostedOptions, 'connect' | 'clock' | 'giveUp'> {
  return { connect, clock, giveUp: (connection) => connections.giveUp(connection, BROWSER) }
}
