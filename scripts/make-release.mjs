// `node scripts/make-release.mjs <folder>`: the tarballs as they are published, a bill of materials of each (CycloneDX), the notes, and SHA-256 sums of all files.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { notesOf, partsMissing } from './check-release.mjs'
import { runtimePackages } from './licences.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = resolve(process.argv[2] ?? 'release')
const run = (command, args, cwd = root) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 64 * 1024 * 1024 })

mkdirSync(folder, { recursive: true })
run(process.execPath, [join(root, 'scripts/clean.mjs')])
run('npm', ['run', 'build'])
/**
 * Of an installation of the tarball, because that is what people get. Asked of this workspace, npm leaves out every package that a development dependency
 * needs, too.
 */
function billOf(name, tarball) {
  const place = mkdtempSync(join(tmpdir(), 'evergrant-release-'))
  try {
    writeFileSync(join(place, 'package.json'), '{ "name": "installation", "version": "0.0.0", "private": true }\n')
    run('npm', ['install', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', join(folder, tarball)], place)
    const bill = JSON.parse(run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'], place))
    const { name: published, version, dependencies = {} } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
    // Every package that runs with it, however deep, as it was installed just now.
    const installed = [...runtimePackages(join(place, 'node_modules', published)).values()]
    if (Object.keys(dependencies).some((one) => !installed.some((part) => part.name === one))) throw new Error(`${name} was not installed whole`)
    const missing = partsMissing(bill, [{ name: published, version }, ...installed])
    if (bill.bomFormat !== 'CycloneDX' || missing.length > 0) throw new Error(`the bill of materials of ${name} is not whole: ${missing.join(', ')}`)
    return bill
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

for (const name of ['evergrant', 'sdk']) {
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], join(root, 'packages', name)))
  const bill = billOf(name, filename)
  writeFileSync(join(folder, `${name}.cdx.json`), `${JSON.stringify(bill, null, 2)}\n`)
  console.log(`${filename}: ${bill.components.length} components`)
}
const { version } = JSON.parse(readFileSync(join(root, 'packages/evergrant/package.json'), 'utf8'))
writeFileSync(join(folder, 'NOTES.md'), `${notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version) ?? `Version ${version}`}\n`)
const sums = readdirSync(folder)
  .filter((name) => name !== 'SHA256SUMS')
  .sort()
  .map(
    (name) =>
      `${createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex')}  ${name}`,
  )
writeFileSync(join(folder, 'SHA256SUMS'), `${sums.join('\n')}\n`)
console.log(sums.join('\n'))
