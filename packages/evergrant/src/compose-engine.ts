import type { NodeParts } from './compose-node.ts'
import type { Config } from './config.ts'
import { redirectUriOf } from './core/connect/flow-context.ts'
import type { Log } from './core/log.ts'
import type { ProviderDirectory } from './core/provider/context.ts'
import type { SigningPorts } from './core/provider/signing.ts'
import type { TokenEndpoint } from './core/provider/wire.ts'
import { createCodeExchange } from './core/refresh/code-exchange.ts'
import { createRefreshEngine, type Engine } from './core/refresh/engine.ts'
import type { EnginePorts, Observation } from './core/refresh/engine-ports.ts'
import type { CodeExchange } from './core/refresh/exchange.ts'
import type { Trust } from './core/refresh/high-water.ts'
import { protocolTimes } from './core/refresh/protocol-times.ts'
import type { NodeTracing } from './observability/node-tracing.ts'
import { witnessedEndpoint } from './outbound/date-witness.ts'
import { createKeySigner } from './seal/key-signer.ts'
import { systemEntropy, systemTimers } from './system.ts'

interface EngineParts {
  readonly engine: Engine
  readonly signing: SigningPorts
  readonly exchange: CodeExchange
}

/** The refresh engine on a node's real parts. */
export function composeEngine(
  config: Config,
  node: NodeParts,
  outside: {
    readonly trust: Trust
    readonly directory: ProviderDirectory
    readonly endpoint: TokenEndpoint
    readonly log: Log
    readonly observe: (observation: Observation) => void
    readonly tracing?: NodeTracing | null
  },
): EngineParts {
  const { store } = node
  const { tracing = null } = outside
  const decoder = new TextDecoder()
  const signing = { signer: createKeySigner(), now: () => node.clock.wall(), unique: () => systemEntropy.uuid() }
  const ports: EnginePorts = {
    clock: node.clock,
    timers: systemTimers,
    entropy: systemEntropy,
    seal: node.seal,
    log: outside.log,
    credentials: store.credentials,
    integrations: store.integrations,
    directory: outside.directory,
    redirectUriOf: (integration) => redirectUriOf(integration, config.publicUrl),
    signing,
    endpoint: witnessedEndpoint(tracing?.endpoint(outside.endpoint) ?? outside.endpoint, { clock: node.clock, log: outside.log }),
    journal: node.journal,
    node: node.identity,
    trust: outside.trust,
    nodes: store.nodes,
    liveness: node.liveness,
    changesFresh: () => store.changes.fresh(),
    times: protocolTimes(config.dangerousTimeScale),
    options: {
      cacheEntries: config.cacheEntries,
      backgroundFlights: config.workerConcurrency,
      databaseFirst: config.databaseUrl !== null,
      withoutStoreMs: config.serveWithoutDatabaseMs,
    },
    observe: outside.observe,
    ...(tracing === null ? {} : { tracing }),
    decode: (bytes) => decoder.decode(bytes),
  }
  const engine = createRefreshEngine(ports)
  store.changes.subscribe((change) => {
    switch (change.kind) {
      case 'connection':
        outside.trust.moved(change.connection)
        return engine.forget(change.connection)
      case 'integration':
        engine.contexts.forget(change.integration)
        return engine.forget('all')
      case 'unknown':
        engine.contexts.forget('all')
        return engine.forget('all')
      case 'api_key':
      case 'quota':
      case 'session':
      case 'user':
      case 'organization':
      case 'signing_key':
      case 'agent':
      case 'installation':
      case 'alert':
      case 'delivery':
        return undefined
    }
  })
  return { engine, signing, exchange: createCodeExchange(ports) }
}
