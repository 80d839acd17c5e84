// The CommonJS half of the SDK's doors for programs: each built module once more, so that both kinds of a door share nothing and resolve alike.
// A file stays a file: a class that two doors hand out is one class.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'

const dist = fileURLToPath(new URL('../packages/sdk/dist/', import.meta.url))
const target = join(dist, 'cjs')
const FOLDERS = ['', 'node', 'node/agent', 'proof', 'testing', 'wire']

if (!existsSync(join(dist, 'index.js'))) throw new Error('packages/sdk/dist is missing. Run tsc -b first.')
rmSync(target, { recursive: true, force: true })
for (const folder of FOLDERS) {
  for (const name of readdirSync(join(dist, folder))) {
    if (!/\.(js|d\.ts)$/.test(name)) continue
    const text = readFileSync(join(dist, folder, name), 'utf8')
    const path = join(target, folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, name.endsWith('.js') ? transformSync(text, { format: 'cjs', platform: 'node', target: 'node20' }).code : text)
  }
}
writeFileSync(join(target, 'package.json'), '{ "type": "commonjs" }\n')
