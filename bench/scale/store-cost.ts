import type { OrganizationId } from '../../packages/evergrant/src/core/ids.ts'
import { openPostgresStore, openSqliteStore, type Store } from '../../packages/evergrant/src/store/index.ts'
import { systemClock, systemTimers } from '../../packages/evergrant/src/system.ts'
import { type Latency, latencyOf, timed } from './latency.ts'

const CLAIM = 500
const DAY_MS = 86_400_000
const ROUNDS = 5

export interface StoreCost {
  /** `takeDue(500)`, durable, in milliseconds. */
  readonly claim: Latency
  readonly claims: number
  /** One run with nothing or little to do, in milliseconds; the median of five. */
  readonly chores: Readonly<Record<string, number>>
}

export function openBare(where: { readonly file: string } | { readonly url: string }): Promise<Store> {
  const options = { clock: systemClock, timers: systemTimers }
  return 'file' in where ? openSqliteStore(where.file, options) : openPostgresStore(where.url, options)
}

/** The statements of the background, on the store alone. Takes everything that is due. */
export async function storeCost(store: Store, organization: OrganizationId): Promise<StoreCost> {
  const claims: number[] = []
  const seen: string[] = []
  for (;;) {
    const started = performance.now()
    const taken = await store.credentials.takeDue(CLAIM, DAY_MS)
    if (taken.length < CLAIM) break
    claims.push(performance.now() - started)
    if (seen.length < CLAIM) seen.push(...taken.map((due) => due.connection))
  }
  const now = systemClock.wall()
  const marks = seen.map((connection) => ({ connection: connection as `con_${string}`, at: now, dueAt: null }))
  const page = { limit: 200, cursor: null }
  const chores: Readonly<Record<string, () => Promise<unknown>>> = {
    'nothing due': () => store.credentials.takeDue(CLAIM, DAY_MS),
    '500 read marks': () => store.credentials.markReads(marks),
    'cut answers': () => store.credentials.cutAnswers(now - 3 * DAY_MS, CLAIM),
    'purge ciphertext': () => store.connections.purge(now - 30 * DAY_MS, CLAIM),
    'purge connect sessions': () => store.connectSessions.purge(now - 7 * DAY_MS, CLAIM),
    'purge idempotency keys': () => store.idempotency.purge(now - DAY_MS, CLAIM),
    'due revocations': () => store.connections.takeDueRevocations(CLAIM, DAY_MS),
    reclaim: () => store.credentials.reclaim({ id: 'nobody', incarnation: 'nobody' }),
    'unapplied answers': () => store.credentials.unappliedAnswers(organization, CLAIM),
    'first page of 200': () => store.connections.list(organization, {}, page),
    'first page, status needs_reauth': () => store.connections.list(organization, { status: 'needs_reauth' }, page),
    'first page, status degraded': () => store.connections.list(organization, { status: 'degraded' }, page),
    'events, first page of 200': () => store.events.list(organization, {}, page),
  }
  const costs: Record<string, number> = {}
  for (const [name, chore] of Object.entries(chores)) {
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) times.push(await timed(chore))
    costs[name] = latencyOf(times).p50
  }
  return { claim: latencyOf(claims), claims: claims.length, chores: costs }
}
