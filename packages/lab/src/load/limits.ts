import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Answered } from '../kept-request.ts'
import { PostgresProcess } from '../postgres-process.ts'
import { rest } from '../until.ts'
import { Crowd, type Kind } from './crowd.ts'
import { Times, type TimesSummary } from './figures.ts'
import { errorsOf } from './run.ts'
import { World } from './world.ts'

export const LIMITS = ['pool', 'slow', 'disk'] as const
type Limit = (typeof LIMITS)[number]

interface LimitsPlan {
  readonly users: number
  readonly only: readonly Limit[]
  readonly seed: number
  readonly say: (line: string) => void
}

/** One thing that was used up. */
interface LimitReport {
  readonly limit: Limit
  /** Why it was not run on this machine; null: it was. */
  readonly skipped: string | null
  readonly requests: number
  /** While it lasted: answered well, and refused with a reason and a time to come back. */
  readonly answered: number
  readonly refused: number
  /** While it lasted: no answer, a 500, or a refusal that does not say when to come back. */
  readonly unclear: Readonly<Record<string, number>>
  readonly errors: Readonly<Record<string, number>>
  readonly times: TimesSummary | null
  /** From the end of the trouble to the first second in which every request is answered well. */
  readonly healed_ms: number | null
}

interface LimitsReport {
  readonly limits: readonly LimitReport[]
  readonly users: number
  readonly seed: number
  readonly violations: readonly string[]
}

const TROUBLE_MS = 8_000
const HEALED_WITHIN_MS = 15_000
const SOURCE = fileURLToPath(new URL('./full-disk.c', import.meta.url))

/** Uses up one thing after the other; each must be told clearly, and be over by itself when its cause is. */
export async function runLimits(plan: LimitsPlan): Promise<LimitsReport> {
  const reports: LimitReport[] = []
  for (const limit of plan.only) {
    plan.say(`${limit} ...`)
    const report = limit === 'disk' ? await fullDisk(plan) : await onPostgres(plan, limit)
    plan.say(JSON.stringify(report))
    reports.push(report)
  }
  return { limits: reports, users: plan.users, seed: plan.seed, violations: reports.flatMap(complaints) }
}

function complaints({ limit, skipped, unclear, healed_ms: healed, answered }: LimitReport): readonly string[] {
  if (skipped !== null) return []
  return [
    ...Object.entries(unclear).map(([what, count]) => `${limit}: ${count} times ${what}`),
    ...(answered > 0 ? [] : [`${limit}: nobody was answered meanwhile`]),
    ...(healed === null ? [`${limit}: it did not heal within ${HEALED_WITHIN_MS / 1_000} s`] : []),
  ]
}

async function onPostgres(plan: LimitsPlan, limit: 'pool' | 'slow'): Promise<LimitReport> {
  const postgres = await PostgresProcess.start()
  try {
    // No tokens in memory where the pool is what is asked for.
    const env = limit === 'pool' ? { EVERGRANT_DATABASE_CONNECTIONS: '10', EVERGRANT_CACHE_ENTRIES: '0' } : {}
    const world = await World.open({ users: plan.users, postgres, nodes: 1, env, say: plan.say })
    try {
      return limit === 'pool' ? await fullPool(world, plan) : await slowDatabase(world, plan, postgres.url(world.database))
    } finally {
      await world.close()
    }
  } finally {
    await postgres.stop()
  }
}

/** Everybody reads without a pause, and each read needs one of a few connections to the database. */
function fullPool(world: World, plan: LimitsPlan): Promise<LimitReport> {
  return troubled(world, plan, { limit: 'pool', thinkMs: 0, only: 'token_read', trouble: () => rest(TROUBLE_MS) })
}

/** Somebody holds the tables that every request needs. */
function slowDatabase(world: World, plan: LimitsPlan, url: string): Promise<LimitReport> {
  const trouble = async (): Promise<void> => {
    const client = new pg.Client(url)
    await client.connect()
    await client.query('begin')
    await client.query('lock table credential, connection, session in access exclusive mode')
    await rest(TROUBLE_MS)
    await client.query('rollback')
    await client.end()
  }
  return troubled(world, plan, { limit: 'slow', thinkMs: 1_000, trouble })
}

async function fullDisk(plan: LimitsPlan): Promise<LimitReport> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-full-disk-'))
  try {
    const [library, order] = [join(folder, 'full-disk.so'), join(folder, 'full')]
    const compiled = process.platform === 'linux' && spawnSync('cc', ['-O1', '-shared', '-fPIC', '-o', library, SOURCE, '-ldl']).status === 0
    if (!compiled) return nothingOf('disk', 'a full disk needs Linux and a C compiler (cc)')
    const env = { LD_PRELOAD: library, DISK_FULL_WHILE: order }
    const world = await World.open({ users: plan.users, postgres: null, nodes: 1, env, say: plan.say })
    try {
      const trouble = async (): Promise<void> => {
        writeFileSync(order, '')
        await rest(TROUBLE_MS)
        rmSync(order)
      }
      return await troubled(world, plan, { limit: 'disk', thinkMs: 1_000, trouble })
    } finally {
      await world.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Trouble {
  readonly limit: Limit
  readonly thinkMs: number
  readonly only?: Kind
  /** Resolves when its cause is gone. */
  readonly trouble: () => Promise<void>
}

async function troubled(world: World, { users, seed }: LimitsPlan, { limit, thinkMs, only, trouble }: Trouble): Promise<LimitReport> {
  const unclear = new Map<string, number>()
  const refused = (kind: Kind, answer: Answered | null): void => {
    const why = unclearness(answer)
    if (why !== null) unclear.set(`${kind}: ${why}`, (unclear.get(`${kind}: ${why}`) ?? 0) + 1)
  }
  const crowd = new Crowd(world, { seed, thinkMs, refused, ...(only === undefined ? {} : { only }) })
  crowd.start()
  await trouble()
  await crowd.stop()
  const healed = await healedMs(world, Math.min(users, 50))
  const all = Object.values(crowd.times)
  const failed = all.reduce((sum, times) => sum + times.failed, 0)
  const requests = all.reduce((sum, times) => sum + times.count, 0)
  return {
    limit,
    skipped: null,
    requests,
    answered: requests - failed,
    refused: failed - [...unclear.values()].reduce((sum, count) => sum + count, 0),
    unclear: Object.fromEntries(unclear),
    errors: errorsOf(crowd),
    times: Times.together(all),
    healed_ms: healed,
  }
}

/** Null for a refusal that tells what is wrong and when to come back. */
function unclearness(answer: Answered | null): string | null {
  if (answer === null) return 'no answer'
  if (answer.status !== 503 && answer.status !== 429) return `answered ${answer.status}`
  return answer.headers['retry-after'] === undefined ? `${answer.status} without Retry-After` : null
}

/** Everybody again, at ease: how long until a whole second goes well. */
async function healedMs(world: World, thinkMs: number): Promise<number | null> {
  const started = performance.now()
  while (performance.now() - started < HEALED_WITHIN_MS) {
    const before = performance.now()
    const crowd = new Crowd(world, { seed: 1, thinkMs: thinkMs * 20 })
    crowd.start()
    await rest(1_000)
    await crowd.stop()
    const all = Object.values(crowd.times)
    if (all.some(({ count }) => count > 0) && all.every(({ failed }) => failed === 0)) return Math.round(before - started)
  }
  return null
}

function nothingOf(limit: Limit, skipped: string): LimitReport {
  return { limit, skipped, requests: 0, answered: 0, refused: 0, unclear: {}, errors: {}, times: null, healed_ms: null }
}
