// The first change of CONTRIBUTING.md: its two files, as they stand there, are a record and a test that passes.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { fencedBlocks } from './docs/fenced-blocks.ts'
import { filePrograms } from './docs/typed-blocks.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = join(root, '.tsbuild', `contributing-${process.pid}`)
const files = filePrograms(root, fencedBlocks({ path: 'CONTRIBUTING.md', text: readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8') }))

mkdirSync(scratch, { recursive: true })
for (const { name, text } of files) writeFileSync(join(scratch, name), text)
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('there are two files', () => expect(files.map(({ name }) => name)).toEqual(['acme.ts', 'acme.test.ts']))

// The test file says what it says by registering tests: here.
describe('the test of the first change', async () => {
  await import(pathToFileURL(join(scratch, 'acme.test.ts')).href)
})
