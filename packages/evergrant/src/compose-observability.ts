import { existsSync } from 'node:fs'
import { pino, stdTimeFunctions } from 'pino'
import type { NodeParts } from './compose-node.ts'
import { type Config, dangerousSwitches } from './config.ts'
import type { Log, LogFields } from './core/log.ts'
import type { Operations, Workload } from './core/operate/operations.ts'
import type { QuotaStats } from './core/pacing/quota-book.ts'
import type { PushOutcome } from './core/push/push-ports.ts'
import type { DatabaseTrust } from './core/refresh/database-trust.ts'
import type { Observation } from './core/refresh/engine-ports.ts'
import type { Journal } from './core/refresh/journal.ts'
import { describeSkew, type NodeWatch, SKEW_REFUSE_MS, SKEW_WARN_MS } from './core/refresh/node-watch.ts'
import type { EngineStats } from './core/refresh/refresh-engine.ts'
import { type Instant, SECOND } from './core/time.ts'
import { databaseFile } from './database-file.ts'
import type { HealthCheck, HealthSource, MetricsSource } from './http/services.ts'
import { createMeters, type Meters } from './observability/meters.ts'
import type { Scopes } from './observability/scopes.ts'
import type { Store } from './store/index.ts'

/** Told of everything that goes to the log as an error: for a service that collects errors. Must not throw; what it throws is dropped. */
export type OnError = (report: ErrorReport) => void

export interface ErrorReport {
  readonly message: string
  /** Ids, codes and numbers, and which request and trace it was; never a secret. */
  readonly fields: LogFields
}

/** Structured lines on standard error, so that standard output stays the command's own. Each says which request and which trace it belongs to. */
export function createLog(config: Pick<Config, 'logLevel'>, scopes: Scopes, onError: OnError = () => {}): Log {
  const logger = pino(
    { level: config.logLevel, base: null, timestamp: stdTimeFunctions.isoTime, mixin: () => scopes.facts() },
    pino.destination({ dest: 2, sync: false }),
  )
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => {
      logger.error(fields, message)
      try {
        onError({ message, fields: { ...scopes.facts(), ...fields } })
      } catch {
        // Whoever collects errors may be broken; the line above is written.
      }
    },
  }
}

export interface Metrics extends MetricsSource {
  readonly meters: Meters
  observe(observation: Observation): void
  push(provider: string, outcome: PushOutcome): void
  /** Read when metrics are rendered. */
  watch(stats: () => EngineStats, node: NodeWatch | null): void
  watchQuotas(stats: () => QuotaStats): void
  watchHealth(health: HealthSource): void
  watchJournal(journal: Pick<Journal, 'unsettled'>): void
  watchWorkload(operations: Pick<Operations, 'workload'>, now: () => Instant): void
}

/** What is asked when metrics are rendered. */
interface Sources {
  stats: (() => EngineStats) | null
  node: NodeWatch | null
  quotas: (() => QuotaStats) | null
  health: HealthSource | null
  journal: Pick<Journal, 'unsettled'> | null
  workload: (() => Promise<Workload>) | null
  now: () => Instant
}

/** Prometheus counters of one process, all from one table. Labels are provider ids, kinds and codes: few, and never a person's. */
export function createMetrics(): Metrics {
  const meters = createMeters()
  beginAtZero(meters)
  const providers = new Set<string>()
  const sources: Sources = { stats: null, node: null, quotas: null, health: null, journal: null, workload: null, now: () => 0 }
  const reads = { memory: 0, store: 0 }
  const counted = { memory: 0, store: 0, held: 0 }
  return {
    meters,
    tokenRead: (memory) => {
      if (memory) reads.memory += 1
      else reads.store += 1
    },
    observe: ({ kind, provider, durationMs, leadMs }) => {
      if (!providers.has(provider)) for (const outcome of OUTCOMES) meters.count('evergrant_token_requests_total', { provider, outcome }, 0)
      providers.add(provider)
      meters.count('evergrant_token_requests_total', { provider, outcome: kind })
      meters.observe('evergrant_token_request_seconds', { provider }, durationMs / SECOND)
      if (leadMs !== undefined) meters.observe('evergrant_refresh_lead_seconds', {}, leadMs / SECOND)
    },
    push: (provider, outcome) => meters.count('evergrant_pushes_total', { provider, outcome }),
    watch: (source, watch) => {
      sources.stats = source
      sources.node = watch
    },
    watchQuotas: (source) => {
      sources.quotas = source
    },
    watchHealth: (health) => {
      sources.health = health
    },
    watchJournal: (journal) => {
      sources.journal = journal
    },
    watchWorkload: (operations, now) => {
      sources.workload = keptFor(WORKLOAD_KEPT_MS, now, () => operations.workload())
      sources.now = now
    },
    render: async () => {
      for (const source of ['memory', 'store'] as const) {
        meters.count('evergrant_token_reads_total', { source }, reads[source] - counted[source])
        counted[source] = reads[source]
      }
      const held = sources.quotas?.().held ?? 0
      meters.count('evergrant_quota_held_total', {}, held - counted.held)
      counted.held = held
      renderNode(meters, sources)
      await Promise.all([renderHealth(meters, sources), renderWorkload(meters, sources)])
      return meters.text()
    },
  }
}

