// What an application downloads: each door of the SDK bundled as an application would, minified and compressed. Exits with 1 when one is over its budget.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { consoleSizes } from './console-sizes.mjs'

const resolveDir = fileURLToPath(new URL('../packages/sdk/src/', import.meta.url))

/**
 * Budgets in bytes of gzip -9; null: shown, and not held. A door counts with everything that its first file needs at once; what is loaded later stands on a
 * line of its own. What another package brings along is not counted.
 */
const DOORS = [
  { name: 'browser, the session alone', file: 'browser', source: "export { cookieSession, createSessionClient } from './browser/index.ts'", budget: 5_000 },
  { name: 'browser, with connections', file: 'browser', source: "export { cookieSession, createEvergrant } from './browser/index.ts'", budget: 5_300 },
  { name: 'browser, everything', file: 'browser', source: "export * from './browser/index.ts'", budget: 5_750 },
  { name: 'axios, attachEvergrant', file: 'axios', source: "export { attachEvergrant } from './axios/index.ts'", budget: 1_500 },
  { name: 'axios, everything', file: 'axios', source: "export * from './axios/index.ts'", budget: 2_400 },
  { name: 'react, everything', file: 'react', source: "export * from './react/index.ts'", budget: 4_000 },
  { name: 'react, the texts of one language', file: 'react', source: "export { en } from './react/labels/en.ts'", budget: 2_000 },
  { name: 'server client', file: 'index.ts', source: "export * from './index.ts'", budget: null },
]
/** What doors load later, by file. One that is not named here is over its budget. */
const LATER = {
  'browser/connections-part.ts': { name: 'later: connections, by their first use', budget: 1_250 },
  'react/messages-part.tsx': { name: 'later: words and looks of messages', budget: 3_500 },
}
const EXTERNAL = ['axios', 'react', 'react/jsx-runtime', 'react-dom']

/** One line for the door, and one for each file that it loads later. */
export async function measure({ source, budget, name }) {
  const result = await build({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    bundle: true,
    splitting: true,
    outdir: resolveDir,
    metafile: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    jsx: 'automatic',
    external: EXTERNAL,
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  })
  const files = Object.entries(result.metafile.outputs).map(([path, { entryPoint, imports }]) => ({
    path,
    entryPoint,
    contents: result.outputFiles.find((file) => file.path === resolve(path)).contents,
    needs: imports.filter(({ kind, external }) => kind === 'import-statement' && !external).map((one) => one.path),
  }))
  const first = closure(
    files,
    files.find(({ entryPoint }) => entryPoint === '<stdin>'),
  )
  const later = files
    .filter(({ entryPoint, path }) => entryPoint !== undefined && !first.has(path))
    .map((file) => {
      const part = file.entryPoint.replace(/^.*packages\/sdk\/src\//, '')
      const known = LATER[part] ?? { name: `later: ${part}`, budget: 0 }
      return { ...known, ...sizeOf([...closure(files, file).values()].filter(({ path }) => !first.has(path))) }
    })
  return [{ name, budget, ...sizeOf([...first.values()]) }, ...later]
}

/** A file and those that it imports at once. */
function closure(files, file, found = new Map()) {
  if (found.has(file.path)) return found
  found.set(file.path, file)
  for (const path of file.needs)
    closure(
      files,
      files.find((one) => one.path === path),
      found,
    )
  return found
}

const sizeOf = (files) => ({
  minified: files.reduce((sum, { contents }) => sum + contents.length, 0),
  compressed: files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0),
})

export async function report() {
  const lines = (await Promise.all(DOORS.filter(({ file }) => existsSync(`${resolveDir}${file}`)).map(measure))).flat()
  return lines.filter(({ name }, at) => lines.findIndex((line) => line.name === name) === at)
}

export const overBudget = (sizes) => sizes.filter(({ budget, compressed }) => budget !== null && compressed > budget)

function print(sizes) {
  const row = (...cells) =>
    console.log(
      cells[0].padEnd(40) +
        cells
          .slice(1)
          .map((cell) => String(cell).padStart(10))
          .join(''),
    )
  row('bytes', 'minified', 'gzip -9', 'budget')
  for (const { name, minified, compressed, budget } of sizes) row(name, minified, compressed, budget ?? '-')
  for (const { name, budget, compressed } of overBudget(sizes)) console.error(`${name} is ${compressed - budget} bytes over its budget.`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = [...(await report()), ...consoleSizes()]
  print(sizes)
  process.exitCode = overBudget(sizes).length > 0 ? 1 : 0
}
