// The two published packages, tested as a stranger gets them: built, packed, unpacked into an empty project and used.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const scratch = mkdtempSync(join(tmpdir(), 'evergrant-package-'))
const published = ['evergrant', 'sdk']

function run(command, args, cwd = root) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 64 * 1024 * 1024 })
}

function check(title, condition, detail = '') {
  if (!condition) throw new Error(`${title}${detail === '' ? '' : `: ${detail}`}`)
  console.log(`ok  ${title}`)
}

function pack(folder) {
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], join(root, 'packages', folder)))
  return { tarball: join(scratch, filename), files: files.map(({ path }) => path) }
}

/** An empty project whose node_modules has our two packages unpacked and everything else linked. */
function install(project, packages) {
  mkdirSync(join(project, 'node_modules/@evergrant'), { recursive: true })
  for (const name of readdirSync(modules)) {
    if (name === 'evergrant' || name === '@evergrant' || name.startsWith('.')) continue
    symlinkSync(join(modules, name), join(project, 'node_modules', name))
  }
  for (const [name, tarball] of packages) {
    const target = join(project, 'node_modules', name)
    mkdirSync(target, { recursive: true })
    run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  }
  writeFileSync(join(project, 'package.json'), '{ "name": "stranger", "private": true, "type": "module" }\n')
}

function useAsStranger(project) {
  const { version } = JSON.parse(readFileSync(join(root, 'packages/evergrant/package.json'), 'utf8'))
  const cli = join(project, 'node_modules/evergrant/dist/cli/main.js')
  check('the command line starts from the tarball', run(process.execPath, [cli, '--version']).trim() === version)
  writeFileSync(
    join(project, 'doors.mjs'),
    `import * as server from 'evergrant'
import * as practice from 'evergrant/practice'
import * as sdk from '@evergrant/sdk'
import '@evergrant/sdk/wire'
console.log(JSON.stringify([server, practice, sdk].map((door) => Object.keys(door))))\n`,
  )
  const doors = JSON.parse(run(process.execPath, [join(project, 'doors.mjs')]))
  check(
    'every door opens and offers something',
    doors.every((names) => names.length > 0),
    JSON.stringify(doors),
  )
  writeFileSync(
    join(project, 'doors.ts'),
    "import { createEvergrant } from 'evergrant'\nimport { createClient } from '@evergrant/sdk'\nexport const doors = [createEvergrant, createClient] as const\n",
  )
  run(
    join(modules, '.bin/tsc'),
    ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', 'doors.ts'],
    project,
  )
  check('the types of every door resolve', true)
}

try {
  run(process.execPath, [join(root, 'scripts/clean.mjs')])
  run(join(modules, '.bin/tsc'), ['-b'])
  const packed = published.map((folder) => ({ folder, ...pack(folder) }))
  for (const { folder, files } of packed) {
    const strays = files.filter((path) => /\.test\.|tsbuildinfo|(^|\/)testing\//.test(path))
    check(`${folder}: the tarball has no tests in it`, strays.length === 0, strays.join(', '))
    check(
      `${folder}: licence and readme are inside`,
      ['LICENSE', 'README.md'].every((name) => files.includes(name)),
    )
    run(join(modules, '.bin/publint'), ['run', '--strict', '--pack', 'npm', join(root, 'packages', folder)])
    check(`${folder}: publint has no complaint`, true)
  }
  const project = join(scratch, 'stranger')
  install(project, [
    ['evergrant', packed[0].tarball],
    ['@evergrant/sdk', packed[1].tarball],
  ])
  check('the scratch project is outside the workspace', !existsSync(join(project, 'packages')))
  useAsStranger(project)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
