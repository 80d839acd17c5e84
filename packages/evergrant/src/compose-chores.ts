import type { OperateParts } from './compose-operate.ts'
import type { ProviderEvents } from './compose-provider-events.ts'
import type { Config } from './config.ts'
import type { DowntimeTickets } from './core/agent/downtime-tickets.ts'
import type { TrustService } from './core/agent/trust/trust-service.ts'
import type { KeptExchanges } from './core/connect/kept-exchanges.ts'
import type { RevocationPorts } from './core/connection/revocation-worker.ts'
import type { Log } from './core/log.ts'
import type { HistoryService } from './core/observe/history-service.ts'
import type { AddressWatch } from './core/operate/address-watch.ts'
import type { KeyringWatch } from './core/operate/keyring-watch.ts'
import type { DatabaseTrust } from './core/refresh/database-trust.ts'
import type { Engine } from './core/refresh/engine.ts'
import type { NodeWatch } from './core/refresh/node-watch.ts'
import type { SigningKeys } from './core/session/signing-keys.ts'
import { type Clock, DAY, HOUR, type Instant, type Timers } from './core/time.ts'
import {
  type AlertChoreParts,
  alertChores,
  eventChores,
  historyChore,
  keptExchangeChore,
  keyChores,
  nodeChores,
  operateChores,
  reachableChore,
  signingKeyChore,
  trustChore,
} from './schedule/node-chores.ts'
import { type Chore, startWorker, type Worker } from './schedule/worker.ts'
import type { Store } from './store/index.ts'
import { systemEntropy } from './system.ts'

const ANSWERS_KEPT_MS = 72 * HOUR
const CIPHERTEXT_KEPT_MS = 30 * DAY
const SESSIONS_KEPT_MS = 7 * DAY
const IDEMPOTENCY_KEPT_MS = DAY
/** As long as that a client that comes back is told why its session ended. */
const ENDED_SESSIONS_KEPT_MS = 30 * DAY
/** Older ones are known by their generation alone, and are refused as before. */
const SDK_TOKENS_KEPT_MS = 7 * DAY
/** Installations of workloads after their absolute end: until then it can be looked at what they were. */
const WORKLOADS_KEPT_MS = 7 * DAY
const RECOVERY_ATTEMPTS_KEPT_MS = 90 * DAY
const LOST_NODES_KEPT_MS = 7 * DAY
/** A replay of a push is known as long as this. */
const PUSHES_KEPT_MS = 90 * DAY
const EVENT_KEYS_KEPT_MS = 7 * DAY
/** Tickets past their end, counts of names that nobody tried, authenticators that were never confirmed. */
const IDENTITY_KEPT_MS = DAY
const TRUST_SNAPSHOTS_KEPT_MS = 400 * DAY
/** What the trust score looks back at, and a day. */
const INSTALLATION_DAYS_KEPT_MS = 91 * DAY
/** Who used which connection. */
const USES_KEPT_MS = 90 * DAY
/** What was asked and decided stays in the events. */
const APPROVALS_KEPT_MS = 30 * DAY
const ENROLMENTS_KEPT_MS = DAY
/** Nobody can take them back after ten minutes. */
const BULKS_KEPT_MS = DAY
const DELIVERIES_KEPT_MS = 30 * DAY
const ALERTS_KEPT_MS = 180 * DAY
const SWEEPS_KEPT_MS = 90 * DAY
const PURGE_BATCH = 500

