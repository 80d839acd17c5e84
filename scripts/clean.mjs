// tsc -b never deletes outputs: a removed source would stay in dist and be published.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
for (const path of ['.tsbuild', 'packages/evergrant/dist', 'packages/sdk/dist']) rmSync(`${root}${path}`, { recursive: true, force: true })