/** Metrics ask for no key: whoever reads them in a loop must not keep the database busy. */
const WORKLOAD_KEPT_MS = 5 * SECOND

function keptFor<Value>(ms: number, now: () => Instant, read: () => Promise<Value>): () => Promise<Value> {
  let last: { readonly at: Instant; readonly value: Promise<Value> } | null = null
  return () => {
    if (last === null || Math.abs(now() - last.at) >= ms) last = { at: now(), value: read() }
    return last.value
  }
}

const OUTCOMES: readonly Observation['kind'][] = ['granted', 'pre_send', 'throttled', 'unknown', 'dead', 'config']

/** A series that appears with its first bad news shows no increase: what alerts watch begins at zero. */
function beginAtZero(meters: Meters): void {
  for (const outcome of ['rotate', 'replay', 'reissue', 'reuse']) meters.count('evergrant_session_presentations_total', { outcome }, 0)
  for (const outcome of ['issue', 'refused', 'clone']) meters.count('evergrant_sdk_presentations_total', { outcome }, 0)
  for (const outcome of ['delivered', 'refused', 'unreachable']) meters.count('evergrant_webhook_tries_total', { outcome }, 0)
  for (const outcome of ['sent', 'retried', 'failed', 'dropped']) meters.count('evergrant_notices_total', { outcome }, 0)
  for (const outcome of ['sent', 'retried', 'failed', 'skipped']) meters.count('evergrant_owner_letters_total', { outcome }, 0)
  for (const reason of ['seal_key_missing', 'seal_broken']) meters.count('evergrant_seal_failures_total', { reason }, 0)
}

function renderNode(meters: Meters, { stats, node, quotas, journal }: Sources): void {
  meters.set('evergrant_journal_answers', {}, journal?.unsettled?.() ?? 0)
  const now = stats?.()
  if (now !== undefined) {
    const stuck = Object.values(now.stuckWrites).reduce((sum, count) => sum + count, 0)
    meters.set('evergrant_engine', { what: 'flights' }, now.flights)
    meters.set('evergrant_engine', { what: 'cached' }, now.cached)
    meters.set('evergrant_engine', { what: 'open_breakers' }, now.openBreakers)
    meters.set('evergrant_engine', { what: 'stuck_writes' }, stuck)
  }
  const { usedUp, pauses } = quotas?.() ?? { usedUp: 0, pauses: 0 }
  meters.set('evergrant_quotas', { what: 'used_up' }, usedUp)
  meters.set('evergrant_quotas', { what: 'pauses' }, pauses)
  meters.set('evergrant_clock_skew_seconds', {}, (node?.skewMs ?? 0) / SECOND)
  meters.set('evergrant_node_lock', {}, node === null || node.held ? 1 : 0)
}

async function renderHealth(meters: Meters, { health }: Sources): Promise<void> {
  for (const { name, ok } of (await health?.check()) ?? []) meters.set('evergrant_ready', { check: name }, ok ? 1 : 0)
}

/** A database that is away takes its figures with it: what was last known would be a lie. */
async function renderWorkload(meters: Meters, { workload, now }: Sources): Promise<void> {
  meters.clear('evergrant_alerts_open')
  meters.clear('evergrant_queue')
  meters.clear('evergrant_queue_age_seconds')
  const found = await workload?.().catch(() => null)
  if (found === null || found === undefined) return
  const { oldestDueAt, alerts, ...queues } = found
  for (const [what, size] of Object.entries(queues)) meters.set('evergrant_queue', { what }, size)
  meters.set('evergrant_queue_age_seconds', {}, oldestDueAt === null ? 0 : Math.max(0, now() - oldestDueAt) / SECOND)
  for (const { kind, severity, open } of alerts) meters.set('evergrant_alerts_open', { kind, severity }, open)
}

/** What somebody wrote down on purpose, or long ago, and should be reminded of. */
export function warnOfConfiguration(
  config: Pick<Config, 'dangerousPrivateHosts' | 'dangerousTimeScale' | 'renamedKeys' | 'databaseUrl' | 'dataDir'>,
  log: Log,
): void {
  const embedded = databaseFile(config)
  // Whoever sets the URL and expects their connections to be there would find an empty server, and nothing that says why.
  if (config.databaseUrl !== null && existsSync(embedded))
    log.warn(
      { file: embedded },
      'this server runs on PostgreSQL, and the embedded database in its data folder is not read: what is in it moves with `evergrant backup` and `evergrant restore` (docs/guides/run-on-postgres.md); move the file away once it is not needed',
    )
  for (const { before, name } of config.renamedKeys)
    log.warn({ key: before, now: name }, `${before} is now called ${name}: rename it, the old name ends with the next major version`)
  const switches = dangerousSwitches(config)
  if (switches.length > 0) log.warn({ switches: switches.join(', ') }, 'dangerous switches are on; `evergrant doctor` says what each of them opens')
}

/** What must work before this node should get traffic. */
export function createHealth(
  config: Pick<Config, 'dangerousPrivateHosts' | 'dangerousTimeScale'>,
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
        check('dangerous switches', null, dangerousSwitches(config).join(', ') || null),
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
