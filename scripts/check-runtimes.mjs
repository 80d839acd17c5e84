// The SDK on every runtime that it is meant for: built, then a whole life of a machine in each.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const home = join(root, 'tests/runtimes')
const own = join(home, 'node_modules')
const smoke = join(home, 'smoke.mjs')
const bin = (name) => join(root, 'node_modules/.bin', name)
const run = (command, args, cwd = root) => execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

if (!existsSync(join(own, '.bin/bun')) || !existsSync(join(own, '.bin/deno'))) {
  console.log('installing Bun and Deno')
  run('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund'], home)
}
run(bin('tsc'), ['-b', 'packages/sdk/src/cli'])
run(process.execPath, [join(root, 'scripts/build-cjs.mjs')])

const runtimes = [
  ['the Node of this repository', bin('node'), []],
  ['the Node that runs this', process.execPath, []],
  ['Bun', join(own, '.bin/bun'), []],
  ['Deno', join(own, '.bin/deno'), ['run', '-A']],
]
let failed = 0
for (const [name, command, args] of runtimes) {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-runtime-'))
  try {
    const version = run(command, ['--version']).split('\n')[0]
    console.log(`ok  ${name} (${version}): ${run(command, [...args, smoke, folder]).trim()}`)
  } catch (error) {
    failed += 1
    console.error(`bad ${name}: ${error.message}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
process.exitCode = failed === 0 ? 0 : 1
