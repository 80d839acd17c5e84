import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { FaultShim } from '../../packages/lab/src/chaos/fault-shim.ts'
import { Workbench } from '../../packages/lab/src/workbench.ts'
import { freshDatabase } from '../fresh-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'evergrant-clock-jump-'))
const shim = FaultShim.make(folder)
const { database, skip } = await freshDatabase()
const said = skip ?? (shim === null ? ' (SKIPPED: moving the clock of a process needs Linux and a C compiler, cc)' : '')

afterAll(async () => {
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(database === null || shim === null)(`the wall clock of a node jumps${said}`, () => {
  let bench: Workbench
  beforeAll(async () => {
    bench = await Workbench.start({ timeScale: 1, profiles: { p0: 'P0' }, databaseUrl: database?.url ?? '', env: shim?.env ?? {} })
  })
  afterEach(() => shim?.heal())
  afterAll(() => bench?.dispose())

  const clockCheck = async () => {
    const response = await fetch(`${bench.server.url}/health/ready`)
    const { checks } = (await response.json()) as { checks: { name: string; ok: boolean; detail: string | null }[] }
    return { status: response.status, clock: checks.find(({ name }) => name === 'clock') }
  }

  test.each([
    ['two hours ahead', 7_200_000],
    ['two hours back', -7_200_000],
  ])('%s: no token expires or revives, nothing is started, and all is well when it is right again', { timeout: 60_000 }, async (_how, ms) => {
    const held = await bench.hold('p0', 600)
    expect((await bench.token(held)).body).toMatchObject({ access_token: held.accessToken, generation: 1 })
    shim?.moveClock(ms)
    for (const query of ['', '?min_ttl=250']) {
      expect(await bench.token(held, query)).toMatchObject({ status: 200, body: { access_token: held.accessToken, generation: 1 } })
    }
    expect(await bench.refresh(held)).toMatchObject({ status: 503, body: { code: 'clock_skewed', needs_reauth: false } })
    expect(await clockCheck()).toMatchObject({ status: 503, clock: { ok: false, detail: expect.stringMatching(/no refresh is started here/) } })
    shim?.heal()
    await expect.poll(async () => (await clockCheck()).clock?.ok, { timeout: 15_000 }).toBe(true)
    expect(await bench.refresh(held)).toMatchObject({ status: 200, body: { generation: 2 } })
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 1 })
  })

  test('ten seconds are told and harm nothing', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p0', 600)
    shim?.moveClock(10_000)
    expect(await clockCheck()).toMatchObject({ clock: { ok: true, detail: expect.stringMatching(/10 s ahead of the database's/) } })
    expect(await bench.refresh(held)).toMatchObject({ status: 200, body: { generation: 2 } })
  })
})
