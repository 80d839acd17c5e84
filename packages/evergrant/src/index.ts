import { startChores } from './compose-chores.ts'
import { composeEngine } from './compose-engine.ts'
import { type NodeParts, openNode } from './compose-node.ts'
import { createHealth, createLog, createMetrics, type Metrics, type OnError, warnOfConfiguration } from './compose-observability.ts'
import { countingUses, ownVersion } from './compose-observe.ts'
import { type ComposedServices, composeApp, composeServices } from './compose-services.ts'
import { openTracing } from './compose-tracing.ts'
import { composeRestore, composeTrust } from './compose-trust.ts'
import { requestWatch, watchedNode } from './compose-watched-node.ts'
import type { Config } from './config.ts'
import { KeptExchanges } from './core/connect/kept-exchanges.ts'
import { DriftWatch } from './core/drift/drift-watch.ts'
import { Fault } from './core/fault/fault.ts'
import { newId, type OrganizationId } from './core/ids.ts'
import type { Log } from './core/log.ts'
import { HistoryCounter } from './core/observe/history-counter.ts'
import type { ProviderRecord } from './core/provider/record.ts'
import type { DatabaseTrust } from './core/refresh/database-trust.ts'
import type { Observation } from './core/refresh/engine-ports.ts'
import { markingConnections } from './core/refresh/marking-connections.ts'
import type { NodeAbout } from './core/refresh/nodes.ts'
import type { DrainReport } from './core/refresh/refresh-engine.ts'
import { watchSeal } from './core/seal/watched-seal.ts'
import { MINUTE, SECOND } from './core/time.ts'
import { Leaving } from './http/leaving.ts'
import type { App } from './http/schema.ts'
import type { NodeTracing } from './observability/node-tracing.ts'
import { Scopes } from './observability/scopes.ts'
import { createAddressGuard } from './outbound/address-guard.ts'
import { createEgress } from './outbound/egress.ts'
import { createProviderClient } from './outbound/provider-client.ts'
import { createTokenEndpoint } from './outbound/token-endpoint.ts'
import { createProviderDirectory } from './providers/directory.ts'
import { catalogue } from './providers/index.ts'
import { loadProviderFolder } from './providers/load.ts'
import type { Worker } from './schedule/worker.ts'
import type { Store } from './store/index.ts'
import { systemClock, systemEntropy, systemTimers } from './system.ts'

export type { ErrorReport, OnError } from './compose-observability.ts'
export type { Config } from './config.ts'
export { loadConfig, readConfig } from './config.ts'
export { Fault }

/** One running node. */
export interface Evergrant {
  readonly services: ComposedServices
  readonly app: App
  /** The organization that exists from the start. */
  readonly organization: OrganizationId
  readonly publicUrl: string
  /** Starts serving and renewing. Resolves with the local address. */
  listen(): Promise<string>
  /** Resolves if this process can no longer trust its database: drain, close, and let a supervisor start it again. */
  readonly lost: Promise<Error>
  /** Stops starting anything; waits until every answer in hand is in the database (in the journal, if the database is lost). */
  drain(): Promise<DrainReport>
  close(): Promise<void>
}

/** On a shared database another node may be in the middle of a code exchange: it gets this long. */
const OTHER_NODES_EXCHANGE_MS = 5 * MINUTE

/** A value that did not open counts as long as this. */
const UNOPENED_COUNTS_MS = 15 * MINUTE

/** Letters that are on their way get this long; one that waits for another try is lost, and its person asks again. */
const LETTERS_MS = 5 * SECOND

/** What a start may add: provider records, routes, and something to do once the services stand. */
export interface Extension {
  readonly records: readonly ProviderRecord[]
  readonly routes: (parts: ExtensionParts) => readonly ((app: App) => void)[]
  readonly ready: (parts: ExtensionParts) => Promise<void>
  /** Told of every error line of the log: for a service that collects errors. */
  readonly onError?: OnError
}

export interface ExtensionParts {
  readonly services: ComposedServices
  readonly store: Store
  readonly organization: OrganizationId
}

/**
 * Opens a node: database, keys, journal, then recovery, so that nothing is presented before what was in flight is known.
 * Nothing listens and nothing is renewed until `listen`. `kind`: what the other nodes of the database are told.
 * @throws Fault when the configuration, the keys or the database do not allow a safe start
 */
