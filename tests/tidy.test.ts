// The rules of STYLE.md that neither compiler nor formatter can hold. Every complaint at once, each with its remedy.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import {
  believesNoCertificate,
  comparesSecretsWhole,
  comparesWords,
  type Guard,
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
import { foldersOf, type SourceFile, sourceTree } from './tidy/source-tree.ts'
import { hasOneTitle, isCompleteDecision, linksResolve, namesNoMachine } from './tidy/writing-guards.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const tree = sourceTree(root)
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')
const readIfThere = (path: string): string | null => (existsSync(`${root}${path}`) ? read(path) : null)
/** The canaries are bad on purpose. */
const judged = tree.filter(({ path }) => path !== 'tests/tidy-canaries.test.ts')
const complaints = (guard: Guard): string[] => judged.flatMap((file: SourceFile) => guard(file))

test('the guards see the whole repository', () => {
  const paths = new Set(tree.map(({ path }) => path))
  expect(paths).toContain('README.md')
  expect(paths).toContain('packages/evergrant/src/core/fault/table.ts')
  expect(tree.length).toBeGreaterThan(60)
})

test('no file is named after a drawer', () => expect(complaints(namesContent)).toEqual([]))
test('no file is over its line budget', () => expect(complaints(keepsLineBudget)).toEqual([]))
test('time, chance, timers and environment come in through ports', () => expect(complaints(takesTimeAndChanceAsPorts)).toEqual([]))
test('folders import in one direction', () => expect(complaints(importsInOneDirection)).toEqual([]))
test('nothing is marked as unfinished', () => expect(complaints(isFinished)).toEqual([]))
test('what is private is private at run time, too', () => expect(complaints(hidesMembers)).toEqual([]))
test('titles are unique within a test file', () => expect(complaints(hasUniqueTitles)).toEqual([]))
test('tests wait for events, not for time', () => expect(complaints(waitsForEvents)).toEqual([]))
test('no assertion compares words with a pattern in vain', () => expect(complaints(comparesWords)).toEqual([]))
test('no code that judges credentials compares a secret with ===', () => expect(complaints(comparesSecretsWhole)).toEqual([]))
test('the check of certificates is switched off nowhere (S108)', () => expect(complaints(believesNoCertificate)).toEqual([]))
test('no file names a machine or a registry', () => expect(complaints(namesNoMachine)).toEqual([]))
test('every markdown file has one title', () => expect(complaints(hasOneTitle)).toEqual([]))
test('every relative link leads to a file', () => {
  expect(judged.flatMap((file) => linksResolve(file, (path) => existsSync(`${root}${path}`)))).toEqual([])
})
test('every decision record is complete', () => expect(complaints(isCompleteDecision)).toEqual([]))

test('configuration stays below forty keys', () => expect(hasFewConfigKeys(read('packages/evergrant/src/config-keys.ts'))).toEqual([]))

/** The sources of the files that a published package offers. */
function doorsOf(name: string): string[] {
  const offered: readonly { readonly types?: string; readonly import?: { readonly types?: string } }[] = Object.values(
    JSON.parse(read(`packages/${name}/package.json`)).exports,
  )
  const doors = offered.flatMap(({ types, import: door }) => /^\.\/dist\/([\w/-]+)\.d\.ts$/.exec(door?.types ?? types ?? '')?.[1] ?? [])
  return doors.map((door) => `packages/${name}/src/${door}.ts`)
}
const doors = [...doorsOf('evergrant'), ...doorsOf('sdk')]

test('entry points stay small', () => {
  expect(doors).toEqual(
    expect.arrayContaining(['packages/evergrant/src/engine-parts.ts', 'packages/sdk/src/node/index.ts', 'packages/sdk/src/node/express.ts']),
  )
  expect(doors.filter((door) => door !== 'packages/sdk/src/wire.ts').flatMap((door) => hasFewPublicNames(door, read(door)))).toEqual([])
})

test('every export has a reader in another file', () => expect(unusedExports(judged, new Set(doors))).toEqual([]))

test('the SDK has no runtime dependency and every dependency is pinned', () => {
  const manifests = ['package.json', 'packages/evergrant/package.json', 'packages/sdk/package.json', 'packages/lab/package.json']
  expect(hasNoDependencies(read('packages/sdk/package.json'))).toEqual([])
  expect(manifests.flatMap((path) => pinsExactVersions(path, read(path)))).toEqual([])
})

test('every command of a fresh clone installs what it needs', () => {
  expect(installsFirst(read('package.json'))).toEqual([])
})

test('the lockfile records no download address and every platform', () => {
  expect(recordsNoAddresses(read('package-lock.json'))).toEqual([])
  expect(locksEveryPlatform(read('package-lock.json'))).toEqual([])
})

test('every folder of the server and of the lab says what it owns', () => {
  const folders = ['packages/evergrant/src', 'packages/lab/src'].flatMap((source) => foldersOf(root, source).map((name) => `${source}/${name}`))
  expect(folders.flatMap((folder) => saysWhatItOwns(folder, { readme: readIfThere(`${folder}/README.md`), index: readIfThere(`${folder}/index.ts`) }))).toEqual(
    [],
  )
})
