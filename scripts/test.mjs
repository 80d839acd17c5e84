// Everything that must hold, in one command: format and lint, types, tests. Prints one closing line for all of it.
// Arguments go to vitest; with arguments, lint and types are left out.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleServer } from './bundle-server.mjs'
import { closingLine } from './closing-line.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => join(root, 'node_modules/.bin', name)
const scratch = mkdtempSync(join(tmpdir(), 'evergrant-test-'))
const countsFile = join(scratch, 'counts.json')
const total = { passed: 0, failed: 0, skipped: 0 }
const failedChecks = []
const given = process.argv.slice(2)

function run(command, args, env = {}) {
  const result = spawnSync(bin(command), args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } })
  return result.status === 0
}

function check(title, command, args) {
  console.log(`\n${title}`)
  const passed = run(command, args)
  total[passed ? 'passed' : 'failed'] += 1
  if (!passed) failedChecks.push(title)
}

if (given.length === 0) {
  check('format and lint (biome)', 'biome', ['ci', ...(process.stdout.isTTY ? [] : ['--colors=off']), '--no-errors-on-unmatched', '--error-on-warnings', '.'])
  check('types of every source and test (tsc)', 'tsc', ['-p', 'tsconfig.check.json'])
  check('build and walls (tsc -b)', 'tsc', ['-b'])
}

console.log('\ntests (vitest)')
// Files that are asked for by name start the server from its sources.
const bundle = given.length === 0 ? { SERVER_MAIN_FILE: await bundleServer() } : {}
const green = run('vitest', ['run', ...given], { TEST_COUNTS_FILE: countsFile, ...bundle })
const counts = existsSync(countsFile) ? JSON.parse(readFileSync(countsFile, 'utf8')) : { passed: 0, failed: 1, skipped: 0 }
for (const key of Object.keys(total)) total[key] += counts[key]
// A runner that fails without a failing test (a crash, nothing collected) is a failure, too.
if (!green && counts.failed === 0) {
  total.failed += 1
  failedChecks.push('vitest itself')
}
rmSync(scratch, { recursive: true, force: true })

// What failed minutes ago is named where it is read: beside the sum.
for (const title of failedChecks) console.error(`\n${title}: failed`)
console.log(`\n${closingLine(total)}`)
process.exitCode = total.failed === 0 ? 0 : 1
