// Builds the console when its sources are newer than its build, told by a hash of them; a second is all that costs when nothing changed.
// `--into <folder>` copies the build there afterwards, for the package.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'packages/console/dist')
const stamp = join(dist, '.sources')
const SOURCES = [
  'packages/console/index.html',
  'packages/console/vite.config.ts',
  'packages/console/public',
  'packages/console/src',
  'packages/sdk/src/browser',
  'package-lock.json',
]
const NOT_BUILT = /\.test\.tsx?$|README\.md$/

function filesOf(path) {
  const whole = join(root, path)
  try {
    return readdirSync(whole, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !NOT_BUILT.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  } catch {
    return [whole]
  }
}

const hash = createHash('sha256')
for (const file of SOURCES.flatMap(filesOf)) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0')
const sources = hash.digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== sources) {
  console.error('evergrant: building the console (when its sources changed)')
  // Beside the old one, and put in its place whole: two commands at once do not meet in half a build.
  const fresh = `${dist}-${process.pid}`
  const built = spawnSync(
    process.execPath,
    [join(root, 'node_modules/vite/bin/vite.js'), 'build', 'packages/console', '--outDir', fresh, '--logLevel', 'error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
    },
  )
  if (built.status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    console.error('evergrant: the console could not be built; see the lines above')
    process.exit(built.status ?? 1)
  }
  writeFileSync(join(fresh, '.sources'), sources)
  rmSync(dist, { recursive: true, force: true })
  renameSync(fresh, dist)
}

const into = process.argv.indexOf('--into')
if (into > 0) {
  const target = resolve(root, process.argv[into + 1] ?? '')
  rmSync(target, { recursive: true, force: true })
  cpSync(dist, target, { recursive: true, filter: (path) => !path.endsWith('.sources') && !path.includes('.vite') })
}
