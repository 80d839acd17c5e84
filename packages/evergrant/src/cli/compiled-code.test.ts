import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const MODULE = fileURLToPath(new URL('./compiled-code.ts', import.meta.url))
/** Something to compile. */
const LOADED = fileURLToPath(new URL('./exit-code.ts', import.meta.url))
let dataDir: string

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'evergrant-compiled-')), 'data')
})
afterEach(() => rmSync(join(dataDir, '..'), { recursive: true, force: true }))

interface Start {
  readonly version?: string
  readonly masterKeys?: readonly unknown[] | null
  readonly env?: Readonly<Record<string, string>>
}

/** A process that keeps what it compiles, as far as it can, and loads something: whether it says that it keeps it. */
function start({ version = '1.0.0', masterKeys = null, env = {} }: Start = {}): boolean {
  const program = `const { keepCompiledCode } = await import(${JSON.stringify(MODULE)})
console.log(keepCompiledCode(${JSON.stringify({ dataDir, masterKeys })}, ${JSON.stringify(version)}))
await import(${JSON.stringify(LOADED)})`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
  return stdout.trim() === 'true'
}

const kept = (version: string): number =>
  globSync('**/*', { cwd: join(dataDir, 'compiled', version), withFileTypes: true }).filter((one) => one.isFile()).length

test('what a start compiled is in the data folder when it has ended, for this user alone', () => {
  expect(start()).toBe(true)
  expect(kept('1.0.0')).toBeGreaterThan(0)
  for (const path of ['', 'compiled', 'compiled/1.0.0']) expect([path, statSync(join(dataDir, path)).mode & 0o077]).toEqual([path, 0])
})

test('a start of another version leaves nothing of the one before', () => {
  start()
  start({ version: '1.1.0' })
  expect(readdirSync(join(dataDir, 'compiled'))).toEqual(['1.1.0'])
  expect(kept('1.1.0')).toBeGreaterThan(0)
})

test('a place that cannot be written is no reason not to start', () => {
  writeFileSync(dataDir, 'a file, where a folder should be')
  expect(start()).toBe(false)
})

test('no code is kept in a folder whose keys are elsewhere: who can write there is not trusted with them', () => {
  expect(start({ masterKeys: [] })).toBe(false)
  expect(existsSync(dataDir)).toBe(false)
})

test('a place that the operator chose is used instead, and so is none', () => {
  const chosen = join(dataDir, '..', 'chosen')
  expect(start({ env: { NODE_COMPILE_CACHE: chosen } })).toBe(false)
  expect([existsSync(dataDir), existsSync(chosen)]).toEqual([false, true])
  expect(start({ env: { NODE_DISABLE_COMPILE_CACHE: '1' } })).toBe(false)
  expect(kept('1.0.0')).toBe(0)
})
