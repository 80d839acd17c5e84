// The two published packages, tested as a stranger gets them: built, packed, unpacked into an empty project and used. `-- --types` asks attw as
// well, `-- --install` lets npm install them.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../packages/lab/src/free-port.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const scratch = mkdtempSync(join(tmpdir(), 'evergrant-package-'))
const published = ['evergrant', 'sdk']
const READY_MS = 60_000

function run(command, args, cwd = root, env = process.env) {
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 64 * 1024 * 1024 })
}

function check(title, condition, detail = '') {
  if (!condition) throw new Error(`${title}${detail === '' ? '' : `: ${detail}`}`)
  console.log(`ok  ${title}`)
}

function pack(folder) {
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], join(root, 'packages', folder)))
  return { tarball: join(scratch, filename), files: files.map(({ path }) => path) }
}

/** What a door's types need from beside themselves, and the tarball has not: the compiler would take it for `any`, and say nothing. */
function missingTypes(folder, files) {
  const { exports } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'))
  const read = new Set([...JSON.stringify(exports).matchAll(/"\.\/([^"*]+\.d\.ts)"/g)].map(([, path]) => path))
  // A set that grows is walked to its end.
  for (const path of read) {
    if (!files.includes(path)) continue
    const text = readFileSync(join(root, 'packages', folder, path), 'utf8')
    for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g))
      read.add(posix.join(posix.dirname(path), target).replace(/(?<!\.d)\.(tsx?|js)$/, '.d.ts'))
  }
  return [...read].filter((path) => !files.includes(path))
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

function tryAsStranger(project) {
  const { version } = JSON.parse(readFileSync(join(root, 'packages/evergrant/package.json'), 'utf8'))
  const cli = join(project, 'node_modules/evergrant/dist/cli/main.js')
  check('the command line starts from the tarball', run(process.execPath, [cli, '--version']).trim() === version)
  writeFileSync(
    join(project, 'doors.mjs'),
    `import * as server from 'evergrant'
import * as engine from 'evergrant/engine'
import * as parts from 'evergrant/engine-parts'
import * as practice from 'evergrant/practice'
import * as sdk from '@evergrant/sdk'
import * as node from '@evergrant/sdk/node'
import * as testing from '@evergrant/sdk/testing'
import * as express from '@evergrant/sdk/express'
import * as fastify from '@evergrant/sdk/fastify'
import * as next from '@evergrant/sdk/next'
import * as browser from '@evergrant/sdk/browser'
import * as axios from '@evergrant/sdk/axios'
import * as react from '@evergrant/sdk/react'
import * as words from '@evergrant/sdk/react/labels/de'
import '@evergrant/sdk/wire'
console.log(JSON.stringify([server, engine, parts, practice, sdk, node, testing, express, fastify, next, browser, axios, react, words].map((door) => Object.keys(door))))\n`,
  )
  const doors = JSON.parse(run(process.execPath, [join(project, 'doors.mjs')]))
  check(
    'every door opens and offers something',
    doors.every((names) => names.length > 0),
    JSON.stringify(doors),
  )
  writeFileSync(
    join(project, 'doors.ts'),
    `import { createEvergrant } from 'evergrant'
import { createRefreshEngine } from 'evergrant/engine'
import { openMemoryStore } from 'evergrant/engine-parts'
import { createClient } from '@evergrant/sdk'
import { createAuthenticator, Evergrant } from '@evergrant/sdk/node'
import { FakeEvergrant } from '@evergrant/sdk/testing'
import { requireSession } from '@evergrant/sdk/express'
import { requireSession as onRequest } from '@evergrant/sdk/fastify'
import { withSession } from '@evergrant/sdk/next'
import { cookieSession, createEvergrant as createBrowserClient } from '@evergrant/sdk/browser'
import { attachEvergrant } from '@evergrant/sdk/axios'
import { EvergrantProvider } from '@evergrant/sdk/react'
import { en } from '@evergrant/sdk/react/labels/en'
export const doors = [createEvergrant, createRefreshEngine, openMemoryStore, createClient, createAuthenticator, Evergrant, FakeEvergrant, requireSession, onRequest, withSession] as const
export const pages = [cookieSession, createBrowserClient, attachEvergrant, EvergrantProvider, en] as const\n`,
  )
  run(
    join(modules, '.bin/tsc'),
    ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', 'doors.ts'],
    project,
  )
  check('the types of every door resolve', true)
}

/** The same doors by `require`, with a machine that is enrolled, renews and signs out; and the command line. */
function requireAsStranger(project) {
  writeFileSync(
    join(project, 'machine.cts'),
    `import sdk = require('@evergrant/sdk')
import node = require('@evergrant/sdk/node')
import testing = require('@evergrant/sdk/testing')
import express = require('@evergrant/sdk/express')
import fastify = require('@evergrant/sdk/fastify')
async function main(): Promise<void> {
  const fake = new testing.FakeEvergrant()
  const client = await node.Evergrant.connect({ enrolmentCode: fake.code({ withServer: true }), log: false, platform: { fetch: fake.fetch, home: process.argv[2]! } })
  const { generation } = await client.renew()
  await client.logout()
  const missing = await client.whoami().catch((error: unknown) => error)
  console.log(JSON.stringify([generation, missing instanceof sdk.EvergrantError, typeof express.requireSession, typeof fastify.requireSession]))
}
void main()\n`,
  )
  run(join(modules, '.bin/tsc'), ['--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', 'machine.cts'], project)
  const said = run(process.execPath, [join(project, 'machine.cjs'), join(project, 'home')]).trim()
  check('the doors for programs work by `require`, with their own types', said === '[2,true,"function","function"]', said)
  const { bin } = JSON.parse(readFileSync(join(project, 'node_modules/@evergrant/sdk/package.json'), 'utf8'))
  const help = run(process.execPath, [join(project, 'node_modules/@evergrant/sdk', bin['evergrant-sdk']), '--help'])
  check('npx @evergrant/sdk has its command', help.includes('enroll <code>'))
}

