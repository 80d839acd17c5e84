import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { keyFile } from '../seal/key-file.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'

// A whole node is made; a machine that has much to do takes its time.
vi.setConfig({ testTimeout: 60_000 })

let node: WholeNode
let key: string
beforeAll(async () => {
  node = await openWholeNode()
  key = node.evergrant.services.apiKeys.issueLocal(node.evergrant.organization).text
}, 60_000)
afterAll(() => node.close())

const ask = (method: string, path: string) => node.ask(method, `/api/v1/admin/keys${path}`, key)
const file = () => keyFile(node.folder)
const written = (): { id: string; key: string }[] => JSON.parse(readFileSync(file(), 'utf8')).keys
const drafts = () => readdirSync(node.folder).filter((name) => name.startsWith('keys.json.'))
const write = (keys: object[]) => writeFileSync(file(), JSON.stringify({ keys }))
const fresh = (id: string, byte: number) => ({ id, key: Buffer.from(Array.from({ length: 32 }, (_, index) => (byte + index) % 256)).toString('base64') })

test('a key is added, everything is sealed anew with it while the node runs, and the old one is taken away', async () => {
  expect((await ask('GET', '/reseal/stream')).status).toBe(404)
  const [k1] = written()
  write([fresh('k2', 7), k1 ?? {}])
  expect((await ask('POST', '/reload')).json).toEqual({ reloaded: true })
  const before = (await ask('GET', '')).json
  expect(before).toMatchObject({
    source: 'file',
    reseal: null,
    keys: [
      { id: 'k2', state: 'seals' },
      { id: 'k1', state: 'opens' },
    ],
  })
  expect(before.nodes).toEqual([expect.objectContaining({ alive: true, keys: ['k2', 'k1'], seals: 'k2' })])
  const refused = await ask('DELETE', '/k1')
  expect([refused.status, refused.json.detail]).toEqual([409, expect.stringMatching(/k1 is still used: .*of meta/)])
  // Asked twice at once: one goes on, and both hear of it.
  const [one, two] = await Promise.all([ask('POST', '/reseal'), ask('POST', '/reseal')])
  expect([one.status, two.status, one.json.started_at]).toEqual([202, 202, two.json.started_at])
  // Nothing runs by itself here: each call works on it for a moment.
  for (let state = two.json; state.finished_at === null; ) state = (await ask('POST', '/reseal')).json
  const told = (await ask('GET', '/reseal/stream')).text.trim().split('\n\n').at(-1) ?? ''
  expect(told).toMatch(/^event: done\n/)
  expect(JSON.parse(told.split('data: ')[1] ?? '')).toMatchObject({ key: 'k2', unopened: 0, finished_at: expect.any(String) })
  expect((await ask('GET', '')).json.keys.find(({ id }: { id: string }) => id === 'k1')).toMatchObject({ values: 0, places: {} })
  expect((await ask('DELETE', '/k1')).json).toEqual({ id: 'k1', outcome: 'removed' })
  expect(written().map(({ id }) => id)).toEqual(['k2'])
  expect(drafts()).toEqual([])
  expect((await ask('DELETE', '/k1')).status).toBe(404)
  expect((await ask('DELETE', '/k2')).json.detail).toMatch(/it is the first of the keyring/)
})

