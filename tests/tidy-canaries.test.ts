// A guard that cannot fail guards nothing: each one is fed a bad sample here and must complain. The compiler's walls and
// the linter's rules are crossed in a temporary copy.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  believesNoCertificate,
  comparesSecretsWhole,
  comparesWords,
  hasUniqueTitles,
  hidesMembers,
  isFinished,
  keepsLineBudget,
  namesContent,
  takesTimeAndChanceAsPorts,
  waitsForEvents,
} from './tidy/code-guards.ts'
import { importsInOneDirection } from './tidy/direction-guard.ts'
import { unusedExports } from './tidy/export-guard.ts'
import {
  hasFewConfigKeys,
  hasFewPublicNames,
  hasNoDependencies,
  installsFirst,
  locksEveryPlatform,
  pinsExactVersions,
  recordsNoAddresses,
  saysWhatItOwns,
} from './tidy/package-guards.ts'
import { hasOneTitle, isCompleteDecision, linksResolve, namesNoMachine } from './tidy/writing-guards.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = 'packages/evergrant/src'
const file = (path: string, text = '') => ({ path, text })

describe('guards of the tree', () => {
  test.each(['utils.ts', 'core/helper.ts', 'http/types.ts', 'x/shared.mjs'])('a file called %s is a drawer', (name) => {
    expect(namesContent(file(`${source}/${name}`))).toHaveLength(1)
    expect(namesContent(file(`${source}/core/time.ts`))).toEqual([])
  })

  test('a file of 401 lines and a test of 801 lines are too long', () => {
    expect(keepsLineBudget(file(`${source}/a.ts`, 'x\n'.repeat(401)))).toHaveLength(1)
    expect(keepsLineBudget(file(`${source}/a.ts`, 'x\n'.repeat(400)))).toEqual([])
    expect(keepsLineBudget(file(`${source}/a.test.ts`, 'x\n'.repeat(801)))).toHaveLength(1)
  })

  test.each([
    ['Date.now()', 'clock.wall()'],
    ['performance.now()', 'clock.mono()'],
    ['new Date()', 'clock.wall()'],
    ['Math.random()', 'entropy'],
    ['crypto.randomBytes(8)', 'entropy'],
    ['setTimeout(f, 1)', 'timers'],
    ['setInterval(f, 1)', 'timers'],
    ['AbortSignal.timeout(1)', 'timers'],
    ['process.env.HOME', 'config.ts'],
  ])('%s is refused and the complaint names %s', (call, remedy) => {
    const [complaint] = takesTimeAndChanceAsPorts(file(`${source}/http/a.ts`, `const x = ${call}`))
    expect(complaint).toContain(remedy)
    expect(takesTimeAndChanceAsPorts(file(`${source}/http/a.test.ts`, `const x = ${call}`))).toEqual([])
    expect(takesTimeAndChanceAsPorts(file(`${source}/http/a.ts`, `// ${call} is not used here`))).toEqual([])
  })

  test('a pattern inside toMatchObject is a comparison in vain', () => {
    const complaintsAbout = (code: string) => comparesWords(file(`${source}/a.test.ts`, code))
    expect(complaintsAbout('expect(fault).toMatchObject({ code: x(), message: /refused/ })')[0]).toContain('stringMatching')
    expect(complaintsAbout('await expect(call()).rejects.toMatchObject({\n  detail: /refused/,\n})')).toHaveLength(1)
    expect(complaintsAbout('expect(fault).toMatchObject({ message: expect.stringMatching(/refused/) })')).toEqual([])
    expect(complaintsAbout("expect(call).toMatchObject({ url: 'https://example.com' })\nexpect({ a: /x/ })")).toEqual([])
  })

  test.each(['hash.mac === mac', 'expected !== given.signature', 'known.clientSecret == body.secret', '(nonce) === this.nonceOf(slot)', 'row.apiKey !== sent'])(
    'the comparison %s in code that judges credentials is refused',
    (comparison) => {
      for (const place of ['seal', 'core/session', 'http/auth'])
        expect(comparesSecretsWhole(file(`${source}/${place}/a.ts`, `if (${comparison}) x()`))).toHaveLength(1)
      expect(comparesSecretsWhole(file(`${source}/core/alert/a.ts`, `if (${comparison}) x()`))).toEqual([])
    },
  )

  test('a comparison that asks whether there is a secret, or of which kind, passes', () => {
    for (const plain of ['mac === null', 'secret !== undefined', "facts.nonce === 'none'", 'typeof secret === "string"', 'sameSecret(left, mac)'])
      expect(comparesSecretsWhole(file(`${source}/seal/a.ts`, `if (${plain}) x()`))).toEqual([])
  })

  test('a connection that believes any certificate is found', () => {
    for (const careless of ['{ rejectUnauthorized: false }', '{ rejectUnauthorized: options.strict }', 'checkServerIdentity: () => undefined'])
      expect(believesNoCertificate(file(`${source}/outbound/a.ts`, careless))).toHaveLength(1)
    expect(believesNoCertificate(file(`${source}/outbound/a.ts`, '{ rejectUnauthorized: true }'))).toEqual([])
  })

  test('system.ts may touch the clock but not the environment', () => {
    expect(takesTimeAndChanceAsPorts(file(`${source}/system.ts`, 'Date.now(); setTimeout(f, 1); randomBytes(1)'))).toEqual([])
    expect(takesTimeAndChanceAsPorts(file(`${source}/system.ts`, 'process.env.HOME'))).toHaveLength(1)
  })

  test.each([
    ['core/a.ts', "import { x } from '../store/contract.ts'", 'core may not import store'],
    ['core/refresh/a.ts', "import type { x } from '../../http/app.ts'", 'core may not import http'],
    ['core/a.ts', "import { readFileSync } from 'node:fs'", 'core may not import node:fs'],
    ['core/a.ts', "const pg = await import('pg')", 'core may not import pg'],
    ['http/a.ts', "import { x } from '../store/contract.ts'", 'http may not import store'],
    ['http/a.ts', "import { clock } from '../system.ts'", 'http may not import system.ts'],
    ['store/sqlite/a.ts', "import { x } from '../../providers/index.ts'", 'store may not import providers'],
    ['journal/a.ts', "import { x } from '../outbound/a.ts'", 'journal may not import outbound'],
    ['practice/a.ts', "import { x } from '../core/ids.ts'", 'practice may not import core'],
    ['http/a.ts', "import { x } from '../testing/a.ts'", 'testing is for tests only'],
    ['schedule/a.ts', "import { x } from 'fastify'", 'fastify belongs to'],
    ['http/a.ts', "import pg from 'pg'", 'pg belongs to'],
    ['newcomer/a.ts', "import { x } from './b.ts'", 'no row in the direction table'],
    ['http/a.ts', "import { x } from '../../../sdk/src/index.ts'", 'leaves the package'],
  ])('%s may not say %s', (path, text, complaint) => {
    expect(importsInOneDirection(file(`${source}/${path}`, text)).join()).toContain(complaint)
  })

  test('what the direction table allows passes', () => {
    expect(importsInOneDirection(file(`${source}/http/a.ts`, "import { x } from '../core/ids.ts'\nimport fastify from 'fastify'"))).toEqual([])
    expect(importsInOneDirection(file(`${source}/index.ts`, "import { x } from './store/contract.ts'"))).toEqual([])
    expect(importsInOneDirection(file(`${source}/cli/a.ts`, "import { x } from '../store/contract.ts'"))).toEqual([])
  })

  test('an export that no other file asks for is found; a door, a name that is asked for and a file that is loaded as a whole are not', () => {
    const a = file(`${source}/core/a.ts`, 'export const spent = 1\nexport interface Facts {}\nexport async function renew(): Promise<Facts> {}\n')
    const reader = (text: string) => unusedExports([a, file(`${source}/http/b.ts`, text)], new Set())
    expect(reader('const spent = 1').map((complaint) => complaint.split(';')[0])).toEqual([
      `${a.path}: nobody imports spent`,
      `${a.path}: nobody imports Facts`,
      `${a.path}: nobody imports renew`,
    ])
    expect(reader("import { spent, type Facts, renew as again } from '../core/a.ts'")).toEqual([])
    expect(reader("import {\n  type Facts,\n  renew,\n} from '../core/a.ts'").join()).toContain('imports spent')
    expect(reader("export { spent } from '../core/a.ts'").join()).toContain('http/b.ts: nobody imports spent')
    expect(reader("import type { Facts } from '../other/a.ts'")).toHaveLength(3)
    expect(reader("const { renew } = await import('../core/a.ts')")).toHaveLength(2)
    expect(unusedExports([a], new Set([a.path]))).toEqual([])
    const door = file(`${source}/wire.ts`, "export type * from './core/a.ts'")
    expect(unusedExports([a, door], new Set([door.path]))).toEqual([])
  })

  test.each(['private readonly ports: Ports', 'private async find(): Promise<void> {', 'private count = 0', 'private get size(): number {'])(
    'the member `%s` is private for the compiler alone, and found',
    (member) => {
      expect(hidesMembers(file(`${source}/core/a.ts`, `class A {\n  ${member}\n}`))).toHaveLength(1)
      expect(hidesMembers(file(`${source}/core/a.ts`, 'class A {\n  readonly #ports: Ports\n  private constructor() {}\n}'))).toEqual([])
    },
  )

  test('the SDK and the lab stay behind the doors', () => {
    expect(importsInOneDirection(file('packages/sdk/src/a.ts', "import { x } from 'node:fs'")).join()).toContain('leaf')
    expect(importsInOneDirection(file('packages/sdk/src/a.ts', "import { x } from '../../evergrant/src/core/ids.ts'")).join()).toContain('leaf')
    expect(importsInOneDirection(file('packages/sdk/src/browser/a.ts', "import { x } from 'react'")).join()).toContain('leaf')
    expect(importsInOneDirection(file('packages/sdk/src/react/a.tsx', "import { x } from 'axios'")).join()).toContain('leaf')
    expect(importsInOneDirection(file('packages/sdk/src/react/a.tsx', "import { x } from 'react'"))).toEqual([])
    expect(importsInOneDirection(file('packages/sdk/src/node/a.ts', "import { x } from 'node:fs'")).join()).toContain('leaf')
    expect(importsInOneDirection(file('packages/sdk/src/node/agent/a.ts', "import { x } from 'pg'")).join()).toContain('leaf')
    expect(importsInOneDirection(file('packages/sdk/src/node/agent/a.ts', "import { x } from 'node:fs'"))).toEqual([])
    expect(importsInOneDirection(file('packages/sdk/src/cli/a.ts', "import { x } from '@napi-rs/keyring'")).join()).toContain('leaf')
    expect(importsInOneDirection(file('packages/lab/src/a.ts', "import { x } from '../../evergrant/src/http/app.ts'")).join()).toContain('public doors')
    expect(importsInOneDirection(file('packages/lab/src/a.ts', "import { x } from '../../evergrant/src/index.ts'"))).toEqual([])
  })

  test('an unfinished mark is found', () => expect(isFinished(file('a.ts', `// ${'TO'}DO later`))).toHaveLength(1))

  test('two tests of one name are found', () => {
    expect(hasUniqueTitles(file('a.test.ts', "test('one', f)\n  test('one', g)\ntest('two', h)"))).toEqual(["a.test.ts: two tests are called 'one'"])
  })

  test('a test that sleeps is found', () => expect(waitsForEvents(file('a.test.ts', 'await sleep(50)'))).toHaveLength(1))

  test('a path of one machine and a registry are found', () => {
    expect(namesNoMachine(file('a.md', `see ${'/home'}/somebody/x`))).toHaveLength(1)
    expect(namesNoMachine(file('a.json', `https://${'registry'}.npmjs.org/x`))).toHaveLength(1)
    expect(namesNoMachine(file('a.md', 'see docs/README.md'))).toEqual([])
  })

  test('a page with two titles, or none, is found, and code blocks do not count', () => {
    expect(hasOneTitle(file('a.md', '# One\n\n# Two\n'))).toHaveLength(1)
    expect(hasOneTitle(file('a.md', 'no title\n'))).toHaveLength(1)
    expect(hasOneTitle(file('a.md', '# One\n\n```sh\n# a comment\n```\n'))).toEqual([])
  })

  test('a link that leads nowhere is found', () => {
    const page = file('docs/a.md', '[x](../README.md) [y](missing.md) [z](https://example.com) [s](#part)')
    expect(linksResolve(page, (path) => path === 'README.md')).toEqual(['docs/a.md: the link to docs/missing.md leads nowhere'])
  })

  test('a decision without consequences is found', () => {
    expect(isCompleteDecision(file('docs/decisions/0001-x.md', '# X\n\nDate: 2026-01-01\nStatus: accepted\n\n## Context\n\n## Decision\n'))).toHaveLength(1)
  })

  test('forty-one configuration keys are too many', () => {
    const keys = Array.from({ length: 41 }, (_, index) => `'EVERGRANT_KEY_${index}'`).join('\n')
    expect(hasFewConfigKeys(keys)).toHaveLength(1)
    expect(hasFewConfigKeys(keys.replace(/\n.*$/, ''))).toEqual([])
  })

  test('sixteen public names, and a star, are refused', () => {
    const names = Array.from({ length: 16 }, (_, index) => `a${index}`)
    expect(hasFewPublicNames('index.ts', `export { ${names.join(', ')} } from './a.ts'`)).toHaveLength(1)
    expect(hasFewPublicNames('index.ts', `export { ${names.slice(1).join(', ')}, type T } from './a.ts'`)).toEqual([])
    expect(hasFewPublicNames('index.ts', "export * from './a.ts'")).toHaveLength(1)
  })

  test('a dependency of the SDK, a loose version and a download address are found', () => {
    expect(hasNoDependencies('{"dependencies":{"ky":"1.0.0"}}')).toHaveLength(1)
    expect(pinsExactVersions('package.json', '{"devDependencies":{"ky":"^1.0.0"}}')).toHaveLength(1)
    expect(recordsNoAddresses('{"x":{"resolved": "https://example.com/x.tgz"}}')).toHaveLength(1)
  })

  test('a command that a fresh clone cannot run is found', () => {
    expect(installsFirst('{"scripts":{"bench":"node bench/main.ts"}}')).toHaveLength(1)
    expect(installsFirst('{"scripts":{"prebench":"node scripts/ensure-installed.mjs","bench":"node bench/main.ts","clean":"x"}}')).toEqual([])
  })

  test('a platform that the lockfile leaves out is found', () => {
    expect(locksEveryPlatform('{"packages":{"node_modules/x":{"optionalDependencies":{"x-darwin":"1.0.0"}}}}')).toHaveLength(1)
  })

  test('a folder that does not say what it owns is found', () => {
    expect(saysWhatItOwns('src/x', { readme: null, index: "import { y } from './y.ts'\n" })).toHaveLength(1)
    expect(saysWhatItOwns('src/x', { readme: null, index: '/** Owns x. */\n' })).toEqual([])
  })
})

