// Every check, or those that are named: a line of verdict each, then the sum. Exit code 1 when one failed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { age, audit, jose, openssl, vectors, webhooks, wycheproof } from './artefacts.ts'
import { ffuf, sqlmap, wfuzz } from './attacks.ts'
import { contentPolicy, observatory } from './headers.ts'
import { spectral } from './openapi-lint.ts'
import { type Stage, startStage } from './stage.ts'
import { licences, lockfile, sbom, secrets } from './supply-chain.ts'
import { tls } from './tls.ts'
import { type Check, failed, type Verdict } from './verdict.ts'

const CHECKS: readonly Check[] = [
  observatory,
  contentPolicy,
  spectral,
  lockfile,
  secrets,
  licences,
  sbom,
  audit,
  wycheproof,
  vectors,
  webhooks,
  openssl,
  jose,
  age,
  tls,
  sqlmap,
  wfuzz,
  ffuf,
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !CHECKS.some((check) => check.name === name))
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}. There are ${CHECKS.map(({ name }) => name).join(', ')}.`)
  process.exit(2)
}

install()
let standing: Promise<Stage> | undefined
const stage = (): Promise<Stage> => {
  standing ??= startStage()
  return standing
}
const verdicts: Verdict[] = []
for (const check of CHECKS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const began = performance.now()
  const verdict = await check.run(stage).catch((error: unknown) => failed(error instanceof Error ? (error.stack ?? error.message) : String(error)))
  verdicts.push(verdict)
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  console.log(`${verdict.kind.padEnd(7)} ${check.name.padEnd(16)} ${check.what} (${seconds} s)\n    ${verdict.found}`)
}
await (await standing)?.close()
const count = (kind: Verdict['kind']): number => verdicts.filter((verdict) => verdict.kind === kind).length
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('not run')} not run`)
process.exitCode = count('failed') === 0 ? 0 : 1

/** Into this folder alone, without install scripts, and only when somebody asks for the checks. */
function install(): void {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const { dependencies } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> }
  const there = Object.entries(dependencies).every(([name, version]) => {
    const manifest = `${folder}node_modules/${name}/package.json`
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version
  })
  if (there) return
  console.log('installing the checks into tools/external/node_modules')
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('the checks could not be installed; see what npm said above')
}
