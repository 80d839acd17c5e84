// Without a server, commands use the same routes in their own process, files included.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { embeddedApi } from './embedded-api.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-embedded-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a project is handed out as it is, and a refusal is one that a person reads', async () => {
  const env = { EVERGRANT_DATA_DIR: join(folder, 'data'), EVERGRANT_LOG_LEVEL: 'silent' }
  const api = await embeddedApi(readConfig(env, { development: false, readSecretFile: () => '' }))
  try {
    const user = await api.call('POST', 'users', { email: 'ana@example.com', role: 'operator', password: 'correct kettle battery orbit' })
    const agent = await api.call('POST', 'agents', { name: 'weather', owner: user['id'] ?? null })
    const files = unzipSync(await api.file(`agents/${String(agent['id'])}/download`, {}))
    expect(JSON.parse(strFromU8(files['weather/.evergrant/enroll.json'] ?? new Uint8Array()))).toMatchObject({ code: expect.stringMatching(/^egc_/) })
    await expect(api.file('agents/agt_01990f7e-0000-7000-8000-000000000000/download', {})).rejects.toThrow('not_found')
  } finally {
    await api.close()
  }
}, 60_000)
