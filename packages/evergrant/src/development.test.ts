import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openWholeNode } from './testing/whole-node.ts'

const SOURCE = import.meta.dirname
const IMPORT = /(?:from|import\()\s*'(\.[^']+)'/g

/** Who of the server names a file that `wanted` finds, tests and their scaffolds left out. */
function importersOf(wanted: RegExp, files: ReadonlyMap<string, string>): readonly string[] {
  const found = [...files].filter(([path, text]) => [...text.matchAll(IMPORT)].some(([, target = '']) => wanted.test(join(path, '..', target))))
  return found.map(([path]) => path).sort()
}

const server = new Map(
  globSync('**/*.ts', { cwd: SOURCE })
    .filter((path) => !path.endsWith('.test.ts') && !/^(testing|practice)\//.test(path))
    .map((path) => [path, readFileSync(join(SOURCE, path), 'utf8')]),
)

test('the practice provider and the page to try it are reached by `serve --development` alone (S119)', () => {
  expect(importersOf(/^practice\//, server)).toEqual(['development.ts'])
  expect(importersOf(/^http\/try-it\//, server)).toEqual(expect.arrayContaining(['development.ts']))
  expect(importersOf(/^http\/try-it\//, server).filter((path) => !path.startsWith('http/try-it/'))).toEqual(['development.ts'])
  expect(importersOf(/^development\.ts$/, server)).toEqual(['cli/commands/serve.ts'])
  expect(server.get('cli/commands/serve.ts')).toMatch(/development \? await \(await import\('[^']+development\.ts'\)\)\.startDevelopment/)
  const broken = new Map([...server, ['index.ts', `${server.get('index.ts')}\nimport { x } from './practice/index.ts'`]])
  expect(importersOf(/^practice\//, broken)).toEqual(['development.ts', 'index.ts'])
})

test('a server that was not started for development knows no practice provider, has no page to try it, and takes no integration of it (S119)', async () => {
  const node = await openWholeNode()
  try {
    const { text: key } = node.services.apiKeys.issueLocal(node.evergrant.organization)
    const listed = await node.ask('GET', '/api/v1/providers?limit=200', key)
    expect([listed.status, listed.text.includes('"practice"'), listed.text.includes('"github"')]).toEqual([200, false, true])
    for (const path of ['/try', '/api/v1/providers/practice']) expect([path, (await node.ask('GET', path, key)).status]).toEqual([path, 404])
    const facts = { slug: 'practice', provider: 'practice', name: 'Practice', client_id: 'practice', client_secret: 'practice-secret' }
    expect((await node.ask('POST', '/api/v1/integrations', key, facts)).status).toBeGreaterThanOrEqual(400)
    expect((await node.ask('POST', '/api/v1/integrations', key, { ...facts, slug: 'github', provider: 'github' })).status).toBe(201)
  } finally {
    await node.close()
  }
})
