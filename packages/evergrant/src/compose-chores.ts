import type { Config } from './config.ts'
import { type RevocationPorts, runRevocations } from './core/connection/revocation-worker.ts'
import type { Log } from './core/log.ts'
import type { Engine } from './core/refresh/engine.ts'
import { DAY, HOUR, SECOND, type Timers } from './core/time.ts'
import { type Chore, startWorker, type Worker } from './schedule/worker.ts'
import type { Store } from './store/index.ts'
import { systemClock } from './system.ts'

const ANSWERS_KEPT_MS = 72 * HOUR
const CIPHERTEXT_KEPT_MS = 30 * DAY
const SESSIONS_KEPT_MS = 7 * DAY
const IDEMPOTENCY_KEPT_MS = DAY
const PURGE_BATCH = 500

export interface ChoreParts {
  readonly config: Config
  readonly store: Store
  readonly engine: Engine
  readonly revocation: RevocationPorts
  readonly timers: Timers
  readonly log: Log
}

/** Everything a node does by itself. */
export function startChores(parts: ChoreParts): Worker {
  const { engine, timers, log } = parts
  const chores: Chore[] = [
    { name: 'renew', everyMs: SECOND, run: async () => (await engine.runDue()) > 0 },
    { name: 'take over', everyMs: 3 * SECOND, run: () => engine.takeOverLost().then(() => false) },
    { name: 'read marks', everyMs: 5 * SECOND, run: () => engine.flushInterest().then(() => false) },
    { name: 'revoke', everyMs: 2 * SECOND, run: async () => (await runRevocations(parts.revocation)) > 0 },
    { name: 'purge', everyMs: HOUR, run: () => purge(parts.store) },
  ]
  return startWorker(chores, { timers, log })
}

/** Nothing is deleted because it failed; only what is past a stated time. */
async function purge(store: Store): Promise<boolean> {
  const now = systemClock.wall()
  const done = await Promise.all([
    store.credentials.cutAnswers(now - ANSWERS_KEPT_MS, PURGE_BATCH),
    store.connections.purge(now - CIPHERTEXT_KEPT_MS, PURGE_BATCH),
    store.connectSessions.purge(now - SESSIONS_KEPT_MS, PURGE_BATCH),
    store.idempotency.purge(now - IDEMPOTENCY_KEPT_MS, PURGE_BATCH),
  ])
  return done.some((count) => count === PURGE_BATCH)
}
