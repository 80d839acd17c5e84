import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fault } from '../../core/fault/fault.ts'
import { newId } from '../../core/ids.ts'
import { systemClock, systemEntropy } from '../../system.ts'
import { storeCases } from '../conformance.ts'
import type { Change, Store } from '../contract.ts'
import { dueQuery } from '../sql/due.ts'
import { SQLITE } from './sqlite-database.ts'
import { openThreadedSqliteStore } from './threaded-store.ts'

const entry = new URL('../../compose-sqlite-thread.ts', import.meta.url)
const options = { entry, migrate: true }
let folder: string
let store: Store

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evergrant-thread-'))
  store = await openThreadedSqliteStore(join(folder, 'store.db'), options)
})

afterAll(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

async function duePlan(): Promise<string> {
  const file = new DatabaseSync(join(folder, 'store.db'), { readOnly: true })
  file.function('now_ms', () => systemClock.wall())
  const plan = file.prepare(`explain query plan ${dueQuery(SQLITE)}`).all(100)
  file.close()
  return plan.map((row) => row.detail).join('\n')
}

describe('the contract on a SQLite file on a thread of its own', () => {
  for (const { name, run } of storeCases) test(name, () => run(store, { entropy: systemEntropy, duePlan }))
})

const created = (organization: ReturnType<typeof newId<'org'>>) => ({
  id: newId('evt', systemEntropy),
  organization,
  type: 'organization.created' as const,
  at: 1,
  actor: { kind: 'system' as const, id: null },
  connection: null,
  subject: null,
  data: {},
})

test('a fault crosses with its code, its words and its cause', async () => {
  const organization = newId('org', systemEntropy)
  await store.organizations.insert({ id: organization, name: 'One', slug: organization, createdAt: 1 }, created(organization))
  const again = store.organizations.insert({ id: organization, name: 'One', slug: 'other', createdAt: 1 }, created(organization))
  const error = await again.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(Fault)
  expect(error).toMatchObject({ code: 'already_exists', message: 'another row already has this identity', cause: { message: expect.stringMatching(/UNIQUE/) } })
})

test('a refusal to open is told as in one thread: a second server, an outdated file', async () => {
  await expect(openThreadedSqliteStore(join(folder, 'store.db'), options)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringMatching(/another Evergrant process uses/),
  })
  const path = join(folder, 'outdated.db')
  await expect(openThreadedSqliteStore(path, { entry })).rejects.toThrow(/run `evergrant migrate up`/)
  const opened = await openThreadedSqliteStore(path, options)
  await opened.close()
})

test('what is queued when the store closes is committed and answered; what comes later is refused', async () => {
  const path = join(folder, 'closing.db')
  const closing = await openThreadedSqliteStore(path, options)
  const puts = Array.from({ length: 600 }, (_, index) => closing.meta.put(`name-${index}`, Uint8Array.of(index & 255)))
  const closed = closing.close()
  await expect(closing.meta.get('name-0')).rejects.toMatchObject({ code: 'store_unavailable' })
  await Promise.all(puts)
  await closed
  await closing.close()
  const again = await openThreadedSqliteStore(path, options)
  expect(await again.meta.get('name-599')).toEqual(Uint8Array.of(599 & 255))
  await again.close()
})

test('a change is told before the caller of the write goes on', async () => {
  const organization = newId('org', systemEntropy)
  const told: Change[] = []
  const end = store.changes.subscribe((change) => told.push(change))
  await store.organizations.insert({ id: organization, name: 'Two', slug: organization, createdAt: 1 }, created(organization))
  const key = { id: newId('key', systemEntropy), organization, name: 'key', hash: organization, hint: 'egk_01234567', scopes: [], createdAt: 1 }
  await store.apiKeys.insert({ ...key, lastUsedAt: null, expiresAt: null, revokedAt: null, replaces: null }, created(organization))
  await store.apiKeys.revoke(organization, key.id, 2, created(organization))
  expect(told).toContainEqual({ kind: 'api_key' })
  end()
})

