// The server's sources in a few files, for test runs that start hundreds of servers: half of a start is looking for two thousand files.
// Everything that the server finds beside itself (manifest, console, the store's thread) stands beside the bundle as well.
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SERVER = join(ROOT, 'packages/evergrant')
const OUT = join(ROOT, 'node_modules/.cache/server')

/**
 * Builds it anew, in about two seconds. Returns the path of the file that stands for `packages/evergrant/src/cli/main.ts`. `server`: another tree's package
 * of the server; `out`: a folder in one that nobody else needs.
 */
export async function bundleServer({ server = SERVER, out = OUT } = {}) {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(join(out, 'src'), { recursive: true })
  await build({
    entryPoints: [join(server, 'src/cli/main.ts'), join(server, 'src/compose-sqlite-thread.ts')],
    entryNames: '[name]',
    outdir: join(out, 'src'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['pg-native'],
    // As node reads the sources: without settings, which another tree may not have beside it.
    tsconfigRaw: '{}',
    logLevel: 'warning',
    banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
  })
  // Looked for one folder up by some files and two by others.
  cpSync(join(server, 'package.json'), join(out, 'package.json'))
  cpSync(join(server, 'package.json'), join(out, '../package.json'))
  symlinkSync(join(ROOT, 'packages/console/dist'), join(out, 'console'))
  return join(out, 'src/main.js')
}