export async function createEvergrant(config: Config, extension?: Extension, kind: NodeAbout['kind'] = 'server'): Promise<Evergrant> {
  const { scopes, log, metrics, tracing, node, missing } = await openWatched(config, extension, kind)
  const { dangerousPrivateHosts, development, egressProxy, egressDirect } = config
  const egress = egressProxy === null ? null : createEgress(egressProxy.reveal(), egressDirect)
  const guard = createAddressGuard({ allowPrivateHosts: dangerousPrivateHosts, development, egress })
  const endpoint = createTokenEndpoint({ guard, timers: systemTimers })
  const client = createProviderClient({ guard, timers: systemTimers })
  try {
    const records = config.providersDir === null ? catalogue : await loadProviderFolder(config.providersDir, catalogue)
    const directory = createProviderDirectory({
      records: [...records, ...(extension?.records ?? [])],
      fetchJson: (url) => client.fetchJson(url),
      clock: node.clock,
    })
    const organization = await defaultOrganization(node.store, config)
    const trust = composeTrust(config, node, organization, log)
    const drift = new DriftWatch({ events: node.store.events, seal: node.seal, clock: node.clock, entropy: systemEntropy, log })
    const counter = new HistoryCounter({ observed: node.store.observed, clock: node.clock, incarnation: node.identity.incarnation })
    const { engine, exchange, signing } = composeEngine(config, node, { trust, directory, endpoint, log, observe: observer(metrics, drift, counter), tracing })
    metrics.watch(() => engine.stats(), node.watch)
    const connections = markingConnections(node.store.connections, { contexts: engine.contexts, trust, log })
    const leaving = new Leaving({ clock: node.clock, timers: systemTimers })
    const health = createHealth(config, node, trust, () => ({ ...engine.stats(), ...(leaving.begun ? { draining: true } : {}) }))
    metrics.watchHealth(health)
    const services = composeServices({
      config,
      node: { ...node, store: { ...node.store, connections, uses: countingUses(node.store.uses, counter) } },
      organization,
      engine,
      exchange,
      signing,
      directory,
      client,
      guard,
      log,
      metrics,
      tracing,
      counter,
      nodeFacts: async () => ({ journal: node.journal.unsettled?.() ?? 0, unopened: missing(UNOPENED_COUNTS_MS) }),
      drift,
      restore: composeRestore(config, node, trust, organization),
      health,
    })

    const recovered = await engine.recover()
    const keptExchanges = composeKeptExchanges(node, services)
    const resumed = await keptExchanges.recover(config.databaseUrl === null ? 0 : OTHER_NODES_EXCHANGE_MS)
    if (recovered.reclaimed + recovered.replayed + resumed > 0) log.info({ ...recovered, resumed }, 'what an earlier start left in flight is accounted for')
    const parts: ExtensionParts = { services, store: node.store, organization }
    const app = composeApp(config, services, log, extension?.routes(parts) ?? [], requestWatch(metrics.meters, scopes, tracing))
    leaving.watch(app.server)
    await extension?.ready(parts)
    return runnable({
      config,
      leaving,
      log,
      node,
      app,
      services,
      organization,
      engine,
      keptExchanges,
      trust,
      stop: () => endpoint.close(),
      tracing,
    })
  } catch (error) {
    endpoint.close()
    await node.journal.close()
    await node.marks.close()
    await node.membership.leave()
    await node.store.close()
    throw error
  }
}

/** The node, its log, and what watches both. */
async function openWatched(config: Config, extension: Extension | undefined, kind: NodeAbout['kind']) {
  const scopes = new Scopes()
  const metrics = createMetrics()
  const log = createLog(config, scopes, (report) => {
    metrics.meters.count('evergrant_errors_total', {})
    extension?.onError?.(report)
  })
  warnOfConfiguration(config, log)
  const opened = await openNode(config, log, kind)
  const about = { node: opened.identity.id, version: ownVersion() }
  const tracing = await openTracing(config, about, scopes)
  const watched = watchedNode(opened, metrics.meters, tracing)
  const { seal, missing } = watchSeal(watched.seal, watched.clock)
  metrics.meters.set('evergrant_build_info', about, 1)
  metrics.watchJournal(watched.journal)
  metrics.watchWorkload(watched.store.operations, () => watched.clock.wall())
  return { scopes, log, metrics, tracing, missing, node: { ...watched, seal } }
}

