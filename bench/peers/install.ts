import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))

/** True when the peers of this lockfile are installed. */
export function installed(): boolean {
  return Object.entries(pinned()).every(([name, version]) => installedVersion(name) === version)
}

/** Installs the pinned versions into this folder alone, without their install scripts. Only ever called when asked for. */
export function install(): void {
  if (installed()) return
  console.error('Installing the peers into bench/peers/node_modules ...')
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: FOLDER, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0 || !installed()) throw new Error('the peers could not be installed; see what npm said above')
}

/** Name and version of each peer. */
export function pinned(): Readonly<Record<string, string>> {
  const manifest: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(readFileSync(`${FOLDER}package.json`, 'utf8'))
  return manifest.dependencies
}

function installedVersion(name: string): string | null {
  const path = `${FOLDER}node_modules/${name}/package.json`
  if (!existsSync(path)) return null
  const manifest: { readonly version: string } = JSON.parse(readFileSync(path, 'utf8'))
  return manifest.version
}
