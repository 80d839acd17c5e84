// The licences of everything that runs with the published packages, read from what is installed. `node scripts/licences.mjs` prints them, and fails for one that is
// not on the list below.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Permissive, and compatible with Apache-2.0. What is not here is looked at by a person first. */
const ALLOWED = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'Unlicense', 'CC0-1.0', 'Python-2.0', 'MIT-0'])
/** Looked at by a person: used as it comes, so that its terms reach no file of ours. */
const REVIEWED = new Map([['web-push', 'MPL-2.0']])

const read = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** `MIT`, `(MIT OR GPL-3.0)`, `MIT AND ISC`, and the older shapes of package.json. */
export function isAllowed(licence) {
  const text = typeof licence === 'string' ? licence : (licence?.type ?? '')
  const words = text.replace(/[()]/g, ' ').trim()
  if (/\sOR\s/.test(words)) return words.split(/\sOR\s/).some((one) => isAllowed(one))
  return words.split(/\sAND\s/).every((one) => ALLOWED.has(one.trim()))
}

/** As Node finds it: beside the package, or in a folder above. */
function folderOf(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name)
    if (existsSync(join(path, 'package.json'))) return path
    if (folder === dirname(folder)) return null
  }
}

/** Every package that `folder` needs at run time, however deep. */
export function runtimePackages(folder, found = new Map()) {
  const { dependencies = {}, optionalDependencies = {} } = read(join(folder, 'package.json'))
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const path = folderOf(name, folder)
    if (path === null || found.has(path)) continue
    const { version, license, licenses } = read(join(path, 'package.json'))
    found.set(path, { name, version, licence: license ?? licenses?.[0]?.type ?? '' })
    runtimePackages(path, found)
  }
  return found
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const packages = [...runtimePackages(join(root, 'packages/evergrant')).values(), ...runtimePackages(join(root, 'packages/sdk')).values()]
  const refused = packages.filter(({ name, licence }) => !isAllowed(licence) && REVIEWED.get(name) !== licence)
  const count = Object.entries(Object.groupBy(packages, ({ licence }) => licence)).map(([licence, of]) => `${of.length} ${licence}`)
  console.log(`${packages.length} packages at run time: ${count.join(', ')}`)
  for (const { name, version, licence } of refused)
    console.error(`${name} ${version}: ${licence === '' ? 'says no licence' : licence} is not on the list of scripts/licences.mjs`)
  process.exitCode = refused.length === 0 ? 0 : 1
}