/** An address that cannot be had is the operator's to choose, and no defect. */
function refuseAddress({ host, port }: Config, error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const why = code === 'EADDRINUSE' ? 'another program listens there' : code === 'EACCES' ? 'this user may not' : 'this machine has no such address'
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL' && code !== 'ENOTFOUND') throw error
  const detail = `cannot listen on ${host}, port ${port}: ${why}. Set EVERGRANT_PORT to a free port, or correct EVERGRANT_HOST.`
  throw new Fault('invalid_request', { field: code === 'EADDRINUSE' ? 'EVERGRANT_PORT' : 'EVERGRANT_HOST', detail, cause: error })
}

interface RunnableParts {
  readonly config: Config
  readonly log: Log
  readonly node: NodeParts
  readonly app: App
  readonly services: ComposedServices
  readonly organization: OrganizationId
  readonly engine: ReturnType<typeof composeEngine>['engine']
  readonly keptExchanges: KeptExchanges
  readonly trust: DatabaseTrust
  readonly leaving: Leaving
  readonly stop: () => void
  readonly tracing: NodeTracing | null
}

function runnable(parts: RunnableParts): Evergrant {
  const { config, app, engine, node, services } = parts
  let worker: Worker | null = null
  let lost = false
  void node.lost.then(() => {
    lost = true
  })
  return {
    lost: node.lost,
    services,
    app,
    organization: parts.organization,
    publicUrl: config.publicUrl,
    listen: async () => {
      // Before the first machine comes back.
      await services.downtime.tick().catch((error: unknown) => parts.log.warn({ error: String(error) }, 'tokens that ended meanwhile were not excused yet'))
      const url = await app.listen({ host: config.host, port: config.port }).catch((error: unknown) => refuseAddress(config, error))
      const { keptExchanges, trust, log } = parts
      worker = startChores({ config, ...node, engine, keptExchanges, trust, revocation: services.revocation, services, timers: systemTimers, log })
      return url
    },
    drain: async () => {
      if (!lost) await parts.leaving.begin()
      const drained = engine.drain(config.drainMs, lost ? 'kept' : 'landed')
      await worker?.stop()
      // For people who look at the list of nodes; the lock is kept until the end.
      await node.watch?.beat(true).catch(() => {})
      return drained
    },
    close: async () => {
      await worker?.stop()
      await app.close()
      // Theft is told by which generations were seen: those of the last second are written before the store closes.
      await services.guard.flush().catch((error: unknown) => parts.log.warn({ error: String(error) }, 'the last uses of sessions were not noted'))
      await services.installationGuard
        .flush()
        .catch((error: unknown) => parts.log.warn({ error: String(error) }, 'the last uses of installations were not noted'))
      await services.uses.flush()
      await services.history.flush().catch((error: unknown) => parts.log.warn({ error: String(error) }, 'the last minute of the history was not written'))
      await services.postbox.drain(LETTERS_MS)
      // At most a try's deadline; what is not written down is sent again.
      await services.alertChores.deliveries.settled()
      services.proxy.close()
      parts.stop()
      await node.journal.close()
      await node.marks.close()
      await node.membership.leave().catch((error: unknown) => parts.log.warn({ error: String(error) }, 'the row of this node stays'))
      await node.store.close()
      await parts.tracing?.close()
    },
  }
}

/** Measures every presentation, and looks at some of the answers. */
function observer(metrics: Metrics, drift: DriftWatch, counter: HistoryCounter): (observation: Observation) => void {
  return (observation) => {
    metrics.observe(observation)
    counter.observe(observation)
    if (observation.live !== undefined) drift.look(observation.live)
  }
}

function composeKeptExchanges({ journal, clock }: NodeParts, { connect }: ComposedServices): KeptExchanges {
  const decoder = new TextDecoder()
  return new KeptExchanges({ connect, journal, clock, decode: (body) => decoder.decode(body) })
}

async function defaultOrganization(store: Store, config: Config): Promise<OrganizationId> {
  const existing = await store.organizations.bySlug('default')
  if (existing !== undefined) return existing.id
  const id = newId('org', systemEntropy)
  const createdAt = systemClock.wall()
  const event = {
    id: newId('evt', systemEntropy),
    organization: id,
    type: 'organization.created' as const,
    at: createdAt,
    actor: { kind: 'system', id: null } as const,
    connection: null,
    subject: id,
    data: {},
  }
  const inserted = await store.organizations.insert({ id, name: config.organizationName, slug: 'default', createdAt }, event)
  if (inserted === 'inserted') return id
  return defaultOrganization(store, config)
}
