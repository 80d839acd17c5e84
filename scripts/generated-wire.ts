// The SDK's wire types as they should be: from the OpenAPI document of a server that is opened for a moment.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createEvergrant, readConfig } from '../packages/evergrant/src/index.ts'
import { wireTypes } from './wire-types.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Where the files of {@link generatedWire} stand. */
export const WIRE_FOLDER = join(root, 'packages/sdk/src')

/** File name -> text. */
export async function generatedWire(): Promise<Readonly<Record<string, string>>> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-wire-'))
  const config = readConfig({ EVERGRANT_DATA_DIR: join(folder, 'data'), EVERGRANT_LOG_LEVEL: 'silent' }, { development: false })
  const evergrant = await createEvergrant(config)
  try {
    const answer = await evergrant.app.inject({ method: 'GET', url: '/api/v1/openapi.json' })
    const files = wireTypes(JSON.parse(answer.payload))
    return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, formatted(name, text)]))
  } finally {
    await evergrant.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function formatted(name: string, text: string): string {
  const result = spawnSync(join(root, 'node_modules/.bin/biome'), ['format', `--stdin-file-path=packages/sdk/src/${name}`], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(result.stderr)
  return result.stdout
}
