import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { type ConnectSessionId, type IntentId, newId } from './core/ids.ts'
import { HOUR } from './core/time.ts'
import { createEvergrant, type ExtensionParts } from './index.ts'
import { openFileJournal } from './journal/file-journal.ts'
import { systemClock, systemEntropy } from './system.ts'
import { testSeal } from './testing/seal.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-key-loss-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const config = () => readConfig({ EVERGRANT_DATA_DIR: folder, EVERGRANT_LOG_LEVEL: 'silent' }, { development: false })
const start = () => createEvergrant(config())

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

/** A start with its store at hand. */
async function startWithStore() {
  let parts: ExtensionParts | undefined
  const node = await createEvergrant(config(), {
    records: [],
    routes: () => [],
    ready: async (given) => {
      parts = given
    },
  })
  if (parts === undefined) throw new Error('the node did not come up')
  return { node, ...parts }
}

/** A session whose code is being exchanged. */
async function exchanging(
  { services, store, organization }: ExtensionParts,
  slug: string,
): Promise<{ readonly id: ConnectSessionId; readonly intent: IntentId }> {
  const actor = { kind: 'cli', id: null } as const
  const settings = {
    slug,
    name: slug,
    provider: 'github',
    clientId: 'client',
    clientSecret: 'planted-secret',
    scopes: [],
    variables: {},
    settings: { returnUrls: ['https://app.example.com/connected'] },
  }
  await services.integrations.create(organization, settings, actor)
  const request = { organization, integration: slug, owner: 'ana', actor, mode: 'verified', returnUrl: 'https://app.example.com/connected' } as const
  const { session } = await services.connect.create({ ...request, scopes: null, variables: {}, connection: null })
  const at = systemClock.wall()
  const flow = { stateHash: slug, browserHash: 'b', secret: Buffer.alloc(0), redirectUri: 'https://app.example.com', issuer: null, startedAt: at, intent: null }
  const event = { id: newId('evt', systemEntropy), organization, type: 'connect.started' as const, at, actor, connection: null, subject: session.id, data: {} }
  await store.connectSessions.start(session.id, { ...flow, expiresAt: at + HOUR }, {}, event)
  const intent = newId('itn', systemEntropy)
  await store.connectSessions.beginExchange(session.id, slug, intent)
  return { id: session.id, intent }
}

test('a sign-in whose answer is in the journal under a key that is away at the start waits for the key; one that nobody has an answer to can be tried again', async () => {
  const first = await startWithStore()
  const [locked, lost] = [await exchanging(first, 'locked'), await exchanging(first, 'lost')]
  await first.node.close()
  const [name = ''] = readdirSync(join(folder, 'journal'))
  const journal = await openFileJournal(join(folder, 'journal', name), testSeal('k9'), systemClock)
  const at = systemClock.wall()
  const answer = { generation: 0, fingerprint: null, sentAt: at, receivedAt: at, httpStatus: 200, headers: {}, body: new Uint8Array(1) }
  await journal.append({ ...answer, intent: locked.intent, organization: first.organization, subject: { kind: 'connect_session', id: locked.id } })
  await journal.close()

  for (let starts = 0; starts < 2; starts++) {
    const { node, store } = await startWithStore()
    const states = await Promise.all([locked, lost].map(async ({ id }) => (await store.connectSessions.load(id))?.state))
    await node.close()
    expect(states).toEqual(['exchanging', 'open'])
  }
})
