import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Environment, readConfig } from './config.ts'
import { createEvergrant, type Evergrant } from './index.ts'

let folder: string
let evergrant: Evergrant
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-limits-'))
  const env: Environment = {
    EVERGRANT_DATA_DIR: folder,
    EVERGRANT_LOG_LEVEL: 'silent',
    EVERGRANT_RATE_LIMIT_PER_KEY: '3',
    EVERGRANT_RATE_LIMIT_PER_ADDRESS: '2',
  }
  evergrant = await createEvergrant(readConfig(env, { development: false, readSecretFile: () => '' }))
})
afterEach(async () => {
  await evergrant.close()
  rmSync(folder, { recursive: true })
})

const statuses = async (key: string, times: number): Promise<readonly number[]> => {
  const seen: number[] = []
  for (let time = 0; time < times; time++) {
    const answer = await evergrant.app.inject({ url: '/api/v1/integrations', headers: { authorization: `Bearer ${key}` } })
    seen.push(answer.statusCode)
  }
  return seen
}

test('the configured limit of a key is the one that counts, key by key', async () => {
  const [one, two] = [evergrant.services.apiKeys.issueLocal(evergrant.organization), evergrant.services.apiKeys.issueLocal(evergrant.organization)]
  expect(await statuses(one.text, 4)).toEqual([200, 200, 200, 429])
  expect(await statuses(two.text, 1)).toEqual([200])
})

test('the configured limit of an address counts invalid keys, and a valid key is not slowed by it', async () => {
  expect(await statuses('egk_nothing', 3)).toEqual([401, 401, 429])
  expect(await statuses(evergrant.services.apiKeys.issueLocal(evergrant.organization).text, 1)).toEqual([200])
})
