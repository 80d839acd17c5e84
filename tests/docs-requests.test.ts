// Every request of the documentation to our own API, compared with the OpenAPI document of a server that is opened for a moment.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { createEvergrant, readConfig } from '../packages/evergrant/src/index.ts'
import { type ApiDocument, namesOf, RequestJudge, requestOf, UNDOCUMENTED_PATHS } from './docs/api-requests.ts'
import { type FencedBlock, fencedBlocks, isDocumentation } from './docs/fenced-blocks.ts'
import { shellCommands } from './docs/shell-commands.ts'
import { sourceTree } from './tidy/source-tree.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const shellBlocks = sourceTree(root)
  .filter(({ path }) => isDocumentation(path))
  .flatMap(fencedBlocks)
  .filter(({ info }) => info === 'sh')

let unanswered: string[] = []
let judge: RequestJudge

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-docs-'))
  const config = readConfig({ EVERGRANT_DATA_DIR: join(folder, 'data'), EVERGRANT_LOG_LEVEL: 'silent' }, { development: false })
  const evergrant = await createEvergrant(config)
  try {
    const document: ApiDocument = JSON.parse((await evergrant.app.inject({ method: 'GET', url: '/api/v1/openapi.json' })).payload)
    const answers = await Promise.all(UNDOCUMENTED_PATHS.map(async (url) => ({ url, status: (await evergrant.app.inject({ method: 'GET', url })).statusCode })))
    judge = new RequestJudge(document)
    unanswered = answers.filter(({ status }) => status === 404).map(({ url }) => url)
  } finally {
    await evergrant.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('each request to our API has a route, a method, parameters and a body that the route takes', () => {
  expect(shellBlocks.flatMap((block) => judgedRequests(block))).toEqual([])
})

test('what is served beside the documented API is served', () => expect(unanswered).toEqual([]))

test('requests are found in pages', () => {
  const requests = shellBlocks.flatMap(({ text }) => shellCommands(text).filter(({ words }) => words[0] === 'curl' && requestOf(words) !== null))
  expect(requests.length).toBeGreaterThan(40)
})

describe('canaries: each of these must be found', () => {
  test.each([
    ['curl -s $EVERGRANT/api/v1/conections', 'no route'],
    ['curl -s -X DELETE $EVERGRANT/api/v1/events', 'has no DELETE'],
    ['curl -s "$EVERGRANT/api/v1/events?kind=x"', "no parameter 'kind'"],
    [`curl -s $EVERGRANT/api/v1/connect/complete -d '{"code":"x","owner":"u"}'`, 'required'],
    [`curl -s $EVERGRANT/api/v1/connect/sessions -d '{"integration":'`, 'no JSON'],
    [`api() { curl -s; }\napi GET conections`, 'no route'],
  ])('%s', (line, complaint) => {
    expect(judgedRequests({ path: 'page.md', line: 1, info: 'sh', text: line }).join('\n')).toContain(complaint)
  })
})

function judgedRequests({ path, line, text }: FencedBlock): string[] {
  return shellCommands(text).flatMap((command) => {
    const { words } = command
    const [program, verb = '', target = '', body] = words
    const [short = '', query = ''] = target.split('?')
    const request =
      program === 'curl' ? requestOf(words) : program === 'api' ? { method: verb, path: `/api/v1/${short}`, query: namesOf(query), body: body ?? null } : null
    return request === null ? [] : judge.judge(request).map((complaint) => `${path}:${line + command.line}: ${complaint}`)
  })
}
