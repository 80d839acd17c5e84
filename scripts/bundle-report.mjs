// What an application downloads: each door of the SDK bundled as an application would, minified and compressed. Exits with 1 when one is over its budget.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const resolveDir = fileURLToPath(new URL('../packages/sdk/src/', import.meta.url))

/** Budgets in bytes of gzip -9; null: shown, and not held. What another package brings along is not counted. */
const DOORS = [
  { name: 'browser, the session alone', file: 'browser', source: "export { cookieSession, createSessionClient } from './browser/index.ts'", budget: 5_000 },
  { name: 'browser, with connections', file: 'browser', source: "export { cookieSession, createEvergrant } from './browser/index.ts'", budget: 6_000 },
  { name: 'browser, everything', file: 'browser', source: "export * from './browser/index.ts'", budget: null },
  { name: 'axios, attachEvergrant', file: 'axios', source: "export { attachEvergrant } from './axios/index.ts'", budget: 1_500 },
  { name: 'axios, everything', file: 'axios', source: "export * from './axios/index.ts'", budget: null },
  {
    name: 'react, the hooks',
    file: 'react',
    source: "export { EvergrantProvider, useConnection, useConnections, useReconnect, useSession } from './react/index.ts'",
    budget: 4_000,
  },
  { name: 'react, with the components', file: 'react', source: "export * from './react/index.ts'", budget: 6_000 },
  { name: 'react, the texts of one language', file: 'react', source: "export { en } from './react/labels/en.ts'", budget: 2_000 },
  { name: 'server client', file: 'index.ts', source: "export * from './index.ts'", budget: null },
]
const EXTERNAL = ['axios', 'react', 'react/jsx-runtime', 'react-dom']

export async function measure({ source, budget, name }) {
  const result = await build({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    bundle: true,
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
  const [{ contents }] = result.outputFiles
  return { name, budget, minified: contents.length, compressed: gzipSync(contents, { level: 9 }).length }
}

export const report = () => Promise.all(DOORS.filter(({ file }) => existsSync(`${resolveDir}${file}`)).map(measure))

export const overBudget = (sizes) => sizes.filter(({ budget, compressed }) => budget !== null && compressed > budget)

function print(sizes) {
  const row = (...cells) =>
    console.log(
      cells[0].padEnd(30) +
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
  const sizes = await report()
  print(sizes)
  process.exitCode = overBudget(sizes).length > 0 ? 1 : 0
}
