import { createRefreshEngine } from '../../../evergrant/src/engine.ts'
import type { EngineFactory, EngineKind } from './seed-report.ts'

/** The real engine behind the small interface of a simulated node. */
export const protocolEngine: EngineFactory = (ports) => {
  const engine = createRefreshEngine(ports)
  return {
    peek: (request) => engine.peek(request),
    token: (request) => engine.token(request),
    refresh: (organization, connection) => engine.refresh(organization, connection),
    recover: () => engine.recover(),
    runDue: () => engine.runDue(),
    flushInterest: () => engine.flushInterest(),
    forget: (connection) => engine.forget(connection),
    forgetIntegration: (integration) => {
      engine.contexts.forget(integration === 'all' ? 'all' : (integration as `int_${string}`))
      engine.forget('all')
    },
    takeOverLost: () => engine.takeOverLost(),
    freeForgotten: () => engine.freeForgotten(),
    drain: () => engine.drain(),
  }
}

const ENGINES = new Map<EngineKind, EngineFactory>([['protocol', protocolEngine]])

/** Adds an engine to compare with. */
export function registerEngine(kind: EngineKind, factory: EngineFactory): void {
  ENGINES.set(kind, factory)
}

/** @throws Error for an engine that nobody registered */
export function engineFactory(kind: EngineKind): EngineFactory {
  const factory = ENGINES.get(kind)
  if (factory === undefined) throw new Error(`there is no engine ${kind}`)
  return factory
}
