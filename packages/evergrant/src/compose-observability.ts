import { pino, stdTimeFunctions } from 'pino'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { NodeParts } from './compose-node.ts'
import type { Config } from './config.ts'
import type { Log } from './core/log.ts'
import type { QuotaStats } from './core/pacing/quota-book.ts'
import type { PushOutcome } from './core/push/push-ports.ts'
import type { DatabaseTrust } from './core/refresh/database-trust.ts'
import type { Observation } from './core/refresh/engine-ports.ts'
import { describeSkew, type NodeWatch, SKEW_REFUSE_MS, SKEW_WARN_MS } from './core/refresh/node-watch.ts'
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
  push(provider: string, outcome: PushOutcome): void
  /** Read when metrics are rendered. */
  watch(stats: () => EngineStats, node: NodeWatch | null): void
  watchQuotas(stats: () => QuotaStats): void
}

/** Prometheus counters of one process. Labels are provider ids and outcome kinds: few, and never a person's. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  // Memory, open files, collections, and the delay of the event loop since the last reading.
  collectDefaultMetrics({ register: registry })
  const refreshes = new Counter({ name: 'evergrant_token_requests_total', help: 'Token requests by outcome.', labelNames: ['provider', 'outcome'], registers })
  const durations = new Histogram({
    name: 'evergrant_token_request_seconds',
    help: 'From connecting to the verdict.',
    labelNames: ['provider'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 75],
    registers,
  })
  const reads = new Counter({ name: 'evergrant_token_reads_total', help: 'Token reads, by where the answer came from.', labelNames: ['source'], registers })
  const pushes = new Counter({
    name: 'evergrant_pushes_total',
    help: 'Pushes of providers, and what became of them.',
    labelNames: ['provider', 'outcome'],
    registers,
  })
  const engine = new Gauge({
    name: 'evergrant_engine',
    help: 'Flights, cached tokens, open breakers and stuck writes of this node.',
    labelNames: ['what'],
    registers,
  })
  let quotas: (() => QuotaStats) | null = null
  measureQuotas(registers, () => quotas?.() ?? { usedUp: 0, pauses: 0, held: 0 })
  let fromMemory = 0
  let fromStore = 0
  const skew = new Gauge({ name: 'evergrant_clock_skew_seconds', help: 'Clock of the database minus clock of this machine.', registers })
  const lock = new Gauge({ name: 'evergrant_node_lock', help: '1 while this node shows the others that it lives.', registers })
  let stats: (() => EngineStats) | null = null
  let node: NodeWatch | null = null
  return {
    tokenRead: (memory) => {
      if (memory) fromMemory += 1
      else fromStore += 1
    },
    observe: ({ kind, provider, durationMs }) => {
      refreshes.inc({ provider, outcome: kind })
      durations.observe({ provider }, durationMs / 1_000)
    },
    push: (provider, outcome) => pushes.inc({ provider, outcome }),
    watch: (source, watch) => {
      stats = source
      node = watch
    },
    watchQuotas: (source) => {
      quotas = source
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
        engine.set(
          { what: 'stuck_writes' },
          Object.values(now.stuckWrites).reduce((sum, count) => sum + count, 0),
        )
      }
      skew.set((node?.skewMs ?? 0) / 1_000)
      lock.set(node === null || node.held ? 1 : 0)
      return registry.metrics()
    },
  }
}

function measureQuotas(registers: Registry[], stats: () => QuotaStats): void {
  new Gauge({
    name: 'evergrant_quotas',
    help: "Quotas of providers' APIs that are used up, and pauses that providers asked for, as this node knows them.",
    labelNames: ['what'],
    registers,
    collect() {
      const { usedUp, pauses } = stats()
      this.set({ what: 'used_up' }, usedUp)
      this.set({ what: 'pauses' }, pauses)
    },
  })
  new Counter({
    name: 'evergrant_quota_held_total',
    help: 'How often a request through the proxy met a quota that was used up and was not sent.',
    registers,
    collect() {
      this.reset()
      this.inc(stats().held)
    },
  })
}

/** What must work before this node should get traffic. */
export function createHealth(
  node: Pick<NodeParts, 'store' | 'watch' | 'journal'>,
  trust: Pick<DatabaseTrust, 'doubt'>,
  stats: () => EngineStats,
): HealthSource {
  const { store, watch } = node
  return {
    check: async () => {
      const { stuckWrites, draining } = stats()
      return [
        await storeCheck(store),
        check('changes', null, store.changes.fresh() ? null : 'the notification channel is silent; tokens are read from the database meanwhile'),
        // A remark: valid tokens are served all the same, and no node would be any better.
        check('database', null, trust.doubt()),
        ...(watch === null ? [] : [nodeCheck(watch), clockCheck(watch)]),
        check('journal', node.journal.healthy() ? null : 'the journal cannot be written, so no refresh is started; see the log'),
        check('writes', stuckWarning(stuckWrites)),
        check('drain', draining ? 'shutting down' : null),
      ]
    },
  }
}

/** `trouble` keeps traffic away; a `remark` is for the operator. */
function check(name: string, trouble: string | null, remark: string | null = null): HealthCheck {
  return { name, ok: trouble === null, detail: trouble ?? remark }
}

function nodeCheck(watch: NodeWatch): HealthCheck {
  return check('node', watch.held ? null : 'the connection that shows the others that this node lives is lost; no refresh is started until it is back')
}

function clockCheck({ skewMs }: NodeWatch): HealthCheck {
  const apart = Math.abs(skewMs)
  if (apart < SKEW_WARN_MS) return check('clock', null)
  const words = `${describeSkew(skewMs)}: turn on time synchronisation (NTP) on both`
  return apart < SKEW_REFUSE_MS ? check('clock', null, words) : check('clock', `${words}; no refresh is started here until then`)
}

function stuckWarning(stuck: EngineStats['stuckWrites']): string | null {
  const kinds = Object.entries(stuck)
  if (kinds.length === 0) return null
  return `writes that keep failing and go on being tried (${kinds.map(([what, count]) => `${count} ${what}`).join(', ')}): see the log`
}

async function storeCheck(store: Store): Promise<HealthCheck> {
  try {
    await store.ping()
    return check('store', null)
  } catch {
    return check('store', 'the database does not answer or refuses writes')
  }
}
