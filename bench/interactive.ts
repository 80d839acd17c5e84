import { randomBytes } from 'node:crypto'
import type { JsonReply } from '../packages/lab/src/http.ts'
import { type Held, Workbench } from '../packages/lab/src/workbench.ts'
import { withPostgres } from './postgres.ts'

const USERS = 200
/** Each user waits between nothing and twice this before the next click. */
const THINK_MS = 500
/** One click in twenty renews by hand; the others read. */
const REFRESH_EVERY = 20

export interface Interactive {
  readonly store: 'sqlite' | 'postgres'
  readonly users: number
  readonly requests: number
  readonly refreshMeanMs: number
  readonly apiP95Ms: number
  readonly errorShare: number
}

/** People at work: lists, one connection, its events, its token, now and then a refresh, at a provider in another process. */
export async function benchInteractive(options: {
  readonly short: boolean
  readonly stores: readonly ('sqlite' | 'postgres')[]
}): Promise<readonly Interactive[]> {
  const seconds = options.short ? 8 : 15
  const results: Interactive[] = []
  for (const store of options.stores) {
    results.push(store === 'sqlite' ? await atWork(store, null, seconds) : await withPostgres((url) => atWork(store, url, seconds)))
  }
  return results
}

async function atWork(store: 'sqlite' | 'postgres', databaseUrl: string | null, seconds: number): Promise<Interactive> {
  const env = { EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}`, EVERGRANT_RATE_LIMIT_PER_KEY: '10000000' }
  const bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' }, env, ...(databaseUrl === null ? {} : { databaseUrl }) })
  try {
    const held: Held[] = []
    for (let first = 0; first < USERS; first += 20) held.push(...(await Promise.all(Array.from({ length: 20 }, () => bench.hold('p4')))))
    const clicks: Clicks = { reads: [], refreshes: [], errors: 0 }
    const end = performance.now() + seconds * 1_000
    await Promise.all(held.map((own, user) => oneUser(bench, own, user, end, clicks)))
    const sorted = [...clicks.reads].sort((a, b) => a - b)
    const requests = clicks.reads.length + clicks.refreshes.length
    return {
      store,
      users: USERS,
      requests,
      refreshMeanMs: clicks.refreshes.reduce((sum, each) => sum + each, 0) / Math.max(1, clicks.refreshes.length),
      apiP95Ms: sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN,
      errorShare: clicks.errors / Math.max(1, requests),
    }
  } finally {
    await bench.dispose()
  }
}

interface Clicks {
  readonly reads: number[]
  readonly refreshes: number[]
  errors: number
}

async function oneUser(bench: Workbench, own: Held, user: number, end: number, clicks: Clicks): Promise<void> {
  const pages: readonly (() => Promise<JsonReply>)[] = [
    () => bench.api.get('/connections?limit=50'),
    () => bench.show(own),
    () => bench.token(own),
    () => bench.api.get(`/events?connection=${own.connection}`),
    () => bench.api.get(`/connections?owner=${own.owner}`),
  ]
  for (let click = user; performance.now() < end; click += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 * THINK_MS))
    const refreshes = click % REFRESH_EVERY === 0
    const started = performance.now()
    const reply = await (refreshes ? bench.refresh(own) : (pages[click % pages.length] ?? (() => bench.token(own)))())
    const took = performance.now() - started
    if (refreshes) clicks.refreshes.push(took)
    else clicks.reads.push(took)
    if (reply.status !== 200) clicks.errors += 1
  }
}
