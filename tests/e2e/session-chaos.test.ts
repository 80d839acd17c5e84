import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath } from '../../packages/lab/src/browser.ts'
import { outcomeStatus } from '../../packages/lab/src/conformance/asked.ts'
import type { TabHandle } from '../../packages/lab/src/conformance/host.ts'
import { type Cell, Play } from '../../packages/lab/src/conformance/play.ts'
import { answered, data, events } from '../../packages/lab/src/conformance/scenario.ts'
import { Stage } from '../../packages/lab/src/conformance/stage.ts'
import { PostgresProcess } from '../../packages/lab/src/postgres-process.ts'
import { until } from '../../packages/lab/src/until.ts'
import { freshDatabase } from '../fresh-database.ts'

const { database, skip } = await freshDatabase()
await database?.drop()
const NODE: Cell = { host: 'node', transport: 'string', mode: 'cookie' }
const CHROMIUM: Cell = { ...NODE, host: 'chromium' }
const DOWN_MS = 20_000

async function nobodyWasSignedOut(tabs: readonly TabHandle[]): Promise<void> {
  for (const tab of tabs) {
    expect(await events(tab, 'signed_out')).toEqual([])
    expect(await tab.status()).not.toBe('signed_out')
  }
}

/** Asks until it works again: what a person does who presses the button once more. */
async function goesOn(tabs: readonly TabHandle[]): Promise<void> {
  for (const tab of tabs) {
    await until('the session to go on', async () => outcomeStatus(await tab.send({ url: '/app/data' })) === 200, { timeoutMs: 90_000, pollMs: 100 })
  }
  await nobodyWasSignedOut(tabs)
}

describe('people who are signed in while the server has a bad day', () => {
  let stage: Stage
  let play: Play

  beforeAll(async () => {
    stage = await Stage.start({ hosts: chromiumPath() === null ? ['node'] : ['node', 'chromium'] })
  }, 60_000)
  afterEach(async () => await play?.end())
  afterAll(async () => await stage?.dispose())

  async function fiveTabs(cell: Cell, coordination: 'auto' | 'none'): Promise<{ readonly tabs: readonly TabHandle[]; readonly refreshes: number }> {
    play = new Play(stage, cell)
    const tabs = await play.tabs(5, { coordination })
    play.recorder.expire()
    answered((await Promise.all(tabs.map((tab) => tab.sendAll(data(5))))).flat(), 200)
    await nobodyWasSignedOut(tabs)
    return { tabs, refreshes: play.recorder.count('refresh') }
  }

  test.skipIf(chromiumPath() === null)('5 real tabs with 5 requests each: 25 answers, and with locks one refresh', { timeout: 60_000 }, async () => {
    expect((await fiveTabs(CHROMIUM, 'auto')).refreshes).toBe(1)
  })

  test.skipIf(chromiumPath() === null)('5 real tabs without locks: 25 answers all the same', { timeout: 60_000 }, async () => {
    const { refreshes } = await fiveTabs(CHROMIUM, 'none')
    expect(refreshes).toBeGreaterThan(0)
    expect(refreshes).toBeLessThanOrEqual(5)
  })

  test.skipIf(chromiumPath() === null)('a real tab is closed in the middle of a refresh: its neighbour works on', { timeout: 60_000 }, async () => {
    play = new Play(stage, CHROMIUM)
    const [gone, other] = await play.tabs(2, { coordination: 'none' })
    play.recorder.expire()
    const gate = play.recorder.hold('refresh', 'after', { times: 1 })
    void gone?.begin({ url: '/app/data' }).catch(() => undefined)
    await gate.reachedBy(1)
    await gone?.close()
    gate.release()
    await goesOn(other === undefined ? [] : [other])
  })

  test.each(['cookie', 'bearer'] as const)('an answer is lost after the server committed (%s)', { timeout: 60_000 }, async (mode) => {
    play = new Play(stage, { ...NODE, mode })
    const tab = await play.tab()
    for (let round = 0; round < 3; round += 1) {
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { kind: 'cut', when: 'after' }, times: 1 })
      await goesOn([tab])
    }
  })

  test('the server is killed with -9 around a refresh, before and after its commit, and started again', { timeout: 180_000 }, async () => {
    play = new Play(stage, NODE)
    const tabs = await play.tabs(3, { coordination: 'none' })
    for (const when of ['before', 'after', 'during', 'during'] as const) {
      play.recorder.expire()
      const gate = when === 'during' ? null : play.recorder.hold('refresh', when, { times: 1 })
      const begun = await Promise.all(tabs.map((tab) => tab.begin({ url: '/app/data' })))
      if (gate === null) await until('a refresh to be under way', () => play.recorder.count('refresh') > 0)
      else await gate.reachedBy(1)
      await stage.server.kill()
      gate?.cut()
      play.recorder.lift('refresh')
      await Promise.all(tabs.map((tab, index) => tab.outcome(begun[index] ?? 0)))
      await nobodyWasSignedOut(tabs)
      await stage.server.start()
      await goesOn(tabs)
      play.recorder.forget()
    }
  })

  test('429 and pages of a firewall in front of the server for a while', { timeout: 60_000 }, async () => {
    play = new Play(stage, NODE)
    const tabs = await play.tabs(2)
    const troubles = [
      { status: 429, headers: { 'retry-after': '1' } },
      { status: 403, headers: { 'content-type': 'text/html' }, body: '<html><h1>Request blocked</h1></html>' },
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad gateway</html>' },
    ]
    for (const trouble of troubles) {
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { kind: 'answer', ...trouble } })
      for (const tab of tabs) expect(outcomeStatus(await tab.send({ url: '/app/data' }))).toBe('RefreshUnavailableError')
      play.recorder.lift('refresh')
      await goesOn(tabs)
    }
  })
})

describe.skipIf(database === null)(`PostgreSQL is stopped for twenty seconds${skip ?? ''}`, () => {
  let postgres: PostgresProcess
  let stage: Stage

  beforeAll(async () => {
    postgres = await PostgresProcess.start()
    await postgres.create('sessions')
    stage = await Stage.start({ databaseUrl: postgres.url('sessions') })
  }, 120_000)
  afterAll(async () => {
    await stage?.dispose()
    await postgres?.stop()
  })

  test('valid tokens go on working, nobody is signed out, and a forged credential is refused without the database', { timeout: 180_000 }, async () => {
    const play = new Play(stage, NODE)
    // One tab's token is out, the others' are not: two kinds of people.
    const expired = await play.tab()
    play.recorder.expire()
    const fresh = await play.tab({ device: await play.newDevice() })
    const bearer = await new Play(stage, { ...NODE, mode: 'bearer' }).tab()
    await postgres.halt()
    const started = performance.now()
    let refused = 0
    await until(
      'twenty seconds without a database to pass',
      async () => {
        const outcome = await expired.send({ url: '/app/data' })
        refused += outcome.kind === 'error' ? 1 : 0
        expect(outcomeStatus(outcome)).toBe('RefreshUnavailableError')
        for (const tab of [fresh, bearer]) expect(outcomeStatus(await tab.send({ url: '/app/data' }))).toBe(200)
        return performance.now() - started > DOWN_MS
      },
      { timeoutMs: 2 * DOWN_MS, pollMs: 250 },
    )
    expect(refused).toBeGreaterThan(5)
    const forged = await fetch(`${stage.server.url}/api/v1/auth/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: `egr_1.0198c0de-0000-7000-8000-000000000000.3.${'A'.repeat(43)}` }),
    })
    expect(forged.status).toBe(401)
    await postgres.rise()
    await goesOn([expired, fresh, bearer])
    await play.end()
  })
})