describe('walls of the compiler and the linter, crossed in a temporary copy', () => {
  let copy = ''
  const inCopy = (path: string, text: string) => {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), text)
  }
  const run = (command: string, args: string[]) => {
    const result = spawnSync(join(root, 'node_modules/.bin', command), args, { cwd: copy, encoding: 'utf8' })
    return `${result.stdout}${result.stderr}`
  }

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'evergrant-canary-'))
    for (const path of ['biome.json', 'tsconfig.base.json', `${source}/core/tsconfig.json`]) cpSync(join(root, path), join(copy, path), { recursive: true })
    inCopy('.gitignore', 'node_modules/\n')
    spawnSync('git', ['init', '-q'], { cwd: copy })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    inCopy(`${source}/store/contract.ts`, 'export const store = 1\n')
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  test('core cannot name Node, the DOM, a timer or another folder', () => {
    const names = ['fetch', 'setTimeout', 'crypto', 'process', 'console', 'URL', 'TextEncoder', 'Buffer']
    inCopy(`${source}/core/bad-globals.ts`, `export const bad = [${names.join(', ')}]\n`)
    inCopy(
      `${source}/core/bad-imports.ts`,
      "import { store } from '../store/contract.ts'\nimport { readFileSync } from 'node:fs'\nexport const bad = [store, readFileSync]\n",
    )
    const output = run('tsc', ['-p', `${source}/core`, '--noEmit'])
    for (const name of [...names, 'node:fs']) expect(output).toMatch(new RegExp(`Cannot find name '${name}'`))
    expect(output).toMatch(/contract\.ts' is not (under 'rootDir'|listed within the file list)/)
  })

  test('the linter refuses Date and foreign imports in core', () => {
    inCopy(
      `${source}/core/bad-date.ts`,
      "import type { Pool } from 'pg'\nimport { store } from '../store/contract.ts'\nexport const at = (pool: Pool) => [new Date(store), pool]\n",
    )
    const output = run('biome', ['lint', '--colors=off', `${source}/core/bad-date.ts`])
    expect(output).toContain('lint/style/noRestrictedGlobals')
    expect(output).toContain('Take the time from a Clock.')
    expect(output.match(/lint\/style\/noRestrictedImports/g)).toHaveLength(2)
  })

  test('the linter refuses cycles, floating promises, long functions, default exports and file names in camel case', () => {
    inCopy(`${source}/http/first.ts`, "import type { Second } from './second.ts'\nexport interface First {\n  readonly second: Second\n}\n")
    inCopy(`${source}/http/second.ts`, "import type { First } from './first.ts'\nexport interface Second {\n  readonly first: First\n}\n")
    const body = Array.from({ length: 71 }, (_, index) => `  console.log(${index})`).join('\n')
    inCopy(`${source}/http/badName.ts`, `export default function long() {\n${body}\n}\nasync function work() {}\nexport function start() {\n  work()\n}\n`)
    const output = run('biome', ['lint', '--colors=off', '--max-diagnostics=100', `${source}/http`])
    for (const rule of [
      'suspicious/noImportCycles',
      'nursery/noFloatingPromises',
      'complexity/noExcessiveLinesPerFunction',
      'style/noDefaultExport',
      'style/useFilenamingConvention',
    ]) {
      expect(output).toContain(`lint/${rule}`)
    }
  })

  test('the linter refuses Node and the server in the SDK', () => {
    inCopy('packages/sdk/src/bad.ts', "import { readFileSync } from 'node:fs'\nimport { x } from 'evergrant'\nexport const bad = [readFileSync, x]\n")
    const output = run('biome', ['lint', '--colors=off', 'packages/sdk/src/bad.ts'])
    expect(output.match(/lint\/style\/noRestrictedImports/g)).toHaveLength(2)
  })
})
