// The published server: the types of its doors from `tsc -b`, which emits nothing else of it, and its own code in a few files beside them. Libraries stay
// what they are, installed packages. Half of a start was finding two thousand files: decision 0055.
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const server = fileURLToPath(new URL('../packages/evergrant/', import.meta.url))
const sources = join(server, 'src')
const dist = join(server, 'dist')
/** What is named from outside: the command, the four doors of the package and the thread of the store. Everything else is a piece of them. */
const ENTRIES = ['cli/main', 'index', 'engine', 'engine-parts', 'practice/index', 'compose-sqlite-thread']

/**
 * What a source finds beside itself it finds from the file that it ends up in, too: its address is made from that of the file, which is in the root of
 * `dist`, as if each source still had one of its own.
 */
const sourceAddresses = {
  name: 'source-addresses',
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (!path.startsWith(sources) || !text.includes('import.meta.url')) return undefined
      const own = `./${relative(sources, path).replaceAll('\\', '/').replace(/\.ts$/, '.js')}`
      return { loader: 'ts', contents: text.replaceAll('import.meta.url', `new URL('${own}', import.meta.url).href`) }
    })
  },
}

if (!existsSync(join(dist, 'index.d.ts'))) throw new Error('packages/evergrant/dist has no types. Run tsc -b first.')
for (const name of globSync('**/*.js', { cwd: dist, exclude: ['console'] })) rmSync(join(dist, name))
const { metafile } = await build({
  absWorkingDir: server,
  entryPoints: ENTRIES.map((name) => join(sources, `${name}.ts`)),
  outbase: sources,
  outdir: dist,
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Names stay, so that a stack trace can be read.
  minify: false,
  metafile: true,
  plugins: [sourceAddresses],
  tsconfigRaw: '{}',
  logLevel: 'warning',
})

for (const [file, { inputs }] of Object.entries(metafile.outputs)) {
  const lost = Object.keys(inputs).find((path) => /\bimport\.meta\.url\b/.test(readFileSync(join(server, path), 'utf8')))
  if (lost !== undefined && dirname(file) !== 'dist') throw new Error(`${lost} looks for files beside itself, and is in ${file}, not in the root of dist`)
}
