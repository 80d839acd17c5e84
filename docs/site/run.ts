// npm run docs | npm run docs:build [-- --base /path/]: installs the generator when it is missing, stages the pages, runs VitePress.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stage } from './stage.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const [command = 'dev', ...rest] = process.argv.slice(2)

/** True when the pinned version of each package is there. */
function installed(): boolean {
  const { devDependencies }: { readonly devDependencies: Readonly<Record<string, string>> } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
  return Object.entries(devDependencies).every(([name, version]) => {
    const path = join(here, 'node_modules', name, 'package.json')
    return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).version === version
  })
}

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const { status } = spawnSync(program, [...args], { cwd: here, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) process.exit(status ?? 1)
}

if (!installed()) {
  console.error('Installing VitePress into docs/site/node_modules (once) ...')
  run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
}
const pages = stage(root, join(here, '.stage'))
console.log(`${pages.length} pages`)
const at = rest.indexOf('--base')
const base = at < 0 ? '/' : (rest[at + 1] ?? '/')
run(join(here, 'node_modules/.bin/vitepress'), [command, ...rest.filter((_, index) => at < 0 || (index !== at && index !== at + 1))], { DOCS_BASE: base })
