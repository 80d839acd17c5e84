import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Check, failed, run, verdictOf } from './verdict.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const bin = (name: string): string => join(HERE, 'node_modules/.bin', name)

interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly inBundle?: boolean
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly license?: string
}

const lockOf = (text: string): Readonly<Record<string, Locked>> => JSON.parse(text).packages
const rootLock = (): string => readFileSync(join(ROOT, 'package-lock.json'), 'utf8')

/** Where a lockfile that records no addresses is read as one that does: what npm would ask for. */
const HOST = 'https://registry.npmjs.example'

export const lockfile: Check = {
  name: 'lockfile',
  what: 'lockfile-lint: every package from the registry, by its own name, with its integrity',
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-lock-'))
    try {
      const locked = JSON.parse(rootLock()) as { packages: Record<string, Locked> }
      const foreign = Object.entries(locked.packages).filter(([, { resolved }]) => resolved !== undefined && /^(https?|git|ssh|file):/.test(resolved))
      // Packages of other platforms, which no registry here carries, are written in by hand: nobody can install what has no integrity without noticing.
      const elsewhere = (path: string): boolean => /-(android|darwin|win32|linux)-?\w*-?(musl|gnu)?$/.test(path) && !existsSync(join(ROOT, path))
      const bare = Object.entries(locked.packages).filter(
        ([path, one]) => path.includes('node_modules/') && one.link !== true && one.inBundle !== true && !one.integrity && !elsewhere(path),
      )
      for (const [path, one] of Object.entries(locked.packages)) {
        const name = path.split('node_modules/').at(-1) ?? ''
        if (path.includes('node_modules/') && one.link !== true)
          locked.packages[path] = { ...one, resolved: `${HOST}/${name}/-/${name.split('/').at(-1)}-${one.version}.tgz` }
      }
      const path = join(folder, 'package-lock.json')
      const lint = async (): Promise<string[]> => {
        writeFileSync(path, JSON.stringify(locked))
        const rules = [
          '--type',
          'npm',
          '--allowed-hosts',
          HOST,
          '--validate-https',
          '--validate-package-names',
          '--validate-integrity',
          '--empty-hostname',
          'false',
        ]
        const { status, out, err } = await run(bin('lockfile-lint'), ['--path', path, ...rules], { cwd: folder })
        return status === 0 ? [] : [`lockfile-lint: ${(out + err).trim().slice(0, 600)}`]
      }
      const complaints = await lint()
      const count = Object.keys(locked.packages).length
      locked.packages['node_modules/fastify'] = { ...locked.packages['node_modules/fastify'], resolved: 'https://elsewhere.example/fastify.tgz' }
      const canary = (await lint()).length > 0 ? [] : ['a package from elsewhere was not found']
      return verdictOf(
        [...complaints, ...canary, ...foreign.map(([name]) => `${name} records an address`), ...bare.map(([name]) => `${name} has no integrity`)],
        `${count} entries, none with an address, each with its integrity; a planted package from elsewhere is found`,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** Put together here, so that this file is not what is found. */
const CANARY = ['ghp', '_', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8'].join('')

export const secrets: Check = {
  name: 'secrets',
  what: 'secretlint: no secret in any file that git knows, and a planted one is found',
  run: async () => {
    const files = (await run('git', ['ls-files', '-z'], { cwd: ROOT })).out.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)))
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-secrets-'))
    try {
      const settings = join(folder, 'secretlintrc.json')
      writeFileSync(settings, JSON.stringify({ rules: [{ id: '@secretlint/secretlint-rule-preset-recommend' }] }))
      const planted = join(folder, 'planted.txt')
      writeFileSync(planted, `token = "${CANARY}"\n`)
      const canary = await run(bin('secretlint'), ['--secretlintrc', settings, '--no-gitignore', planted], { cwd: HERE })
      if (files.length === 0) return failed('git names no file here')
      const complaints = canary.status === 1 ? [] : [`the planted secret was not found: ${(canary.out + canary.err).slice(0, 300)}`]
      for (let at = 0; at < files.length; at += 400) {
        const batch = files.slice(at, at + 400).map((path) => join(ROOT, path))
        const options = ['--secretlintrc', settings, '--no-gitignore', '--format', 'unix', '--maskSecrets']
        const { status, out, err } = await run(bin('secretlint'), [...options, ...batch], { cwd: HERE, seconds: 300 })
        if (status !== 0) complaints.push(...(out + err).split('\n').filter((line) => line.startsWith('/') || /^Error/.test(line)))
      }
      const real = complaints.filter((line) => !isExample(line))
      return verdictOf(real, `${files.length} files, ${complaints.length - real.length} examples that were looked at, and the planted secret is found`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** Looked at one by one, and no secrets: passwords of databases on loopback and of example hosts, and Slack's prefixes with nothing behind them. */
const EXAMPLES: readonly (readonly [path: string, rule: string])[] = [
  ['bench/postgres.ts', 'PostgreSQLConnection'],
  ['packages/evergrant/src/cli/import/sources.test.ts', 'PostgreSQLConnection'],
  ['packages/evergrant/src/cli/postgres-findings.test.ts', 'PostgreSQLConnection'],
  ['packages/evergrant/src/compose-tracing.test.ts', 'BasicAuth'],
  ['packages/evergrant/src/config.test.ts', 'PostgreSQLConnection'],
  ['packages/evergrant/src/config.test.ts', 'MySQLConnection'],
  ['packages/evergrant/src/config.test.ts', 'BasicAuth'],
  ['packages/evergrant/src/providers/catalogue/slack-rotation.test.ts', 'SLACK_TOKEN'],
  ['packages/evergrant/src/providers/catalogue/slack-rotation.ts', 'SLACK_TOKEN'],
  ['packages/evergrant/src/providers/catalogue/slack.test.ts', 'SLACK_TOKEN'],
  ['packages/evergrant/src/providers/catalogue/slack.ts', 'SLACK_TOKEN'],
  ['packages/evergrant/src/store/postgres/postgres-store.test.ts', 'PostgreSQLConnection'],
  ['packages/evergrant/src/seal/vault-transit.test.ts', 'BasicAuth'],
  ['packages/sdk/src/node/agent/connections.test.ts', 'BasicAuth'],
]
const isExample = (line: string): boolean => EXAMPLES.some(([path, rule]) => line.startsWith(`${join(ROOT, path)}:`) && line.includes(`[${rule}]`))

/** Of what is installed with the published packages. */
const FREE = /^\(?(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0|CC0-1\.0|Unlicense|MIT-0|Python-2\.0|MPL-2\.0)( (OR|AND) [\w.-]+)*\)?$/

export const licences: Check = {
  name: 'licences',
  what: 'everything that is installed with the server may be used by everybody',
  run: async () => {
    const locked = Object.entries(lockOf(rootLock())).filter(
      ([path, one]) => path.includes('node_modules/') && one.link !== true && one.dev !== true && one.devOptional !== true,
    )
    const licenceOf = (path: string, one: Locked): string => {
      const manifest = join(ROOT, path, 'package.json')
      const { license, licenses } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : { license: one.license, licenses: undefined }
      return typeof license === 'string' ? license : (license?.type ?? licenses?.[0]?.type ?? one.license ?? 'none')
    }
    const found = locked.map(([path, one]) => ({ path, licence: licenceOf(path, one) }))
    const kinds = [...new Set(found.map(({ licence }) => licence))].sort()
    return verdictOf(
      found.filter(({ licence }) => !FREE.test(licence)).map(({ path, licence }) => `${path}: ${licence}`),
      `${found.length} packages: ${kinds.join(', ')}`,
    )
  },
}

interface Sbom {
  readonly specVersion: string
  readonly components: readonly { readonly name: string; readonly properties?: readonly { readonly name: string }[] }[]
}

const VALIDATE = `import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
let text = ''
for await (const chunk of process.stdin) text += chunk
const version = JSON.parse(text).specVersion
const problem = await new Validation.JsonValidator(Object.values(Spec.Version).find((one) => one === version)).validate(text)
console.log(JSON.stringify(problem))`

export const sbom: Check = {
  name: 'sbom',
  what: '`npm sbom` writes valid CycloneDX with everything that is installed with the server',
  run: async () => {
    // Not `--omit dev`: in a workspace it also leaves out what the published packages need.
    const made = await run('npm', ['sbom', '--sbom-format', 'cyclonedx'], { cwd: ROOT })
    if (made.status !== 0) return failed(`npm sbom: ${made.err.slice(-600)}`)
    const { specVersion, components } = JSON.parse(made.out) as Sbom
    const { status, out, err } = await run(process.execPath, ['--input-type=module', '-e', VALIDATE], { cwd: HERE, input: made.out })
    if (status !== 0) return failed(`the validator failed: ${err.slice(-600)}`)
    const direct = Object.keys(JSON.parse(readFileSync(join(ROOT, 'packages/evergrant/package.json'), 'utf8')).dependencies)
    const shipped = components.filter(({ properties = [] }) => !properties.some(({ name }) => name === 'cdx:npm:package:development'))
    const named = new Set(shipped.map(({ name }) => name))
    const missing = direct.filter((name) => !named.has(name)).map((name) => `${name} is not in it`)
    const problem = JSON.parse(out) === null ? [] : [`not valid: ${out.slice(0, 500)}`]
    return verdictOf(
      [...problem, ...missing],
      `CycloneDX ${specVersion}, ${components.length} components, ${shipped.length} of them not for development alone, valid by its JSON schema`,
    )
  },
}
