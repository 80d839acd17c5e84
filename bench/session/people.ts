import type { JsonReply } from '../../packages/lab/src/http.ts'
import type { ServerProcess } from '../../packages/lab/src/server-process.ts'
import { apiOf, type Member, renew, signedInCrowd } from './crowd.ts'
import { type Store, withServer } from './serving.ts'

const USERS = 200
/** Each waits between nothing and twice this before the next click. */
const THINK_MS = 500
/** One click in twenty finds the access token out. */
const REFRESH_EVERY = 20

export interface AtWork {
  readonly store: Store
  readonly users: number
  readonly seconds: number
  readonly requests: number
  readonly refreshes: number
  readonly refreshMeanMs: number
  readonly apiP95Ms: number
  readonly errorShare: number
}

interface Clicks {
  readonly calls: number[]
  readonly refreshes: number[]
  errors: number
}

/** 200 people at once, measured for `seconds` after everybody has come. */
export async function benchPeople(options: { readonly short: boolean; readonly stores: readonly Store[] }): Promise<readonly AtWork[]> {
  const results: AtWork[] = []
  const seconds = options.short ? 8 : 60
  for (const store of options.stores) {
    results.push(
      await withServer(store, async (server) => {
        const members = await signedInCrowd(server, USERS)
        // The ramp: everybody clicks for a while before anything counts.
        await clicking(server, members, options.short ? 2 : 10)
        return { store, users: USERS, seconds, ...figures(await clicking(server, members, seconds)) }
      }),
    )
  }
  return results
}

async function clicking(server: ServerProcess, members: readonly Member[], seconds: number): Promise<Clicks> {
  const clicks: Clicks = { calls: [], refreshes: [], errors: 0 }
  const end = performance.now() + seconds * 1_000
  await Promise.all(members.map((member, user) => oneMember(server, member, user, end, clicks)))
  return clicks
}

async function oneMember(server: ServerProcess, member: Member, user: number, end: number, clicks: Clicks): Promise<void> {
  const pages: readonly (() => Promise<JsonReply>)[] = [
    () => apiOf(server, member).get('/auth/validate'),
    () => apiOf(server, member).get('/users/profile'),
    () => apiOf(server, member).get('/connections?limit=50'),
    () => apiOf(server, member).get('/auth/token-status'),
  ]
  for (let click = user; performance.now() < end; click += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 * THINK_MS))
    const refreshes = click % REFRESH_EVERY === 0
    const started = performance.now()
    const reply = await (refreshes ? renew(server, member) : (pages[click % pages.length] ?? pages[0])?.())
    const took = performance.now() - started
    if (refreshes) clicks.refreshes.push(took)
    else clicks.calls.push(took)
    if (reply?.status !== 200) clicks.errors += 1
  }
}

function figures({ calls, refreshes, errors }: Clicks) {
  const sorted = [...calls].sort((a, b) => a - b)
  const requests = calls.length + refreshes.length
  return {
    requests,
    refreshes: refreshes.length,
    refreshMeanMs: refreshes.reduce((sum, each) => sum + each, 0) / Math.max(1, refreshes.length),
    apiP95Ms: sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN,
    errorShare: errors / Math.max(1, requests),
  }
}
