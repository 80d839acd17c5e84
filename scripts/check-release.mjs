// `node scripts/check-release.mjs 1.2.3`: everything that names a version names this one, and the changelog has an entry for it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path) => readFileSync(`${root}${path}`, 'utf8')

/** What the changelog says of a version; null where it says nothing. */
export function notesOf(changelog, version) {
  const start = changelog.split('\n').findIndex((line) => line.startsWith(`## [${version}]`))
  if (start === -1) return null
  const lines = changelog.split('\n').slice(start + 1)
  const end = lines.findIndex((line) => /^## \[|^\[[^\]]+\]: /.test(line))
  const notes = lines
    .slice(0, end === -1 ? undefined : end)
    .join('\n')
    .trim()
  return notes === '' ? null : notes
}

/**
 * What runs with a package and is not in its bill of materials, as `name@version`. npm writes a scope into the name, other tools into `group`.
 * @returns {string[]}
 */
export function partsMissing(bill, packages) {
  const listed = new Set((bill.components ?? []).map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`))
  return [...packages].map(({ name, version }) => `${name}@${version}`).filter((part) => !listed.has(part))
}

/** @returns {string[]} what does not fit */
export function faultsOfRelease(version, files) {
  const faults = []
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/.test(version)) faults.push(`${version} is no version`)
  for (const path of ['packages/evergrant/package.json', 'packages/sdk/package.json', 'package.json']) {
    const found = JSON.parse(files(path)).version
    if (found !== version) faults.push(`${path} says ${found}`)
  }
  const chart = files('deploy/helm/evergrant/Chart.yaml')
  for (const key of ['version', 'appVersion'])
    if (!new RegExp(`^${key}: ${version.replaceAll('.', '\\.')}$`, 'm').test(chart)) faults.push(`Chart.yaml says another ${key}`)
  if (notesOf(files('CHANGELOG.md'), version) === null) faults.push(`CHANGELOG.md has no entry for ${version}`)
  return faults
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = faultsOfRelease(process.argv[2] ?? '', read)
  for (const fault of faults) console.error(fault)
  if (faults.length === 0) console.log(`everything says ${process.argv[2]}`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