/** Are the types wrong? Asked of the tarball, for every door and every way of resolving it. The tool is installed when it is asked for: `-- --types`. */
function typesAsStranger(folder, tarball) {
  if (!process.argv.includes('--types')) return
  const tools = join(root, 'tools/deploy')
  if (!existsSync(join(tools, 'node_modules/@arethetypeswrong/cli'))) run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], tools)
  // node10 knows no `exports`. Doors that are ESM alone say so by their kind, and a style sheet and a manifest have no types.
  const flags = ['--profile', folder === 'sdk' ? 'node16' : 'esm-only', '--exclude-entrypoints', './react/styles.css', './package.json']
  const ignored = folder === 'sdk' ? ['--ignore-rules', 'cjs-resolves-to-esm'] : []
  run(process.execPath, [
    join(tools, 'node_modules/@arethetypeswrong/cli/dist/index.js'),
    tarball,
    '--format',
    'table-flipped',
    '--no-emoji',
    ...flags,
    ...ignored,
  ])
  check(`${folder}: the types of every door are right (attw)`, true)
}

/** As npm does it for a stranger, with everything that the packages need: `-- --install`. */
function installWithNpm(tarballs) {
  if (!process.argv.includes('--install')) return
  const project = join(scratch, 'installed')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "stranger", "private": true }\n')
  run('npm', ['install', '--no-audit', '--no-fund', ...tarballs], project)
  const { version } = JSON.parse(readFileSync(join(root, 'packages/evergrant/package.json'), 'utf8'))
  check('`npx evergrant` runs after an npm install', run('npx', ['--no', '--', 'evergrant', '--version'], project).trim() === version)
  check('`npx @evergrant/sdk` runs after an npm install', run('npx', ['--no', '--', '@evergrant/sdk', '--help'], project).includes('enroll <code>'))
}

/** What the server finds beside itself (its thread, the console, its manifest), it finds next to the built files or not at all. */
async function serveAsStranger(project) {
  const port = await freePort()
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, EVERGRANT_PORT: String(port), EVERGRANT_DATA_DIR: join(project, 'data') }
  const cli = join(project, 'node_modules/evergrant/dist/cli/main.js')
  const server = spawn(process.execPath, [cli, 'serve', '--development'], { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = []
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', (text) => printed.push(text))
  const exited = once(server, 'exit')
  try {
    check('the server from the tarball becomes ready on its embedded database', await becomesReady(server, port), printed.join(''))
    check(
      'its database is a file',
      readdirSync(join(project, 'data')).some((name) => name.endsWith('.db')),
      readdirSync(join(project, 'data')).join(', '),
    )
    const page = await fetch(`http://127.0.0.1:${port}/console/`)
    check('it serves the console', page.ok && (await page.text()).includes('<base href="/console/">'), `${page.status}`)
    check('its health is asked from the command line', run(process.execPath, [cli, 'health', '--json'], project, env).includes('"ready":true'))
    server.kill('SIGTERM')
    const [code] = await exited
    check('it stops when it is told to', code === 0, `exit code ${code}\n${printed.join('')}`)
    const { version } = JSON.parse(readFileSync(join(root, 'packages/evergrant/package.json'), 'utf8'))
    const compiled = readdirSync(join(project, 'data/compiled', version), { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    check('what it compiled is kept for the next start', compiled.length > 100, `${compiled.length} files`)
  } finally {
    server.kill('SIGKILL')
  }
}

async function becomesReady(server, port) {
  const deadline = performance.now() + READY_MS
  while (performance.now() < deadline && server.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined)
    if (answer?.ok) return true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}

try {
  run(process.execPath, [join(root, 'scripts/clean.mjs')])
  run(join(modules, '.bin/tsc'), ['-b'])
  run(process.execPath, [join(root, 'scripts/build-server.mjs')])
  run(process.execPath, [join(root, 'scripts/build-cjs.mjs')])
  run(process.execPath, [join(root, 'scripts/build-console.mjs'), '--into', 'packages/evergrant/dist/console'])
  const packed = published.map((folder) => ({ folder, ...pack(folder) }))
  for (const { folder, files, tarball } of packed) {
    // `/testing` is a door of the SDK: the fake server for other people's tests.
    const strays = files.filter((path) => /\.test\.|tsbuildinfo|(^|\/)testing\//.test(path) && !/^dist\/(cjs\/)?testing\//.test(path))
    check(`${folder}: the tarball has no tests in it`, strays.length === 0, strays.join(', '))
    check(
      `${folder}: licence and readme are inside`,
      ['LICENSE', 'README.md'].every((name) => files.includes(name)),
    )
    const missing = missingTypes(folder, files)
    check(`${folder}: its types need no file that is not in the tarball`, missing.length === 0, missing.join(', '))
    run(join(modules, '.bin/publint'), ['run', '--strict', '--pack', 'npm', join(root, 'packages', folder)])
    check(`${folder}: publint has no complaint`, true)
    typesAsStranger(folder, tarball)
  }
  const project = join(scratch, 'stranger')
  install(project, [
    ['evergrant', packed[0].tarball],
    ['@evergrant/sdk', packed[1].tarball],
  ])
  check('the scratch project is outside the workspace', !existsSync(join(project, 'packages')))
  tryAsStranger(project)
  requireAsStranger(project)
  await serveAsStranger(project)
  installWithNpm(packed.map(({ tarball }) => tarball))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