interface ChoreParts {
  readonly config: Config
  readonly store: Store
  readonly engine: Engine
  readonly revocation: RevocationPorts
  readonly keptExchanges: Pick<KeptExchanges, 'retry'>
  readonly services: Pick<ProviderEvents, 'pushes' | 'routineChecks'> & {
    readonly signingKeys: Pick<SigningKeys, 'tick'>
    readonly downtime: Pick<DowntimeTickets, 'tick'>
    readonly trust: Pick<TrustService, 'work'>
    readonly history: Pick<HistoryService, 'work'>
    readonly sweeps: Pick<OperateParts['sweeps'], 'work'>
    readonly reports: Pick<OperateParts['reports'], 'work'>
    readonly keys: Pick<OperateParts['keys'], 'work'>
    readonly alertChores: AlertChoreParts
  }
  readonly watch: NodeWatch | null
  readonly keyringWatch: Pick<KeyringWatch, 'look'>
  readonly addressWatch: Pick<AddressWatch, 'look'>
  readonly trust: DatabaseTrust
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

/** Everything a node does by itself. */
export function startChores(parts: ChoreParts): Worker {
  const { engine, timers, log, watch, trust, clock, store } = parts
  const warnings = { clock, entropy: systemEntropy, credentials: store.credentials }
  const purging: Chore = { name: 'purge', everyMs: HOUR, run: () => purge(store, clock) }
  const { historyMs } = parts.config
  const forgetting: readonly Chore[] = historyMs === null ? [] : [{ name: 'retention', everyMs: HOUR, run: () => forget(store, clock.wall() - historyMs) }]
  return startWorker(
    [
      ...nodeChores({ engine, revocation: parts.revocation, watch, trust, warnings }),
      keptExchangeChore(parts.keptExchanges),
      ...eventChores(parts.services, trust),
      signingKeyChore(parts.services.signingKeys),
      reachableChore(parts.services.downtime),
      trustChore(parts.services.trust),
      historyChore(parts.services.history),
      ...operateChores(parts.services),
      ...keyChores(parts.services.keys, parts.keyringWatch, parts.addressWatch),
      ...alertChores(parts.services.alertChores),
      purging,
      ...forgetting,
    ],
    { timers, log },
  )
}

/** Routine only: an event that says more than that a refresh went well stays, and so does an answer that was never applied. */
async function forget(store: Store, before: Instant): Promise<boolean> {
  let more = (await store.credentials.forgetAnswers(before, PURGE_BATCH)) === PURGE_BATCH
  for (const { id } of await store.organizations.list()) {
    if ((await store.events.forgetRefreshes(id, before, PURGE_BATCH)) === PURGE_BATCH) more = true
  }
  return more
}

/** Nothing is deleted because it failed; only what is past a stated time. */
async function purge(store: Store, clock: Clock): Promise<boolean> {
  const now = clock.wall()
  const done = await Promise.all([
    store.credentials.cutAnswers(now - ANSWERS_KEPT_MS, PURGE_BATCH),
    store.connections.purge(now - CIPHERTEXT_KEPT_MS, PURGE_BATCH),
    store.connectSessions.purge(now - SESSIONS_KEPT_MS, PURGE_BATCH),
    store.idempotency.purge(now - IDEMPOTENCY_KEPT_MS, PURGE_BATCH),
    store.nodes.forgetLost(now - LOST_NODES_KEPT_MS),
    store.pushes.forget(now - PUSHES_KEPT_MS, PURGE_BATCH),
    store.events.forgetKeys(now - EVENT_KEYS_KEPT_MS, PURGE_BATCH),
    store.tickets.purge(now - IDENTITY_KEPT_MS, PURGE_BATCH),
    store.enrolments.purge(now - ENROLMENTS_KEPT_MS, PURGE_BATCH),
    store.approvals.purge(now - APPROVALS_KEPT_MS, PURGE_BATCH),
    store.uses.purge(now - USES_KEPT_MS, PURGE_BATCH),
    store.trustSnapshots.purge(now - TRUST_SNAPSHOTS_KEPT_MS, PURGE_BATCH),
    store.trustSnapshots.forgetDays(now - INSTALLATION_DAYS_KEPT_MS, PURGE_BATCH),
    store.webhooks.purge(now - DELIVERIES_KEPT_MS, PURGE_BATCH),
    store.alerts.purge(now - ALERTS_KEPT_MS, PURGE_BATCH),
    store.observed.forgetBulks(now - BULKS_KEPT_MS, PURGE_BATCH),
    store.operations.forgetSweeps(now - SWEEPS_KEPT_MS, PURGE_BATCH),
    store.throttles.purge(now - IDENTITY_KEPT_MS, PURGE_BATCH),
    store.factors.purge(now - IDENTITY_KEPT_MS, PURGE_BATCH),
    store.proofsSeen.forget(now, PURGE_BATCH),
    store.installations.purge(now - SDK_TOKENS_KEPT_MS, PURGE_BATCH),
    store.installations.forgetEnded(now - WORKLOADS_KEPT_MS, PURGE_BATCH),
    store.installations.forgetAttempts(now - RECOVERY_ATTEMPTS_KEPT_MS, PURGE_BATCH),
    store.sessions.purge(now - ENDED_SESSIONS_KEPT_MS, PURGE_BATCH),
  ])
  return done.some((count) => count === PURGE_BATCH)
}
