import { pino, stdTimeFunctions } from 'pino'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Config } from './config.ts'
import type { Log } from './core/log.ts'
import type { Observation } from './core/refresh/engine-ports.ts'
import type { EngineStats } from './core/refresh/refresh-engine.ts'
import type { HealthCheck, HealthSource, MetricsSource } from './http/services.ts'
import type { Store } from './store/index.ts'

/** Structured lines on standard error, so that standard output stays the command's own. */
export function createLog(config: Pick<Config, 'logLevel'>): Log {
  const logger = pino({ level: config.logLevel, base: null, timestamp: stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: false }))
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  }
}

export interface Metrics extends MetricsSource {
  observe(observation: Observation): void
  /** Read when metrics are rendered. */
  watch(stats: () => EngineStats): void
}

/** Prometheus counters of one process. Labels are provider ids and outcome kinds: few, and never a person's. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const refreshes = new Counter({ name: 'evergrant_token_requests_total', help: 'Token requests by outcome.', labelNames: ['provider', 'outcome'], registers })
  const durations = new Histogram({
    name: 'evergrant_token_request_seconds',
    help: 'From connecting to the verdict.',
    labelNames: ['provider'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 75],
    registers,
  })
  const reads = new Counter({ name: 'evergrant_token_reads_total', help: 'Token reads, by where the answer came from.', labelNames: ['source'], registers })
  const engine = new Gauge({ name: 'evergrant_engine', help: 'Flights, cached tokens and open breakers of this node.', labelNames: ['what'], registers })
  let fromMemory = 0
  let fromStore = 0
  let stats: (() => EngineStats) | null = null
  return {
    tokenRead: (memory) => {
      if (memory) fromMemory += 1
      else fromStore += 1
    },
    observe: ({ kind, provider, durationMs }) => {
      refreshes.inc({ provider, outcome: kind })
      durations.observe({ provider }, durationMs / 1_000)
    },
    watch: (source) => {
      stats = source
    },
    render: () => {
      reads.reset()
      reads.inc({ source: 'memory' }, fromMemory)
      reads.inc({ source: 'store' }, fromStore)
      const now = stats?.()
      if (now !== undefined) {
        engine.set({ what: 'flights' }, now.flights)
        engine.set({ what: 'cached' }, now.cached)
        engine.set({ what: 'open_breakers' }, now.openBreakers)
      }
      return registry.metrics()
    },
  }
}

/** What must work before this node should get traffic. */
export function createHealth(store: Store, stats: () => EngineStats): HealthSource {
  return {
    check: async () => [
      await storeCheck(store),
      { name: 'changes', ok: true, detail: store.changes.fresh() ? null : 'the notification channel is silent; tokens are read from the database meanwhile' },
      stats().draining ? { name: 'drain', ok: false, detail: 'shutting down' } : { name: 'drain', ok: true, detail: null },
    ],
  }
}

async function storeCheck(store: Store): Promise<HealthCheck> {
  try {
    await store.ping()
    return { name: 'store', ok: true, detail: null }
  } catch {
    return { name: 'store', ok: false, detail: 'the database does not answer or refuses writes' }
  }
}