test('two who seal anew and two who take the old key away, all at once until it is done, leave every value readable and the file whole (S77)', async () => {
  const call = (method: string, path: string, body?: unknown) => node.ask(method, `/api/v1/${path}`, key, body)
  await call('POST', 'integrations', { provider: 'strava', slug: 'raced', name: 'Raced', client_id: 'c', client_secret: 's' })
  const grants = Array.from({ length: 400 }, (_, index) => ({
    ...GRANT,
    integration: 'raced',
    owner: `raced-${index}`,
    account: `raced-${index}`,
    access_token: `raced-access-${index}`,
    refresh_token: `raced-refresh-${index}`,
  }))
  const imported = await call('POST', 'connections/import', grants)
  const connections: string[] = imported.json.items.map(({ connection }: { connection: string }) => connection)
  const [old] = written()
  write([fresh('k9', 90), old ?? {}])
  expect((await ask('POST', '/reload')).status).toBe(200)
  const read = async (index: number) => (await call('GET', `connections/${connections[index]}/token`)).json.access_token
  const [deleted, resealed]: [number[], number[]] = [[], []]
  for (let round = 0; !deleted.includes(404) && round < 500; round += 1) {
    const index = round % connections.length
    const [one, two, gone, goneToo, token] = await Promise.all([
      ask('POST', '/reseal'),
      ask('POST', '/reseal'),
      ask('DELETE', `/${old?.id}`),
      ask('DELETE', `/${old?.id}`),
      read(index),
    ])
    resealed.push(one.status, two.status)
    deleted.push(gone.status, goneToo.status)
    expect(token).toBe(`raced-access-${index}`)
    expect([one.json.unopened, two.json.unopened]).toEqual([0, 0])
  }
  expect(new Set(resealed)).toEqual(new Set([202]))
  // Refused while it was used; then taken away once.
  expect(deleted[0]).toBe(409)
  expect(deleted.filter((status) => status === 200)).toHaveLength(1)
  expect(new Set(deleted)).toEqual(new Set([200, 404, 409]))
  expect(written().map(({ id }) => id)).toEqual(['k9'])
  expect(drafts()).toEqual([])
  for (const [index] of connections.entries()) expect(await read(index)).toBe(`raced-access-${index}`)
})

test('a key file that cannot be read changes nothing', async () => {
  const good = readFileSync(file(), 'utf8')
  write([fresh('k2', 9)])
  expect((await ask('POST', '/reload')).json).toMatchObject({ status: 400, detail: expect.stringMatching(/k2 now stands for other bytes/) })
  writeFileSync(file(), '{}')
  expect((await ask('POST', '/reload')).json.detail).toMatch(/has no list of keys/)
  writeFileSync(file(), good)
  expect((await ask('POST', '/reload')).status).toBe(200)
})

test('a value whose key is not here is told clearly, loses nothing, and is read again when the key is back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-quarantine-'))
  const both = `${entryOf(fresh('k2', 40))},${entryOf(fresh('k1', 80))}`
  const open = async (keys: string) => {
    const opened = await openWholeNode({ env: { EVERGRANT_DATA_DIR: folder, EVERGRANT_MASTER_KEYS: keys } })
    const { text } = opened.evergrant.services.apiKeys.issueLocal(opened.evergrant.organization)
    return {
      opened,
      ask: (method: string, path: string, body?: unknown) => opened.ask(method, `/api/v1/${path}`, text, body),
      close: () => opened.evergrant.close(),
    }
  }
  try {
    // The root of the seal is sealed with k1, and so a node that has k1 alone starts.
    await open(entryOf(fresh('k1', 80))).then(({ close }) => close())
    const first = await open(both)
    await first.ask('POST', 'integrations', { provider: 'strava', slug: 'kept', name: 'Kept', client_id: 'c', client_secret: 's' })
    const made = await first.ask('POST', 'connections', GRANT)
    expect(made.status).toBe(201)
    await first.close()
    const without = await open(entryOf(fresh('k1', 80)))
    const refused = await without.ask('GET', `connections/${made.json.id}/token`)
    expect([refused.status, refused.json.code, refused.json.action]).toEqual([503, 'seal_key_missing', 'contact_admin'])
    expect((await without.ask('GET', `connections/${made.json.id}`)).json.needs_reauth ?? false).toBe(false)
    const keys = (await without.ask('GET', 'admin/keys')).json.keys
    expect(keys.find(({ id }: { id: string }) => id === 'k2')).toMatchObject({ state: 'missing', places: { credential: expect.any(Number) } })
    await without.close()
    const back = await open(both)
    expect((await back.ask('GET', `connections/${made.json.id}/token`)).json.access_token).toBe('kept-token-1')
    await back.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const GRANT = {
  integration: 'kept',
  owner: 'somebody',
  account: 'a',
  access_token: 'kept-token-1',
  refresh_token: 'kept-refresh-1',
  expires_at: '2099-01-01T00:00:00Z',
}

function entryOf({ id, key: base64 }: { readonly id: string; readonly key: string }): string {
  return `${id}:${base64}`
}
