// Runs on any Node: installs the workspace when node_modules is missing or older than the lockfile,
// so that `npm start` and `npm test` each work as the first command of a fresh clone.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = `${root}node_modules/.evergrant-lockfile`
const lockfile = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex')

if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfile) process.exit(0)

console.error('evergrant: installing dependencies (once per lockfile)')
const npm = process.env.npm_execpath
const [command, ...first] = npm ? [process.execPath, npm] : ['npm']
const install = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 2, 2] })
if (install.status !== 0) {
  console.error('evergrant: npm ci failed; see the lines above')
  process.exit(install.status ?? 1)
}
writeFileSync(stamp, lockfile)
