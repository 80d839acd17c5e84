import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createHealth, createLog, createMetrics, warnOfConfiguration } from './compose-observability.ts'
import { readConfig } from './config.ts'
import { DatabaseClock } from './core/database-clock.ts'
import { NO_JOURNAL } from './core/refresh/journal.ts'
import { NodeWatch } from './core/refresh/node-watch.ts'
import { Scopes } from './observability/scopes.ts'
import { openMemoryStore } from './store/index.ts'
import { createManualTime } from './testing/manual-time.ts'

const START = Date.UTC(2026, 0, 1)
const quiet = { info: () => {}, warn: () => {}, error: () => {} }
const SAFE = readConfig({}, { development: false })
const idle = { flights: 0, cached: 0, openBreakers: 0, stuckWrites: {}, draining: false }

async function house() {
  const time = createManualTime(START)
  const store = await openMemoryStore({ clock: time.clock, timers: time.timers })
  const membership = { lock: true, held: () => membership.lock, losses: () => 0, beat: async () => START + time.clock.mono() }
  const watch = new NodeWatch({ membership, clock: new DatabaseClock(time.clock), log: quiet })
  await watch.beat(false)
  return { time, store, membership, watch }
}

test('readiness says that all is well, by name', async () => {
  const { store, watch } = await house()
  const checks = await createHealth(SAFE, { store, watch, journal: NO_JOURNAL }, { doubt: () => null }, () => idle).check()
  expect(checks.every(({ ok, detail }) => ok && detail === null)).toBe(true)
  expect(checks.map(({ name }) => name)).toEqual(['store', 'changes', 'database', 'node', 'clock', 'journal', 'writes', 'drain', 'dangerous switches'])
  await store.close()
})

test('a lost lock, a clock that is 30 s off, a journal that cannot be written and writes that keep failing keep traffic away; 5 s are told', async () => {
  const { store, watch, membership, time } = await house()
  const journal = { ...NO_JOURNAL, healthy: () => false }
  const health = createHealth(SAFE, { store, watch, journal }, { doubt: () => null }, () => ({ ...idle, stuckWrites: { grant: 2, release: 1 } }))
  const found = async (name: string) => (await health.check()).find((check) => check.name === name)
  membership.lock = false
  expect(await found('node')).toMatchObject({ ok: false, detail: expect.stringMatching(/no refresh is started until it is back/) })
  expect(await found('journal')).toMatchObject({ ok: false })
  expect(await found('writes')).toMatchObject({ ok: false, detail: expect.stringMatching(/2 grant, 1 release/) })
  time.setWall(START + 10_000)
  expect(await found('clock')).toMatchObject({ ok: true, detail: expect.stringMatching(/10 s ahead of the database's: turn on time synchronisation/) })
  time.setWall(START + 60_000)
  expect(await found('clock')).toMatchObject({ ok: false, detail: expect.stringMatching(/60 s ahead .*; no refresh is started here until then/) })
  await store.close()
})

test('every start and the health page name the dangerous switches that are on, and no host (S119); a start names each key under an old name', async () => {
  const { store, watch } = await house()
  const config = readConfig({ EVERGRANT_ALLOW_PRIVATE_HOSTS: 'auth.internal' }, { development: false })
  const lines: unknown[] = []
  const log = { ...quiet, warn: (fields: unknown, message: string) => void lines.push([fields, message]) }
  const checked = await createHealth(config, { store, watch, journal: NO_JOURNAL }, { doubt: () => null }, () => idle).check()
  expect(checked.at(-1)).toEqual({ name: 'dangerous switches', ok: true, detail: 'EVERGRANT_DANGEROUS_PRIVATE_HOSTS' })
  warnOfConfiguration(SAFE, log)
  expect(lines).toEqual([])
  warnOfConfiguration(config, log)
  expect(lines).toEqual([
    [expect.anything(), expect.stringMatching(/^EVERGRANT_ALLOW_PRIVATE_HOSTS is now called EVERGRANT_DANGEROUS_PRIVATE_HOSTS: rename it/)],
    [{ switches: 'EVERGRANT_DANGEROUS_PRIVATE_HOSTS' }, expect.stringMatching(/dangerous switches are on/)],
  ])
  expect(JSON.stringify(lines)).not.toContain('auth.internal')
  await store.close()
})

test('a start on PostgreSQL names the embedded database that lies in its data folder, because nobody reads it', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'evergrant-moved-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const warned = (more: object): string[] => {
    const lines: string[] = []
    const config = readConfig({ EVERGRANT_DATA_DIR: dataDir, ...more }, { development: false })
    warnOfConfiguration(config, { ...quiet, warn: (_fields: unknown, message: string) => void lines.push(message) })
    return lines
  }
  const onPostgres = { EVERGRANT_DATABASE_URL: 'postgres://me@db:5432/evergrant', EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}` }
  expect(warned(onPostgres)).toEqual([])
  writeFileSync(join(dataDir, 'evergrant.db'), '')
  expect(warned({})).toEqual([])
  expect(warned(onPostgres)).toEqual([expect.stringMatching(/the embedded database in its data folder is not read.*evergrant restore/)])
})

test('an error line reaches whoever collects errors, with the request that it belongs to; what they throw is dropped', () => {
  const scopes = new Scopes()
  const heard: unknown[] = []
  const log = createLog({ logLevel: 'silent' }, scopes, (report) => {
    heard.push(report)
    throw new Error('the collector is down')
  })
  scopes.within({ request: 'req-7' }, () => log.error({ code: 'seal_broken' }, 'a value did not open'))
  log.warn({}, 'no error')
  expect(heard).toEqual([{ message: 'a value did not open', fields: { request: 'req-7', code: 'seal_broken' } }])
})

test('what waits, what is open and what is not ready is rendered; while the database is away its figures are left out', async () => {
  const { store, time } = await house()
  const metrics = createMetrics()
  let away = false
  let asked = 0
  metrics.watchHealth({ check: async () => [{ name: 'store', ok: !away, detail: null }] })
  metrics.watchWorkload(
    {
      workload: () => {
        asked += 1
        return away ? Promise.reject(new Error('away')) : store.operations.workload()
      },
    },
    () => time.clock.wall(),
  )
  metrics.tokenRead(true)
  metrics.tokenRead(true)
  expect(await metrics.render()).toMatch(
    /evergrant_queue\{what="due"\} 0\n[\s\S]*evergrant_token_reads_total|evergrant_token_reads_total\{source="memory"\} 2\n/,
  )
  await metrics.render()
  expect(asked).toBe(1)
  away = true
  time.setWall(time.clock.wall() + 6_000)
  const text = await metrics.render()
  expect(text).toContain('evergrant_ready{check="store"} 0')
  expect(text).not.toContain('evergrant_queue{')
  // Rendering twice counts nothing twice.
  expect(text).toContain('evergrant_token_reads_total{source="memory"} 2')
  await store.close()
})
