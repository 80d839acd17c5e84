import type { NodeParts } from './compose-node.ts'
import type { Metrics } from './compose-observability.ts'
import type { Config } from './config.ts'
import { ConnectionChecks } from './core/connection/check-connection.ts'
import { RoutineChecks } from './core/connection/routine-checks.ts'
import type { DriftWatch } from './core/drift/drift-watch.ts'
import type { Log } from './core/log.ts'
import type { QuotaBook } from './core/pacing/quota-book.ts'
import type { ProviderDirectory } from './core/provider/context.ts'
import type { PushedCodes } from './core/push/push-ports.ts'
import { createPushService, type PushService } from './core/push/push-service.ts'
import type { Engine } from './core/refresh/engine.ts'
import type { ProviderClient } from './outbound/provider-client.ts'
import { proofCipher } from './seal/proof-cipher.ts'
import { systemEntropy } from './system.ts'

export interface ProviderEvents {
  readonly checks: ConnectionChecks
  readonly routineChecks: RoutineChecks
  readonly pushes: PushService
}

interface EventParts {
  readonly config: Pick<Config, 'publicUrl'>
  readonly node: Pick<NodeParts, 'store' | 'seal' | 'clock'>
  readonly engine: Engine
  readonly directory: ProviderDirectory
  readonly client: ProviderClient
  readonly log: Log
  readonly metrics: Pick<Metrics, 'push'>
  readonly drift: DriftWatch
  readonly pacing: QuotaBook
  readonly codes: PushedCodes
}

/** What providers push, and what we ask them to know that a connection works. */
export function composeProviderEvents({ config, node, engine, directory, client, log, metrics, drift, pacing, codes }: EventParts): ProviderEvents {
  const { store, seal, clock } = node
  const ports = { clock, entropy: systemEntropy, log, seal }
  const checks = new ConnectionChecks({
    ...ports,
    checks: store.checks,
    connections: store.connections,
    engine,
    contexts: engine.contexts,
    pacing,
    sendRequest: (request) => client.sendRequest(request),
    answered: (row, { record }, answer) => drift.look({ record, organization: row.connection.organization, step: 'check', answer }),
  })
  const routineChecks = new RoutineChecks({
    ...ports,
    check: checks,
    checks: store.checks,
    connections: store.connections,
    integrations: store.integrations,
    organizations: store.organizations,
    providers: directory,
    contexts: engine.contexts,
  })
  const pushes = createPushService(
    {
      ...ports,
      pushes: store.pushes,
      connections: store.connections,
      events: store.events,
      contexts: engine.contexts,
      checks,
      stored: store.checks,
      engine,
      codes,
      cipher: proofCipher,
      count: (provider, outcome) => metrics.push(provider, outcome),
    },
    directory,
    config.publicUrl,
  )
  return { checks, routineChecks, pushes }
}
