import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, textAt } from '../../packages/lab/src/http.ts'
import { Workbench } from '../../packages/lab/src/workbench.ts'

const folder = mkdtempSync(join(tmpdir(), 'evergrant-failed-sync-'))
const library = join(folder, 'failed-sync.so')
const source = fileURLToPath(new URL('./failed-sync.c', import.meta.url))
const compiled = process.platform === 'linux' && spawnSync('cc', ['-O1', '-shared', '-fPIC', '-o', library, source, '-ldl']).status === 0
const order = join(folder, 'fail')
const said = compiled ? '' : ' (SKIPPED: failing system calls need Linux and a C compiler, cc)'

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(!compiled)(`the disk under the embedded database fails to sync${said}`, () => {
  let bench: Workbench
  beforeAll(async () => {
    bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' }, env: { LD_PRELOAD: library, FAIL_SYNCS_WHILE: order } })
  })
  afterAll(() => bench?.dispose())

  test('an answer in hand goes to the journal, the server ends and says why, and the next start has the token', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p4', 600)
    await bench.fault('p4', { kind: 'hang', when: 'after', times: 1 })
    const pending = bench.token(held, '?rejected_generation=1')
    await expect.poll(() => bench.hanging()).toBe(1)
    // The intent is durable and the provider has spent the token; from here on nothing can be synced to the database.
    writeFileSync(order, '')
    await bench.heal()
    const answered = await pending
    expect([200, 503]).toContain(answered.status)
    const exit = await bench.server.ended(30_000)
    expect(exit.code, bench.server.output()).toBe(3)
    expect(bench.server.output()).toMatch(/the disk failed to keep a write of the database .* must be started again/)
    rmSync(order)
    await bench.server.start()
    const token = await bench.token(held)
    expect(token).toMatchObject({ status: 200, body: { generation: 2, status: 'active' } })
    if (answered.status === 200) expect(textAt(token, 'access_token')).toBe(textAt(answered, 'access_token'))
    expect(await bench.works('p4', textAt(token, 'access_token'))).toBe(200)
    expect(at((await bench.refresh(held)).body, 'generation')).toBe(3)
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 2, overlaps: 0 })
  })
})
