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
// Not `npm ci`: it refuses a lockfile that leaves out optional packages of other platforms, which is what npm writes where
// a registry does not carry them. `--no-save` keeps the versions of the lockfile and never rewrites it.
const install = spawnSync(command, [...first, 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] })
if (install.status !== 0) {
  console.error('evergrant: npm install failed; see the lines above')
  process.exit(install.status ?? 1)
}
writeFileSync(stamp, lockfile)
