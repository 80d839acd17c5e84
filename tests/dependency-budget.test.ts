// What comes with the server (S112): few packages, each with a reason, and nothing that has to be compiled.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')
const dependencies: Readonly<Record<string, string>> = JSON.parse(read('packages/evergrant/package.json')).dependencies
const PAGE = 'docs/security/dependencies.md'
/** The number may only fall. */
const BUDGET = 23

/** Rows of the page: package -> reason. */
function reasonsOf(page: string): ReadonlyMap<string, string> {
  const rows = [...page.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)]
  return new Map(rows.map(([, name = '', reason = '']) => [name, reason.trim()]))
}

/** What the page and the manifest do not agree on. */
function problemsOf(names: readonly string[], page: string): readonly string[] {
  const reasons = reasonsOf(page)
  const without = names.filter((name) => (reasons.get(name) ?? '').length < 20).map((name) => `${name} has no reason in ${PAGE}`)
  const gone = [...reasons.keys()].filter((name) => !names.includes(name)).map((name) => `${PAGE} names ${name}, which is not installed`)
  const over = names.length > BUDGET ? [`${names.length} runtime dependencies, ${BUDGET} at most: take one out before one comes in`] : []
  return [...without, ...gone, ...over]
}

test('every runtime dependency has its reason, and there are not more of them than there were (S112)', () => {
  expect(problemsOf(Object.keys(dependencies), read(PAGE))).toEqual([])
})

test('a dependency without a reason, a reason without a dependency and one too many are found', () => {
  const names = Object.keys(dependencies)
  expect(problemsOf([...names, 'left-pad'], read(PAGE))).toEqual(expect.arrayContaining([`left-pad has no reason in ${PAGE}`]))
  expect(problemsOf(names.slice(1), read(PAGE))).toEqual([`${PAGE} names ${names[0]}, which is not installed`])
  expect(
    problemsOf(
      Array.from({ length: BUDGET + 1 }, (_, index) => `package-${index}`),
      read(PAGE),
    ).at(-1),
  ).toContain('one comes in')
})

test('nothing that is installed with the server runs a script or compiles anything (S109)', () => {
  const packages: Readonly<
    Record<string, { readonly hasInstallScript?: boolean; readonly dev?: boolean; readonly devOptional?: boolean; readonly optional?: boolean }>
  > = JSON.parse(read('package-lock.json')).packages
  const shipped = Object.entries(packages).filter(([, { dev, devOptional, optional }]) => dev !== true && devOptional !== true && optional !== true)
  expect(shipped.length).toBeGreaterThan(100)
  expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path)).toEqual([])
})
