// Mutation testing: each target is changed in hundreds of small ways, and its tests must notice. Runs in a copy of the repository with Stryker
// beside the same vitest, so that nothing of it is installed here. Arguments: the targets (all of them by default), --minutes N for all of
// them together (60 by default), --file plan for one file, --whole for all lines of parts of which a run has a share, --turn N for the share with that number
// (by default another one each week), --keep to leave the copy, which the next run then uses as it is.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const STRYKER = ['@stryker-mutator/core@10.1.1', '@stryker-mutator/vitest-runner@10.1.1']
const SERVER = 'packages/evergrant/src'
/** Files that go into one run of Stryker: what is done when the time is over is kept. */
const BATCH = 3
/** The same where a run has a share of each. */
const BATCH_OF_SHARES = 12
/** Lines that are changed or left together where a run has a share of a part. */
const BLOCK = 8
const WEEK_MS = 7 * 24 * 3_600_000

const named = (folder, names) => names.split(' ').map((name) => `${SERVER}/${folder}/${name}.test.ts`)

/**
 * What is changed, and who must notice: part by part, since a part without a database is a hundred times as fast. A part without `files` is the rest
 * of its folder; `share: 8` changes an eighth of its lines, since the whole would take hours. `without`: what only the tests of other folders run, what holds no decision, and what measures time and refuses to run beside others.
 */
const TARGETS = {
  seal: {
    folder: 'seal',
    without: 'password-hash one-time-passwords passkey-ceremonies open-seal proof-cipher',
    parts: [
      {
        tests: [
          ...named(
            'seal',
            'aes-seal breached-passwords key-file key-provider key-signer keyring live-keyring parsers-fuzz token-signer vault-transit vault-transit-answers',
          ),
          ...named('core/session', 'access-token'),
          ...named('core/proof', 'dpop'),
        ],
      },
    ],
  },
  session: {
    folder: 'core/session',
    without: 'organization-names due-connections sessions token-signer',
    parts: [
      {
        files: 'refresh-credential rotation recent-map access-token token-reader recent-proof connection-report session signing-key session-guard signing-keys',
        tests: named(
          'core/session',
          'access-token access-token-claims connection-report key-schedule presentation recent-map recent-proof refresh-credential rotation session-ends session-guard signing-keys token-reader',
        ),
      },
      // What they decide is seen whole over HTTP alone; that takes longer.
      {
        tests: [
          ...named('core/session', 'presentation session-service session-trail rotation'),
          ...named('http/auth', 'session-life bound-session second-factor-required'),
        ],
      },
    ],
  },
  refresh: {
    folder: 'core/refresh',
    without: 'engine-ports journal nodes liveness refresh-engine side-request',
    parts: [
      {
        files:
          'admission answer-bytes backlog backoff caller-faults due durable endpoint-breaker exchange-times interest plan renewal retry-budget suspicion token-cache',
        tests: named(
          'core/refresh',
          'admission answer-bytes backlog backoff caller-faults due due-interest durable endpoint-breaker exchange-times interest plan plan-turns renewal retry-budget suspicion token-cache node-watch secret-reports code-exchange',
        ),
      },
      { share: 8, tests: [`${SERVER}/core/refresh/!(fail-nth|fault-storm|crowded-line|own-renewal).test.ts`] },
    ],
  },
}

const root = fileURLToPath(new URL('..', import.meta.url))
const copy = join(tmpdir(), 'evergrant-mutate')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '60' },
    file: { type: 'string' },
    whole: { type: 'boolean', default: false },
    turn: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const turn = Number(values.turn ?? Math.floor(Date.now() / WEEK_MS))
const wanted = positionals.length === 0 ? Object.keys(TARGETS) : positionals
const unknown = wanted.filter((name) => TARGETS[name] === undefined)
if (unknown.length > 0) {
  console.error(`There is no target ${unknown.join(', ')}. There are ${Object.keys(TARGETS).join(', ')}.`)
  process.exit(2)
}

makeCopy()
const deadline = Date.now() + Number(values.minutes) * 60_000
let bad = 0
for (const name of wanted) {
  const outcome = mutate(name, TARGETS[name], deadline)
  report(name, outcome)
  if (outcome.failed) bad += 1
}
if (!values.keep) rmSync(copy, { recursive: true, force: true })
process.exitCode = bad === 0 ? 0 : 1

/** What git knows and does not ignore, with `node_modules` as they are here, and Stryker beside them. */
function makeCopy() {
  if (existsSync(join(copy, 'node_modules/@stryker-mutator/core'))) return
  mkdirSync(copy, { recursive: true })
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  for (const path of listed.stdout.split('\0').filter((one) => one !== '' && existsSync(join(root, one)))) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    cpSync(join(root, path), join(copy, path))
  }
  console.log(`copying the repository to ${copy} and installing Stryker there`)
  const folders = ['.', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)]
  for (const folder of folders) {
    const from = join(root, folder, 'node_modules')
    if (existsSync(from)) spawnSync('cp', ['-a', from, join(copy, folder)], { stdio: 'inherit' })
  }
  const install = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', ...STRYKER], { cwd: copy, stdio: ['ignore', 2, 2] })
  if (install.status !== 0) throw new Error('Stryker could not be installed; see what npm said above')
}

