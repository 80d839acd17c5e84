import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { createEvergrant } from './index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-key-loss-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const start = () => createEvergrant(readConfig({ EVERGRANT_DATA_DIR: folder, EVERGRANT_LOG_LEVEL: 'silent' }, { development: false }))

test('the key file is lost: nothing starts and nothing is made in its place; from the copy for an identity elsewhere everything opens again (S81)', async () => {
  const actor = { kind: 'cli', id: null } as const
  const first = await start()
  const integration = {
    slug: 'github',
    name: 'GitHub',
    provider: 'github',
    clientId: 'client',
    clientSecret: 'planted-secret',
    scopes: [],
    variables: {},
    settings: {},
  }
  await first.services.integrations.create(first.organization, integration, actor)
  const { text: key } = await first.services.apiKeys.create(first.organization, { name: 'backend', scopes: ['integrations:read'], expiresAt: null }, actor)
  await first.close()
  const keys = join(folder, 'keys.json')
  // As docs/guides/backup-and-restore.md says: for a recipient whose identity is not on this machine.
  const identity = await generateIdentity()
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(identity))
  const copy = await encrypter.encrypt(readFileSync(keys, 'utf8'))
  expect(Buffer.from(copy).includes('"key"')).toBe(false)

  rmSync(keys)
  await expect(start()).rejects.toMatchObject({ code: 'seal_key_missing' })
  expect(existsSync(keys)).toBe(false)

  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  writeFileSync(keys, await decrypter.decrypt(copy, 'text'), { mode: 0o600 })
  const again = await start()
  // Keys of backends are known by a hash that is derived from what the master key seals.
  const answer = await again.app.inject({ url: '/api/v1/integrations', headers: { authorization: `Bearer ${key}` } })
  expect([answer.statusCode, answer.json().items.map(({ slug }: { readonly slug: string }) => slug)]).toEqual([200, ['github']])
  await again.close()
})
