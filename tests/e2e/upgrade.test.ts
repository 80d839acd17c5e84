import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { earlierCode } from '../../packages/lab/src/drills/earlier-code.ts'
import { upgradeNodes } from '../../packages/lab/src/drills/upgrade.ts'
import { runLimits } from '../../packages/lab/src/load/limits.ts'
import { runLoad } from '../../packages/lab/src/load/run.ts'
import { PostgresProcess } from '../../packages/lab/src/postgres-process.ts'
import { bundleServer } from '../../scripts/bundle-server.mjs'
import { freshDatabase } from '../fresh-database.ts'

// The long forms are commands: docs/guides/upgrade.md, docs/concepts/load.md. Here each of them proves that it runs, and that it finds nothing.
const { database, skip } = await freshDatabase()
await database?.drop()
const said: string[] = []
const say = (line: string): void => void said.push(line)

/** Where only the newest commit is there, or none, the nodes go from it to what lies in the folder. */
function noRepository(): string | null {
  try {
    execFileSync('git', ['rev-parse', 'HEAD'], { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: 'ignore' })
    return null
  } catch {
    return ' (SKIPPED: the sources are in no git repository)'
  }
}

const reason = skip ?? noRepository()

describe.skipIf(reason !== null)(`a rolling upgrade${reason ?? ''}`, () => {
  test('three nodes of the last commit become nodes of this tree, and go back, under load: no request fails and no grant is lost', {
    timeout: 300_000,
  }, async () => {
    const code = earlierCode('HEAD')
    // As the nodes of this tree are started: each of them starts several times.
    const earlier = { ...code, main: await bundleServer({ server: join(code.folder, 'packages/evergrant'), out: join(code.folder, 'bundle/server') }) }
    const postgres = await PostgresProcess.start()
    try {
      const report = await upgradeNodes(postgres, earlier, { ref: 'HEAD', callers: 1, restMs: 120, say })
      expect(report, said.join('\n')).toMatchObject({ failed_restarts: 0, failed_requests: 0, grants_lost: 0, wrong_tokens_served: 0, nodes: 3 })
      for (const kind of ['token_read', 'connection_refresh', 'session_validate', 'session_refresh', 'sdk_refresh']) {
        expect(report.requests[kind], kind).toBeGreaterThan(10)
      }
    } finally {
      await postgres.stop()
      earlier.remove()
    }
  })
})

test('two hundred people at work for ten seconds: not one request in a thousand fails', { timeout: 180_000 }, async () => {
  const report = await runLoad({ users: 200, seconds: 10, thinkMs: 2_000, postgres: null, nodes: 1, seed: 7, say })
  expect(report.violations, JSON.stringify(report.errors)).toEqual([])
  expect(report.open_connections).toBe(200)
  for (const [kind, { requests }] of Object.entries(report.kinds)) if (kind !== 'login') expect(requests, kind).toBeGreaterThan(5)
})

test('a full disk is told clearly, and is over by itself when there is room again', { timeout: 180_000 }, async () => {
  const { limits, violations } = await runLimits({ users: 30, only: ['disk'], seed: 7, say })
  expect(violations, JSON.stringify(limits)).toEqual([])
  const [disk] = limits
  if (disk?.skipped === null) expect(disk.refused).toBeGreaterThan(0)
})