function mutate(name, { folder, without, parts }, deadline) {
  const names = readdirSync(join(copy, SERVER, folder)).flatMap((file) => (file.endsWith('.ts') && !file.endsWith('.test.ts') ? [basename(file, '.ts')] : []))
  const taken = new Set([...without.split(' '), ...parts.flatMap(({ files = '' }) => files.split(' '))])
  const batches = parts.flatMap(({ files, tests, share = 1 }) => {
    const own = (files === undefined ? names.filter((one) => !taken.has(one)) : files.split(' ')).filter(
      (one) => values.file === undefined || one === values.file,
    )
    const of = values.whole ? 1 : share
    const size = of === 1 ? BATCH : BATCH_OF_SHARES
    const cuts = Array.from({ length: Math.ceil(own.length / size) }, (_, index) => own.slice(index * size, (index + 1) * size))
    return cuts.map((batch) => ({ batch, tests, of }))
  })
  const [reports, notReached] = [[], []]
  let failed = false
  for (const [at, { batch, tests, of }] of batches.entries()) {
    const left = deadline - Date.now()
    const report =
      left < 60_000 ? null : strike(`${name}-${at}`, { places: batch.flatMap((file) => placesIn(`${SERVER}/${folder}/${file}.ts`, of)), tests, left })
    if (report === null) notReached.push(...batch)
    else if (report === 'failed') failed = true
    else reports.push(report)
  }
  return { reports, notReached, failed }
}

/** The whole file, or every so many-th block of its lines: another one each week, and in each file another one. */
function placesIn(path, of) {
  if (of === 1) return [path]
  const lines = readFileSync(join(copy, path), 'utf8').split('\n').length
  const blocks = Array.from({ length: Math.ceil(lines / BLOCK) }, (_, index) => index)
  const chosen = blocks.filter((index) => (index + path.length + turn) % of === 0)
  return chosen.map((index) => `${path}:${index * BLOCK + 1}-${Math.min(lines, (index + 1) * BLOCK)}`)
}

/** One run of Stryker. Null when the time was over before it ended. */
function strike(name, { places, tests, left }) {
  const out = `reports/${name}.json`
  const settings = {
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'mutate.config.mjs', related: false },
    mutate: places,
    coverageAnalysis: 'perTest',
    ignoreStatic: true,
    concurrency: Math.max(1, availableParallelism()),
    timeoutMS: 4_000,
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: out },
    ignorePatterns: ['**/dist/**', '/bench', '/docs', '/data', '/coverage', '/packages/console', '/packages/lab'],
    // The compiler of this repository has no API that Stryker could rewrite a configuration with, and nothing here is compiled.
    tsconfigFile: 'no-tsconfig.json',
  }
  writeFileSync(join(copy, 'stryker.json'), JSON.stringify(settings))
  writeFileSync(join(copy, 'mutate.config.mjs'), testConfig(tests))
  rmSync(join(copy, out), { force: true })
  const lazily = process.platform === 'linux' ? ['chrt', '-i', '0', 'nice', '-n', '19'] : []
  const [command, ...args] = [...lazily, join(copy, 'node_modules/.bin/stryker'), 'run', 'stryker.json']
  const path = `${join(copy, 'node_modules/.bin')}:${process.env.PATH}`
  const { status, error } = spawnSync(command, args, { cwd: copy, env: { ...process.env, PATH: path }, stdio: ['ignore', 2, 2], timeout: left })
  if (error?.code === 'ETIMEDOUT') return null
  return existsSync(join(copy, out)) && status === 0 ? JSON.parse(readFileSync(join(copy, out), 'utf8')) : 'failed'
}

function testConfig(tests) {
  const test = {
    include: tests,
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  }
  return `import { defineConfig } from 'vitest/config'\nexport default defineConfig(${JSON.stringify({ test })})\n`
}

/** A line for each file, then one for each survivor. */
function report(name, { reports, notReached, failed }) {
  const files = reports.flatMap(({ files: found }) => Object.entries(found))
  const total = { killed: 0, survived: 0 }
  const survivors = []
  for (const [path, { source, mutants }] of files.sort(([left], [right]) => (left < right ? -1 : 1))) {
    const of = (...states) => mutants.filter(({ status }) => states.includes(status))
    const [killed, survived] = [of('Killed', 'Timeout').length, of('Survived', 'NoCoverage').length]
    total.killed += killed
    total.survived += survived
    console.log(`${score(killed, survived)} ${String(killed).padStart(5)} killed ${String(survived).padStart(4)} survived  ${path}`)
    for (const { status, location, replacement, mutatorName } of of('Survived', 'NoCoverage')) {
      const { line, column } = location.start
      const was = source.split('\n')[line - 1]?.trim() ?? ''
      survivors.push({ path, line, column, status, mutator: mutatorName, was, now: replacement })
    }
  }
  mkdirSync(join(root, 'coverage'), { recursive: true })
  writeFileSync(join(root, 'coverage', `mutants-${name}.json`), `${JSON.stringify(survivors, null, 1)}\n`)
  if (notReached.length > 0) console.log(`the time was over before ${notReached.join(', ')}`)
  if (failed) console.log('a run of Stryker failed; see what it said above')
  console.log(
    `${name}: ${score(total.killed, total.survived).trim()} (${total.killed} of ${total.killed + total.survived} killed); survivors in coverage/mutants-${name}.json`,
  )
}

function score(killed, survived) {
  return `${((100 * killed) / Math.max(1, killed + survived)).toFixed(1)} %`.padStart(7)
}