test('an argument that cannot be copied fails its own call and no other', async () => {
  const broken = store.meta.put('broken', (() => {}) as unknown as Uint8Array)
  const whole = store.meta.put('whole', Uint8Array.of(7))
  await expect(broken).rejects.toThrow(/could not be cloned/)
  await whole
  expect(await store.meta.get('whole')).toEqual(Uint8Array.of(7))
})

test('a thread that dies fails every call under way and is told once', async () => {
  const code = `import { parentPort } from 'node:worker_threads'
    parentPort.postMessage({ kind: 'opened', parts: { meta: ['get'] } })
    parentPort.on('message', () => { throw new Error('the disk is on fire') })`
  const deaths: Error[] = []
  const doomed = await openThreadedSqliteStore('unused', {
    entry: new URL(`data:text/javascript,${encodeURIComponent(code)}`),
    died: (error) => deaths.push(error),
  })
  const calls = await Promise.allSettled([doomed.meta.get('a'), doomed.meta.get('b')])
  for (const call of calls) expect(call).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable', message: expect.stringMatching(/on fire/) } })
  expect(deaths).toMatchObject([{ message: 'the disk is on fire' }])
  await expect(doomed.meta.get('c')).rejects.toMatchObject({ code: 'store_unavailable' })
  await doomed.close()
})

test('a process whose store thread dies ends, and says why', async () => {
  const thread = `import { parentPort } from 'node:worker_threads'
    parentPort.postMessage({ kind: 'opened', parts: { meta: ['get'] } })
    parentPort.on('message', () => process.exit(9))`
  const program = `
    import { openThreadedSqliteStore } from '${new URL('./threaded-store.ts', import.meta.url)}'
    const store = await openThreadedSqliteStore('unused', { entry: new URL(${JSON.stringify(`data:text/javascript,${encodeURIComponent(thread)}`)}) })
    store.meta.get('a').catch(() => {})
    setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => {
    words += chunk.toString()
  })
  const [status] = await once(child, 'close')
  expect(status).not.toBe(0)
  expect(words).toMatch(/the thread of the database ended with code 9/)
})

test('a process killed at any moment keeps every write that was acknowledged', async () => {
  const path = join(folder, 'killed.db')
  const acknowledged = join(folder, 'acknowledged')
  const program = `
    import { appendFileSync } from 'node:fs'
    import { openThreadedSqliteStore } from '${new URL('./threaded-store.ts', import.meta.url)}'
    const store = await openThreadedSqliteStore(${JSON.stringify(path)}, { migrate: true, entry: new URL('${entry}') })
    for (let round = 0; ; round += 1) {
      await Promise.all(Array.from({ length: 40 }, async (_, index) => {
        const name = round + '-' + index
        await store.meta.put(name, Buffer.from(name))
        appendFileSync(${JSON.stringify(acknowledged)}, name + '\\n')
      }))
      if (round === 20) console.log('going')
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
  const reopened = await openThreadedSqliteStore(path, options)
  const names = (await readFile(acknowledged, 'utf8')).split('\n').slice(0, -1)
  expect(names.length).toBeGreaterThan(800)
  for (const name of names) expect(Buffer.from((await reopened.meta.get(name)) ?? []).toString()).toBe(name)
  await reopened.close()
})

test('an idle store does not keep its process alive, a call under way does', async () => {
  const program = `
    import { openThreadedSqliteStore } from '${new URL('./threaded-store.ts', import.meta.url)}'
    const store = await openThreadedSqliteStore(${JSON.stringify(join(folder, 'idle.db'))}, { migrate: true, entry: new URL('${entry}') })
    await store.meta.put('a', Uint8Array.of(1))
    console.log(Buffer.from(await store.meta.get('a')).toString('hex'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  let words = ''
  child.stdout.on('data', (chunk: Buffer) => {
    words += chunk.toString()
  })
  const [status] = await once(child, 'close')
  expect([status, words]).toEqual([0, '01\n'])
})
